// Code generated from spec/registry/record-types.csv by spec/gen. DO NOT EDIT.

package protocol

// The types of record.
const (
	TypeAcceptance         = "acceptance"          // Takes one offer; binding once confirmed.
	TypeAwardNotice        = "award-notice"        // Tells a seller that others were chosen, and why; asks for a void.
	TypeCancel             = "cancel"              // Asks the seller to void a deal, pending or not.
	TypeConfirmation       = "confirmation"        // The seller's decision for the deal; its ID names the agreement.
	TypeCounter            = "counter"             // What would be accepted instead of an offer.
	TypeCustomerVoid       = "customer-void"       // The answer to restored of a customer that holds no decision.
	TypeDecline            = "decline"             // Says that the offers of the deal are not wanted; asks for a void.
	TypeDeletionNotice     = "deletion-notice"     // What the author's program has erased, and what it keeps and why.
	TypeDeliveryReceipt    = "delivery-receipt"    // Says that records are on the recipient's disk for good.
	TypeHeld               = "held"                // The answer to restored of a customer that holds a decision.
	TypeIntent             = "intent"              // What a customer asks the market for.
	TypeIntroduction       = "introduction"        // Shows one seller that the author of an intent is somebody whom it knows.
	TypeMembership         = "membership"          // A membership: said by the organisation, or by the member itself.
	TypeNextRound          = "next-round"          // Opens a further round of a deal: after a void, or to change an agreement.
	TypeOffer              = "offer"               // What a seller would deliver and for how much; firm until its validUntil.
	TypeOrderEvent         = "order-event"         // What has happened about an agreement: sent, delivered, paid and the like.
	TypeOutcome            = "outcome"             // What came of an agreement, in the words of one side.
	TypePreference         = "preference"          // A preference that its author shares with whom it likes.
	TypeProfile            = "profile"             // How a seller presents itself.
	TypeReceipt            = "receipt"             // The seller's proof of purchase.
	TypeRestored           = "restored"            // Says that the seller came back from an old backup.
	TypeTerms              = "terms"               // An agreement in words of one's own.
	TypeTermsCounter       = "terms-counter"       // The one counter-offer of other terms.
	TypeTransactionHistory = "transaction-history" // Purchases that their author shares with whom it likes.
	TypeVoid               = "void"                // The seller's decision against the deal.
	TypeWithdrawal         = "withdrawal"          // Takes an intent back.
	TypeWriter             = "writer"              // Says which instance signs as a persona now.
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
		{Name: TypeCounter, Status: "current", Gossip: false, Author: "customer", Summary: "What would be accepted instead of an offer."},
		{Name: TypeCustomerVoid, Status: "current", Gossip: false, Author: "customer", Summary: "The answer to restored of a customer that holds no decision."},
		{Name: TypeDecline, Status: "current", Gossip: false, Author: "customer", Summary: "Says that the offers of the deal are not wanted; asks for a void."},
		{Name: TypeDeletionNotice, Status: "current", Gossip: false, Author: "either", Summary: "What the author's program has erased, and what it keeps and why."},
		{Name: TypeDeliveryReceipt, Status: "current", Gossip: false, Author: "either", Summary: "Says that records are on the recipient's disk for good."},
		{Name: TypeHeld, Status: "current", Gossip: false, Author: "customer", Summary: "The answer to restored of a customer that holds a decision."},
		{Name: TypeIntent, Status: "current", Gossip: true, Author: "customer", Summary: "What a customer asks the market for."},
		{Name: TypeIntroduction, Status: "current", Gossip: false, Author: "customer", Summary: "Shows one seller that the author of an intent is somebody whom it knows."},
		{Name: TypeMembership, Status: "current", Gossip: false, Author: "either", Summary: "A membership: said by the organisation, or by the member itself."},
		{Name: TypeNextRound, Status: "current", Gossip: false, Author: "customer", Summary: "Opens a further round of a deal: after a void, or to change an agreement."},
		{Name: TypeOffer, Status: "current", Gossip: false, Author: "vendor", Summary: "What a seller would deliver and for how much; firm until its validUntil."},
		{Name: TypeOrderEvent, Status: "current", Gossip: false, Author: "either", Summary: "What has happened about an agreement: sent, delivered, paid and the like."},
		{Name: TypeOutcome, Status: "current", Gossip: false, Author: "either", Summary: "What came of an agreement, in the words of one side."},
		{Name: TypePreference, Status: "current", Gossip: false, Author: "either", Summary: "A preference that its author shares with whom it likes."},
		{Name: TypeProfile, Status: "current", Gossip: true, Author: "vendor", Summary: "How a seller presents itself."},
		{Name: TypeReceipt, Status: "current", Gossip: false, Author: "vendor", Summary: "The seller's proof of purchase."},
		{Name: TypeRestored, Status: "current", Gossip: false, Author: "vendor", Summary: "Says that the seller came back from an old backup."},
		{Name: TypeTerms, Status: "current", Gossip: true, Author: "either", Summary: "An agreement in words of one's own."},
		{Name: TypeTermsCounter, Status: "current", Gossip: false, Author: "vendor", Summary: "The one counter-offer of other terms."},
		{Name: TypeTransactionHistory, Status: "current", Gossip: false, Author: "either", Summary: "Purchases that their author shares with whom it likes."},
		{Name: TypeVoid, Status: "current", Gossip: false, Author: "vendor", Summary: "The seller's decision against the deal."},
		{Name: TypeWithdrawal, Status: "current", Gossip: true, Author: "customer", Summary: "Takes an intent back."},
		{Name: TypeWriter, Status: "current", Gossip: true, Author: "vendor", Summary: "Says which instance signs as a persona now."},
	}
}
