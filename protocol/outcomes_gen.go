// Code generated from spec/registry/outcomes.csv by spec/gen. DO NOT EDIT.

package protocol

// What came of an agreement.
const (
	OutcomeDisputed     = "disputed"      // The sides disagree about what came of it.
	OutcomeFulfilled    = "fulfilled"     // All that was agreed has come about.
	OutcomeNotFulfilled = "not_fulfilled" // Nothing of what was agreed has come about.
	OutcomePartly       = "partly"        // A part of what was agreed has come about.
)

// Outcome is one line of the registry of outcomes.
type Outcome struct {
	Code    string // as in records
	Summary string // what it says, a sentence
}

// Outcomes lists the registered outcomes in the order of their codes.
func Outcomes() []Outcome {
	return []Outcome{
		{Code: OutcomeDisputed, Summary: "The sides disagree about what came of it."},
		{Code: OutcomeFulfilled, Summary: "All that was agreed has come about."},
		{Code: OutcomeNotFulfilled, Summary: "Nothing of what was agreed has come about."},
		{Code: OutcomePartly, Summary: "A part of what was agreed has come about."},
	}
}
