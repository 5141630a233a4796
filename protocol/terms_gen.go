// Code generated from spec/registry/terms.csv by spec/gen. DO NOT EDIT.

package protocol

// The roster of agreements of IEEE 7012-2025 (MyTerms), by the IDs that the
// Data Privacy Vocabulary gives them.
const (
	TermsPDCAI          = "PDC-AI"             // Personal Data Contribution for AI Training and Development.
	TermsPDCGood        = "PDC-GOOD"           // Personal Data Contribution for Public Good.
	TermsPDCIntent      = "PDC-INTENT"         // Personal Data Contribution for Intent Casting.
	TermsSDBase         = "SD-BASE"            // Service Delivery.
	TermsSDBaseA        = "SD-BASE-A"          // Service Delivery with Analytics.
	TermsSDBaseADP      = "SD-BASE-A-DP"       // Service Delivery with Analytics, Data Portability.
	TermsSDBaseAT       = "SD-BASE-AT"         // Service Delivery with Analytics and Tracking.
	TermsSDBaseATDP     = "SD-BASE-AT-DP"      // Service Delivery with Analytics and Tracking, Data Portability.
	TermsSDBaseATP      = "SD-BASE-ATP"        // Service Delivery with Analytics, Tracking and Profiling.
	TermsSDBaseATPDP    = "SD-BASE-ATP-DP"     // Service Delivery with Analytics, Tracking and Profiling, Data Portability.
	TermsSDBaseATPS3P   = "SD-BASE-ATP-S3P"    // Service Delivery with Analytics, Tracking, Profiling and Sharing of Anonymised Data.
	TermsSDBaseATPS3PDP = "SD-BASE-ATP-S3P-DP" // Service Delivery with Analytics, Tracking, Profiling and Sharing of Anonymised Data, Data Portability.
	TermsSDBaseDP       = "SD-BASE-DP"         // Service Delivery, Data Portability.
	TermsTPR            = "TPR"                // Trusted Personal Relationship.
	TermsTPRIdentityRef = "TPR-IDENTITY-REF"   // Trusted Personal Relationship - Identity Reference.
)

// RosterTerms is one line of the roster.
type RosterTerms struct {
	ID       string // as in records
	Name     string // the agreement's name
	Sentence string // what it says, in the person's words
	Status   string // current, or withdrawn from the roster
}

// Roster lists the agreements in the order of their IDs.
func Roster() []RosterTerms {
	return []RosterTerms{
		{ID: TermsPDCAI, Name: "Personal Data Contribution for AI Training and Development", Sentence: "You may use what I tell you to train and run AI.", Status: "current"},
		{ID: TermsPDCGood, Name: "Personal Data Contribution for Public Good", Sentence: "You may use what I tell you for the public good.", Status: "current"},
		{ID: TermsPDCIntent, Name: "Personal Data Contribution for Intent Casting", Sentence: "Use what I tell you only to answer this request.", Status: "current"},
		{ID: TermsSDBase, Name: "Service Delivery", Sentence: "Use my data only to deliver the service: no analytics, no tracking, no profiling, and nothing to third parties.", Status: "current"},
		{ID: TermsSDBaseA, Name: "Service Delivery with Analytics", Sentence: "Use my data to deliver the service and for your own analytics: no tracking, no profiling, and nothing to third parties.", Status: "current"},
		{ID: TermsSDBaseADP, Name: "Service Delivery with Analytics, Data Portability", Sentence: "Use my data to deliver the service and for your own analytics: no tracking, no profiling, and nothing to third parties. Give me a copy that I can take elsewhere.", Status: "current"},
		{ID: TermsSDBaseAT, Name: "Service Delivery with Analytics and Tracking", Sentence: "Use my data to deliver the service and for your own analytics and tracking: no profiling, and nothing to third parties.", Status: "current"},
		{ID: TermsSDBaseATDP, Name: "Service Delivery with Analytics and Tracking, Data Portability", Sentence: "Use my data to deliver the service and for your own analytics and tracking: no profiling, and nothing to third parties. Give me a copy that I can take elsewhere.", Status: "current"},
		{ID: TermsSDBaseATP, Name: "Service Delivery with Analytics, Tracking and Profiling", Sentence: "Use my data to deliver the service and for your own analytics, tracking and profiling: nothing to third parties.", Status: "current"},
		{ID: TermsSDBaseATPDP, Name: "Service Delivery with Analytics, Tracking and Profiling, Data Portability", Sentence: "Use my data to deliver the service and for your own analytics, tracking and profiling: nothing to third parties. Give me a copy that I can take elsewhere.", Status: "current"},
		{ID: TermsSDBaseATPS3P, Name: "Service Delivery with Analytics, Tracking, Profiling and Sharing of Anonymised Data", Sentence: "Use my data to deliver the service and for your own analytics, tracking and profiling: to third parties only what is fully anonymised.", Status: "current"},
		{ID: TermsSDBaseATPS3PDP, Name: "Service Delivery with Analytics, Tracking, Profiling and Sharing of Anonymised Data, Data Portability", Sentence: "Use my data to deliver the service and for your own analytics, tracking and profiling: to third parties only what is fully anonymised. Give me a copy that I can take elsewhere.", Status: "current"},
		{ID: TermsSDBaseDP, Name: "Service Delivery, Data Portability", Sentence: "Use my data only to deliver the service: no analytics, no tracking, no profiling, and nothing to third parties. Give me a copy that I can take elsewhere.", Status: "current"},
		{ID: TermsTPR, Name: "Trusted Personal Relationship", Sentence: "This is between two people, as we agree between ourselves.", Status: "current"},
		{ID: TermsTPRIdentityRef, Name: "Trusted Personal Relationship - Identity Reference", Sentence: "A person who knows me vouches for who I am.", Status: "current"},
	}
}
