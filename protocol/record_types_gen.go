// Code generated from spec/registry/record-types.csv by spec/gen. DO NOT EDIT.

package protocol

// The types of record.
const (
	TypeAcceptance      = "acceptance"       // Takes one offer; binding once confirmed.
	TypeAwardNotice     = "award-notice"     // Tells a seller that others were chosen, and why; asks for a void.
	TypeCancel          = "cancel"           // Asks the seller to void a deal, pending or not.
	TypeConfirmation    = "confirmation"     // The seller's decision for the deal; its ID names the agreement.
	TypeCounter         = "counter"          // What would be accepted instead of an offer.
	TypeCustomerVoid    = "customer-void"    // The answer to restored of a customer that holds no decision.
	TypeDecline         = "decline"          // Says that the offers of the deal are not wanted; asks for a void.
	TypeDeliveryReceipt = "delivery-receipt" // Says that records are on the recipient's disk for good.
	TypeHeld            = "held"             // The answer to restored of a customer that holds a decision.
	TypeIntent          = "intent"           // What a customer asks the market for.
	TypeOffer           = "offer"            // What a seller would deliver and for how much; firm until its validUntil.
	TypeProfile         = "profile"          // How a seller presents itself.
	TypeRestored        = "restored"         // Says that the seller came back from an old backup.
	TypeTerms           = "terms"            // An agreement in words of one's own.
	TypeTermsCounter    = "terms-counter"    // The one counter-offer of other terms.
	TypeVoid            = "void"             // The seller's decision against the deal.
	TypeWithdrawal      = "withdrawal"       // Takes an intent back.
)

// RecordType is one line of the registry of record types.
type RecordType struct {
	Name    string // as in records
	Status  string // current, or reserved for a later version
	Gossip  bool   // whether gossip carries it
	Author  string // whose key signs it: customer, vendor or either
	Summary string // what it says, a sentence
}

// RecordTypes lists the registered types in the order of their names.
func RecordTypes() []RecordType {
	return []RecordType{
		{Name: TypeAcceptance, Status: "current", Gossip: false, Author: "customer", Summary: "Takes one offer; binding once confirmed."},
		{Name: TypeAwardNotice, Status: "current", Gossip: false, Author: "customer", Summary: "Tells a seller that others were chosen, and why; asks for a void."},
		{Name: TypeCancel, Status: "current", Gossip: false, Author: "customer", Summary: "Asks the seller to void a deal, pending or not."},
		{Name: TypeConfirmation, Status: "current", Gossip: false, Author: "vendor", Summary: "The seller's decision for the deal; its ID names the agreement."},
		{Name: TypeCounter, Status: "reserved", Gossip: false, Author: "customer", Summary: "What would be accepted instead of an offer."},
		{Name: TypeCustomerVoid, Status: "current", Gossip: false, Author: "customer", Summary: "The answer to restored of a customer that holds no decision."},
		{Name: TypeDecline, Status: "current", Gossip: false, Author: "customer", Summary: "Says that the offers of the deal are not wanted; asks for a void."},
		{Name: TypeDeliveryReceipt, Status: "current", Gossip: false, Author: "either", Summary: "Says that records are on the recipient's disk for good."},
		{Name: TypeHeld, Status: "current", Gossip: false, Author: "customer", Summary: "The answer to restored of a customer that holds a decision."},
		{Name: TypeIntent, Status: "current", Gossip: true, Author: "customer", Summary: "What a customer asks the market for."},
		{Name: TypeOffer, Status: "current", Gossip: false, Author: "vendor", Summary: "What a seller would deliver and for how much; firm until its validUntil."},
		{Name: TypeProfile, Status: "current", Gossip: true, Author: "vendor", Summary: "How a seller presents itself."},
		{Name: TypeRestored, Status: "current", Gossip: false, Author: "vendor", Summary: "Says that the seller came back from an old backup."},
		{Name: TypeTerms, Status: "current", Gossip: false, Author: "either", Summary: "An agreement in words of one's own."},
		{Name: TypeTermsCounter, Status: "reserved", Gossip: false, Author: "vendor", Summary: "The one counter-offer of other terms."},
		{Name: TypeVoid, Status: "current", Gossip: false, Author: "vendor", Summary: "The seller's decision against the deal."},
		{Name: TypeWithdrawal, Status: "current", Gossip: true, Author: "customer", Summary: "Takes an intent back."},
	}
}
