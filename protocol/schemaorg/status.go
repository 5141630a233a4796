package schemaorg

import (
	"slices"

	"github.com/parley-protocol/parley/protocol/deal"
)

// The statuses of schema.org's orders that the rules speak of.
const (
	orderProcessing = "OrderProcessing"
	orderProblem    = "OrderProblem"
)

// orderStatuses is what schema.org calls the statuses of order-events. What is
// said of payments that were made has no name there.
var orderStatuses = map[string]string{
	"processing":       orderProcessing,
	paymentDue:         "OrderPaymentDue",
	"ready_for_pickup": "OrderPickupAvailable",
	"dispatched":       "OrderInTransit",
	"delivered":        "OrderDelivered",
	"fulfilled":        "OrderDelivered",
	"returned":         "OrderReturned",
	"problem":          orderProblem,
}

const (
	paymentDue      = "payment_due"
	paymentReceived = "payment_received"
)

// orderStatus is how an order stands by the events about it, in their order:
// [EXP-24] in spec/11-exports-and-projections.md.
func orderStatus(events []deal.Event) string {
	last := orderProcessing
	word := map[deal.Side]string{}
	for i, e := range events {
		status, ok := orderStatuses[e.Status]
		if !ok || e.Status == paymentDue && slices.ContainsFunc(events[i:], settles) {
			continue
		}
		last, word[e.By] = status, status
	}
	if word[deal.SideCustomer] == orderProblem || word[deal.SideVendor] == orderProblem {
		return orderProblem
	}
	return last
}

// settles tells whether the seller says that it has been paid.
func settles(e deal.Event) bool { return e.By == deal.SideVendor && e.Status == paymentReceived }
