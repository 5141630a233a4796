// Code generated from spec/registry/rules.csv by spec/gen. DO NOT EDIT.

package protocol

// Rule is what one clause of an agreement permits, prohibits or obliges the second
// party to, in IRIs of the Data Privacy Vocabulary 2.3. "" means any.
type Rule struct {
	Name       string // as in roster-rules.csv
	Kind       string // permission, prohibition or obligation
	Action     string // a dpv:Processing
	Target     string // a dpv:Data
	Purpose    string // a dpv:Purpose
	Recipient  string // a class of entities
	Technology string // a dpv:Technology
	Summary    string // what it says, a sentence
}

// Rules lists the rules in the order of their names.
func Rules() []Rule {
	return []Rule{
		{Name: "ai-training", Kind: "permission", Action: "https://w3id.org/dpv/ai#ModelTraining", Target: "https://w3id.org/dpv#PersonalData", Summary: "The second party may train models with the data."},
		{Name: "ai-use", Kind: "permission", Action: "https://w3id.org/dpv#Use", Target: "https://w3id.org/dpv#PersonalData", Technology: "https://w3id.org/dpv/ai#AISystem", Summary: "The second party may use the data in systems of AI."},
		{Name: "analytics", Kind: "permission", Action: "https://w3id.org/dpv#Processing", Target: "https://w3id.org/dpv#PersonalData", Purpose: "https://w3id.org/dpv/standards/ieee/7012#ServiceAnalytics", Summary: "The second party may analyse how its service is used."},
		{Name: "anonymised-sharing", Kind: "permission", Action: "https://w3id.org/dpv#Share", Target: "https://w3id.org/dpv#AnonymisedData", Recipient: "https://w3id.org/dpv/standards/ieee/7012#ThirdParty", Summary: "The second party may give third parties what is fully anonymised."},
		{Name: "answering", Kind: "permission", Action: "https://w3id.org/dpv#Processing", Target: "https://w3id.org/dpv#PersonalData", Purpose: "https://w3id.org/dpv#RequestedServiceProvision", Summary: "The second party may use the data to answer the request."},
		{Name: "delivery", Kind: "permission", Action: "https://w3id.org/dpv#Processing", Target: "https://w3id.org/dpv#PersonalData", Purpose: "https://w3id.org/dpv/standards/ieee/7012#ServiceDelivery", Summary: "The second party may use the data to deliver the service."},
		{Name: "delivery-due", Kind: "obligation", Action: "https://w3id.org/dpv#Processing", Target: "https://w3id.org/dpv#PersonalData", Purpose: "https://w3id.org/dpv/standards/ieee/7012#ServiceDelivery", Summary: "The second party delivers the service."},
		{Name: "identity-due", Kind: "obligation", Action: "https://w3id.org/dpv#Processing", Target: "https://w3id.org/dpv#PersonalData", Purpose: "https://w3id.org/dpv#IdentityVerification", Summary: "The second party vouches for an identity."},
		{Name: "no-analytics", Kind: "prohibition", Action: "https://w3id.org/dpv#Processing", Target: "https://w3id.org/dpv#PersonalData", Purpose: "https://w3id.org/dpv/standards/ieee/7012#ServiceAnalytics", Summary: "Nobody analyses."},
		{Name: "no-analytics-by-others", Kind: "prohibition", Action: "https://w3id.org/dpv#Processing", Target: "https://w3id.org/dpv#PersonalData", Purpose: "https://w3id.org/dpv/standards/ieee/7012#ServiceAnalytics", Recipient: "https://w3id.org/dpv/standards/ieee/7012#ThirdParty", Summary: "No third party analyses."},
		{Name: "no-profiling", Kind: "prohibition", Action: "https://w3id.org/dpv#Profiling", Target: "https://w3id.org/dpv#PersonalData", Summary: "Nobody makes a profile of the person."},
		{Name: "no-profiling-by-others", Kind: "prohibition", Action: "https://w3id.org/dpv#Profiling", Target: "https://w3id.org/dpv#PersonalData", Recipient: "https://w3id.org/dpv/standards/ieee/7012#ThirdParty", Summary: "No third party makes a profile of the person."},
		{Name: "no-sharing", Kind: "prohibition", Action: "https://w3id.org/dpv#Share", Target: "https://w3id.org/dpv#PersonalData", Recipient: "https://w3id.org/dpv/standards/ieee/7012#ThirdParty", Summary: "No third party gets the data."},
		{Name: "no-tracking", Kind: "prohibition", Action: "https://w3id.org/dpv#Tracking", Target: "https://w3id.org/dpv#PersonalData", Summary: "Nobody tracks the person."},
		{Name: "no-tracking-by-others", Kind: "prohibition", Action: "https://w3id.org/dpv#Tracking", Target: "https://w3id.org/dpv#PersonalData", Recipient: "https://w3id.org/dpv/standards/ieee/7012#ThirdParty", Summary: "No third party tracks the person."},
		{Name: "portability-due", Kind: "obligation", Action: "https://w3id.org/dpv#Share", Target: "https://w3id.org/dpv/standards/ieee/7012#ServiceData", Recipient: "https://w3id.org/dpv/standards/ieee/7012#Person", Summary: "The second party gives the person a copy to take elsewhere."},
		{Name: "profiling", Kind: "permission", Action: "https://w3id.org/dpv#Profiling", Target: "https://w3id.org/dpv#PersonalData", Summary: "The second party may make a profile of the person."},
		{Name: "public-good", Kind: "permission", Action: "https://w3id.org/dpv#Processing", Target: "https://w3id.org/dpv#PersonalData", Purpose: "https://w3id.org/dpv#PublicBenefit", Summary: "The second party may use the data for the public good."},
		{Name: "tracking", Kind: "permission", Action: "https://w3id.org/dpv#Tracking", Target: "https://w3id.org/dpv#PersonalData", Summary: "The second party may track the person."},
	}
}
