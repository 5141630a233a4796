// Code generated from spec/registry/reasons.csv by spec/gen. DO NOT EDIT.

package protocol

// The reasons that records give.
const (
	ReasonAgreement        = "agreement"         // An agreement rests on the record.
	ReasonAwardedElsewhere = "awarded_elsewhere" // Another offer was chosen.
	ReasonBought           = "bought"            // What was asked for has been bought.
	ReasonChangedMind      = "changed_mind"      // It is no longer wanted.
	ReasonCustomerAsked    = "customer_asked"    // The customer asked for the void.
	ReasonDelivery         = "delivery"          // The delivery did not fit.
	ReasonDispute          = "dispute"           // The sides disagree, and the record is evidence.
	ReasonExpired          = "expired"           // The request has run out.
	ReasonJurisdiction     = "jurisdiction"      // The terms cannot be agreed to under the law that applies.
	ReasonLegalDuty        = "legal_duty"        // The law says that the record is kept.
	ReasonNoOffer          = "no_offer"          // The seller makes no offer on this request.
	ReasonNotSupported     = "not_supported"     // The terms are not among those that the seller supports.
	ReasonOfferExpired     = "offer_expired"     // The acceptance came after the offer's validUntil.
	ReasonOther            = "other"             // A reason that has no code here.
	ReasonOutOfStock       = "out_of_stock"      // The seller cannot deliver.
	ReasonPolicy           = "policy"            // The seller's policy rules it out.
	ReasonPrice            = "price"             // The price did not fit.
	ReasonQuality          = "quality"           // The quality did not fit.
	ReasonRecovered        = "recovered"         // One side came back from an old backup.
	ReasonScopeTooBroad    = "scope_too_broad"   // The terms ask for more than the request needs.
	ReasonTerms            = "terms"             // The terms did not fit.
	ReasonUnknownAgreement = "unknown_agreement" // The terms cite an agreement that the seller does not know.
)

// Reason is one line of the registry of reasons.
type Reason struct {
	Code    string   // as in records
	UsedBy  []string // the types of record that give it
	Summary string   // what it says, a sentence
}

// Reasons lists the registered reasons in the order of their codes.
func Reasons() []Reason {
	return []Reason{
		{Code: ReasonAgreement, UsedBy: []string{"deletion-notice"}, Summary: "An agreement rests on the record."},
		{Code: ReasonAwardedElsewhere, UsedBy: []string{"award-notice"}, Summary: "Another offer was chosen."},
		{Code: ReasonBought, UsedBy: []string{"withdrawal"}, Summary: "What was asked for has been bought."},
		{Code: ReasonChangedMind, UsedBy: []string{"cancel", "decline", "withdrawal"}, Summary: "It is no longer wanted."},
		{Code: ReasonCustomerAsked, UsedBy: []string{"void"}, Summary: "The customer asked for the void."},
		{Code: ReasonDelivery, UsedBy: []string{"cancel", "decline", "award-notice", "counter", "next-round"}, Summary: "The delivery did not fit."},
		{Code: ReasonDispute, UsedBy: []string{"deletion-notice"}, Summary: "The sides disagree, and the record is evidence."},
		{Code: ReasonExpired, UsedBy: []string{"void", "withdrawal"}, Summary: "The request has run out."},
		{Code: ReasonJurisdiction, UsedBy: []string{"void"}, Summary: "The terms cannot be agreed to under the law that applies."},
		{Code: ReasonLegalDuty, UsedBy: []string{"deletion-notice"}, Summary: "The law says that the record is kept."},
		{Code: ReasonNoOffer, UsedBy: []string{"void"}, Summary: "The seller makes no offer on this request."},
		{Code: ReasonNotSupported, UsedBy: []string{"void"}, Summary: "The terms are not among those that the seller supports."},
		{Code: ReasonOfferExpired, UsedBy: []string{"void"}, Summary: "The acceptance came after the offer's validUntil."},
		{Code: ReasonOther, UsedBy: []string{"cancel", "decline", "award-notice", "withdrawal", "counter", "next-round", "deletion-notice"}, Summary: "A reason that has no code here."},
		{Code: ReasonOutOfStock, UsedBy: []string{"void"}, Summary: "The seller cannot deliver."},
		{Code: ReasonPolicy, UsedBy: []string{"void"}, Summary: "The seller's policy rules it out."},
		{Code: ReasonPrice, UsedBy: []string{"cancel", "decline", "award-notice", "counter", "next-round"}, Summary: "The price did not fit."},
		{Code: ReasonQuality, UsedBy: []string{"cancel", "decline", "award-notice", "counter", "next-round"}, Summary: "The quality did not fit."},
		{Code: ReasonRecovered, UsedBy: []string{"void", "cancel", "decline"}, Summary: "One side came back from an old backup."},
		{Code: ReasonScopeTooBroad, UsedBy: []string{"void"}, Summary: "The terms ask for more than the request needs."},
		{Code: ReasonTerms, UsedBy: []string{"cancel", "decline", "award-notice", "counter", "next-round"}, Summary: "The terms did not fit."},
		{Code: ReasonUnknownAgreement, UsedBy: []string{"void"}, Summary: "The terms cite an agreement that the seller does not know."},
	}
}
