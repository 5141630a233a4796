// Code generated from spec/registry/roster-rules.csv by spec/gen. DO NOT EDIT.

package protocol

// RosterRules says by which rules an agreement of the roster is spelled out.
type RosterRules struct {
	ID    string   // as in records
	Only  bool     // what is not permitted is prohibited
	Rules []string // names of rules
}

// RulesOfRoster lists the agreements' rules in the order of the agreements' IDs.
func RulesOfRoster() []RosterRules {
	return []RosterRules{
		{ID: TermsPDCAI, Only: false, Rules: []string{"ai-training", "ai-use"}},
		{ID: TermsPDCGood, Only: false, Rules: []string{"public-good"}},
		{ID: TermsPDCIntent, Only: true, Rules: []string{"answering", "no-analytics", "no-tracking", "no-profiling", "no-sharing"}},
		{ID: TermsSDBase, Only: true, Rules: []string{"delivery-due", "delivery", "no-analytics", "no-tracking", "no-profiling", "no-sharing"}},
		{ID: TermsSDBaseA, Only: false, Rules: []string{"delivery-due", "delivery", "analytics", "no-analytics-by-others", "no-tracking", "no-profiling", "no-sharing"}},
		{ID: TermsSDBaseADP, Only: false, Rules: []string{"delivery-due", "portability-due", "delivery", "analytics", "no-analytics-by-others", "no-tracking", "no-profiling", "no-sharing"}},
		{ID: TermsSDBaseAT, Only: false, Rules: []string{"delivery-due", "delivery", "analytics", "tracking", "no-analytics-by-others", "no-tracking-by-others", "no-profiling", "no-sharing"}},
		{ID: TermsSDBaseATDP, Only: false, Rules: []string{"delivery-due", "portability-due", "delivery", "analytics", "tracking", "no-analytics-by-others", "no-tracking-by-others", "no-profiling", "no-sharing"}},
		{ID: TermsSDBaseATP, Only: false, Rules: []string{"delivery-due", "delivery", "analytics", "tracking", "profiling", "no-analytics-by-others", "no-tracking-by-others", "no-profiling-by-others", "no-sharing"}},
		{ID: TermsSDBaseATPDP, Only: false, Rules: []string{"delivery-due", "portability-due", "delivery", "analytics", "tracking", "profiling", "no-analytics-by-others", "no-tracking-by-others", "no-profiling-by-others", "no-sharing"}},
		{ID: TermsSDBaseATPS3P, Only: false, Rules: []string{"delivery-due", "delivery", "analytics", "tracking", "profiling", "anonymised-sharing", "no-analytics-by-others", "no-tracking-by-others", "no-profiling-by-others", "no-sharing"}},
		{ID: TermsSDBaseATPS3PDP, Only: false, Rules: []string{"delivery-due", "portability-due", "delivery", "analytics", "tracking", "profiling", "anonymised-sharing", "no-analytics-by-others", "no-tracking-by-others", "no-profiling-by-others", "no-sharing"}},
		{ID: TermsSDBaseDP, Only: true, Rules: []string{"delivery-due", "portability-due", "delivery", "no-analytics", "no-tracking", "no-profiling", "no-sharing"}},
		{ID: TermsTPR, Only: false, Rules: []string{"delivery-due", "no-sharing"}},
		{ID: TermsTPRIdentityRef, Only: false, Rules: []string{"delivery-due", "identity-due", "no-sharing"}},
	}
}
