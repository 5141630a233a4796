package main

import (
	"github.com/parley-protocol/parley/spec/gen/vectors/kit"
)

// later is an agreement about which something was said since, and what the
// order's status is then.
type later struct {
	name   string
	scene  scene
	status string
}

// orders are the ways in which an order may stand.
func orders(s scene) (out []later) {
	c, v := kit.Customer, kit.Vendor
	add := func(name, status string, s scene) { out = append(out, later{"status-" + name, s, status}) }
	for _, e := range []struct{ status, want string }{
		{"processing", "OrderProcessing"}, {"payment_due", "OrderPaymentDue"}, {"ready_for_pickup", "OrderPickupAvailable"}, {"dispatched", "OrderInTransit"},
		{"payment_received", "OrderProcessing"}, {"refunded", "OrderProcessing"},
	} {
		add("vendor-"+e.status, e.want, s.event(v, e.status, 9))
		add("customer-may-not-say-"+e.status, "OrderProcessing", s.event(c, e.status, 9))
	}
	for _, e := range []struct{ status, want string }{
		{"delivered", "OrderDelivered"}, {"fulfilled", "OrderDelivered"}, {"returned", "OrderReturned"}, {"problem", "OrderProblem"}, {"of_later", "OrderProcessing"},
	} {
		add("vendor-"+e.status, e.want, s.event(v, e.status, 9))
		add("customer-"+e.status, e.want, s.event(c, e.status, 9))
	}
	sent := s.event(v, "dispatched", 10)
	add("customer-paid", "OrderProcessing", s.event(c, "paid", 9))
	add("customer-says-that-it-was-paid", "OrderPaymentDue", s.event(v, "payment_due", 8).event(c, "paid", 9))
	add("due-and-received", "OrderProcessing", s.event(v, "payment_due", 8).event(v, "payment_received", 9))
	add("due-and-received-and-due-again", "OrderPaymentDue", s.event(v, "payment_due", 7).event(v, "payment_received", 8).event(v, "payment_due", 9))
	add("due-after-delivery", "OrderPaymentDue", sent.event(c, "delivered", 11).event(v, "payment_due", 12))
	add("received-after-delivery", "OrderDelivered", sent.event(c, "delivered", 11).event(v, "payment_due", 12).event(v, "payment_received", 13))
	add("latest-counts", "OrderDelivered", sent.event(c, "delivered", 11))
	add("latest-of-the-other-side", "OrderReturned", s.event(c, "delivered", 9).event(v, "returned", 10))
	add("unnamed-after-a-named", "OrderInTransit", sent.event(v, "of_later", 11).event(c, "paid", 12).event(v, "refunded", 13))
	add("problem-is-not-talked-over", "OrderProblem", s.event(c, "problem", 9).event(v, "delivered", 10).event(v, "fulfilled", 11))
	add("problem-that-is-over", "OrderDelivered", s.event(c, "problem", 9).event(v, "dispatched", 10).event(c, "delivered", 11))
	add("problem-that-a-payment-does-not-end", "OrderProblem", s.event(c, "problem", 9).event(c, "paid", 10))
	add("event-of-another-agreement", "OrderInTransit", sent.event(v, "delivered", 11, "agreement", kit.SomeID("another agreement")))
	add("event-with-crit", "OrderInTransit", sent.event(v, "delivered", 11, "crit", kit.List{"example.com/x"}, "ext", kit.Map{"example.com/x": 1}))
	add("outcome-and-receipt-are-none", "OrderInTransit", sent.says("receipt", v, 11).says("outcome", c, 12, "result", "partly"))
	return out
}
