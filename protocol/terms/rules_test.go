package terms

import (
	"maps"
	"slices"
	"testing"

	"github.com/parley-protocol/parley/protocol"
)

// What the Data Privacy Vocabulary 2.3 (ieee-7012.ttl) attaches to its
// agreements with dpv:hasPermission, hasProhibition and hasObligation, and which
// rule stands for it. Those of PDC-* have none there; a permission to deliver
// stands beside the obligation.
func TestRulesAreThoseOfTheVocabulary(t *testing.T) {
	rule := map[string]string{
		"ServiceDeliveryRequired": "delivery-due", "PortabilityRequired": "portability-due", "IdentityVerification": "identity-due",
		"AnalyticsDisallowed": "no-analytics", "TrackingDisallowed": "no-tracking", "ProfilingDisallowed": "no-profiling", "DataSharingDisallowed": "no-sharing",
		"Analytics2PAllowed": "analytics", "Tracking2PAllowed": "tracking", "Profiling2PAllowed": "profiling", "DataSharingAnonymised3PAllowed": "anonymised-sharing",
		"Analytics3PDisallowed": "no-analytics-by-others", "Tracking3PDisallowed": "no-tracking-by-others", "Profiling3PDisallowed": "no-profiling-by-others",
		"SharingDataNonAnonymised3PDisallowed": "no-sharing",
	}
	vocabulary := map[string][]string{
		"SD-BASE":         {"ServiceDeliveryRequired", "AnalyticsDisallowed", "DataSharingDisallowed", "ProfilingDisallowed", "TrackingDisallowed"},
		"SD-BASE-A":       {"ServiceDeliveryRequired", "Analytics2PAllowed", "Analytics3PDisallowed", "DataSharingDisallowed", "ProfilingDisallowed", "TrackingDisallowed"},
		"SD-BASE-AT":      {"ServiceDeliveryRequired", "Analytics2PAllowed", "Tracking2PAllowed", "Analytics3PDisallowed", "DataSharingDisallowed", "ProfilingDisallowed", "Tracking3PDisallowed"},
		"SD-BASE-ATP":     {"ServiceDeliveryRequired", "Analytics2PAllowed", "Profiling2PAllowed", "Tracking2PAllowed", "Analytics3PDisallowed", "DataSharingDisallowed", "Profiling3PDisallowed", "Tracking3PDisallowed"},
		"SD-BASE-ATP-S3P": {"ServiceDeliveryRequired", "Analytics2PAllowed", "DataSharingAnonymised3PAllowed", "Profiling2PAllowed", "Tracking2PAllowed", "Analytics3PDisallowed", "Profiling3PDisallowed", "SharingDataNonAnonymised3PDisallowed", "Tracking3PDisallowed"},
		"TPR":             {"ServiceDeliveryRequired", "DataSharingDisallowed"},
	}
	for _, id := range slices.Collect(maps.Keys(vocabulary)) {
		if id != "TPR" {
			vocabulary[id+"-DP"] = append([]string{"PortabilityRequired"}, vocabulary[id]...)
		}
	}
	vocabulary["TPR-IDENTITY-REF"] = append([]string{"IdentityVerification"}, vocabulary["TPR"]...) // is a TPR
	for id, terms := range vocabulary {
		var want, got []string
		for _, term := range terms {
			if rule[term] == "" {
				t.Fatalf("no rule for %s", term)
			}
			want = append(want, rule[term])
		}
		rules, _, ok := Rules(id)
		if !ok {
			t.Errorf("%s has no rules", id)
		}
		for _, r := range rules {
			if r.Name != "delivery" {
				got = append(got, r.Name)
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s:\ngot  %v\nwant %v", id, got, want)
		}
	}
	for _, entry := range protocol.Roster() {
		if rules, _, ok := Rules(entry.ID); !ok || len(rules) == 0 {
			t.Errorf("%s has no rules", entry.ID)
		}
	}
	listed := map[string]int{}
	for _, entry := range protocol.RulesOfRoster() {
		rules, _, _ := Rules(entry.ID)
		if len(rules) != len(entry.Rules) {
			t.Errorf("%s names a rule that isn't registered: %v", entry.ID, entry.Rules)
		}
		for _, r := range rules {
			listed[r.Name]++
		}
	}
	for _, r := range protocol.Rules() {
		if listed[r.Name] == 0 {
			t.Errorf("no agreement has the rule %s", r.Name)
		}
	}
	if _, _, ok := Rules("NO-SUCH"); ok {
		t.Error("rules of what isn't on the roster")
	}
}
