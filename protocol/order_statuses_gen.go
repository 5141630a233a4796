// Code generated from spec/registry/order-statuses.csv by spec/gen. DO NOT EDIT.

package protocol

// What order-events say.
const (
	OrderStatusDelivered       = "delivered"        // The goods are with the customer or the service is done.
	OrderStatusDispatched      = "dispatched"       // The goods are on their way.
	OrderStatusFulfilled       = "fulfilled"        // All that was agreed is done.
	OrderStatusPaid            = "paid"             // The customer says that it has paid.
	OrderStatusPaymentDue      = "payment_due"      // Payment is due.
	OrderStatusPaymentReceived = "payment_received" // The payment has come in.
	OrderStatusProblem         = "problem"          // Something is wrong.
	OrderStatusProcessing      = "processing"       // The order is being worked on.
	OrderStatusReadyForPickup  = "ready_for_pickup" // The goods can be picked up.
	OrderStatusRefunded        = "refunded"         // Money has been paid back.
	OrderStatusReturned        = "returned"         // The goods have gone back.
)

// OrderStatus is one line of the registry of order statuses.
type OrderStatus struct {
	Code    string // as in records
	SaidBy  string // who may say it: customer, vendor or both
	Summary string // what it says, a sentence
}

// OrderStatuses lists the registered statuses in the order of their codes.
func OrderStatuses() []OrderStatus {
	return []OrderStatus{
		{Code: OrderStatusDelivered, SaidBy: "both", Summary: "The goods are with the customer or the service is done."},
		{Code: OrderStatusDispatched, SaidBy: "vendor", Summary: "The goods are on their way."},
		{Code: OrderStatusFulfilled, SaidBy: "both", Summary: "All that was agreed is done."},
		{Code: OrderStatusPaid, SaidBy: "customer", Summary: "The customer says that it has paid."},
		{Code: OrderStatusPaymentDue, SaidBy: "vendor", Summary: "Payment is due."},
		{Code: OrderStatusPaymentReceived, SaidBy: "vendor", Summary: "The payment has come in."},
		{Code: OrderStatusProblem, SaidBy: "both", Summary: "Something is wrong."},
		{Code: OrderStatusProcessing, SaidBy: "vendor", Summary: "The order is being worked on."},
		{Code: OrderStatusReadyForPickup, SaidBy: "vendor", Summary: "The goods can be picked up."},
		{Code: OrderStatusRefunded, SaidBy: "vendor", Summary: "Money has been paid back."},
		{Code: OrderStatusReturned, SaidBy: "both", Summary: "The goods have gone back."},
	}
}
