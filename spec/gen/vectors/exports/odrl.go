package main

import (
	"github.com/parley-protocol/parley/spec/gen/vectors/kit"
)

const (
	dpv  = "https://w3id.org/dpv#"
	p7   = "https://w3id.org/dpv/standards/ieee/7012#"
	odrl = "http://www.w3.org/ns/odrl/2/"
)

// sentences are those of the roster.
var sentences = map[string]string{
	"PDC-AI":             "You may use what I tell you to train and run AI.",
	"PDC-GOOD":           "You may use what I tell you for the public good.",
	"PDC-INTENT":         "Use what I tell you only to answer this request.",
	"SD-BASE":            "Use my data only to deliver the service: no analytics, no tracking, no profiling, and nothing to third parties.",
	"SD-BASE-A":          "Use my data to deliver the service and for your own analytics: no tracking, no profiling, and nothing to third parties.",
	"SD-BASE-A-DP":       "Use my data to deliver the service and for your own analytics: no tracking, no profiling, and nothing to third parties. Give me a copy that I can take elsewhere.",
	"SD-BASE-AT":         "Use my data to deliver the service and for your own analytics and tracking: no profiling, and nothing to third parties.",
	"SD-BASE-AT-DP":      "Use my data to deliver the service and for your own analytics and tracking: no profiling, and nothing to third parties. Give me a copy that I can take elsewhere.",
	"SD-BASE-ATP":        "Use my data to deliver the service and for your own analytics, tracking and profiling: nothing to third parties.",
	"SD-BASE-ATP-DP":     "Use my data to deliver the service and for your own analytics, tracking and profiling: nothing to third parties. Give me a copy that I can take elsewhere.",
	"SD-BASE-ATP-S3P":    "Use my data to deliver the service and for your own analytics, tracking and profiling: to third parties only what is fully anonymised.",
	"SD-BASE-ATP-S3P-DP": "Use my data to deliver the service and for your own analytics, tracking and profiling: to third parties only what is fully anonymised. Give me a copy that I can take elsewhere.",
	"SD-BASE-DP":         "Use my data only to deliver the service: no analytics, no tracking, no profiling, and nothing to third parties. Give me a copy that I can take elsewhere.",
	"TPR":                "This is between two people, as we agree between ourselves.",
	"TPR-IDENTITY-REF":   "A person who knows me vouches for who I am.",
}

// onlyThese prohibit what they do not permit.
var onlyThese = map[string]bool{"PDC-INTENT": true, "SD-BASE": true, "SD-BASE-DP": true}

// rosterRules are the agreements as the definitions of DPV 2.3 word them:
// + permits, - prohibits, ! obliges; 3 is for third parties alone.
var rosterRules = map[string][]string{
	"PDC-AI":             {"+train", "+runAI"},
	"PDC-GOOD":           {"+good"},
	"PDC-INTENT":         {"+answer", "-analytics", "-tracking", "-profiling", "-share3"},
	"SD-BASE":            {"!deliver", "+deliver", "-analytics", "-tracking", "-profiling", "-share3"},
	"SD-BASE-A":          {"!deliver", "+deliver", "+analytics", "-analytics3", "-tracking", "-profiling", "-share3"},
	"SD-BASE-A-DP":       {"!deliver", "!copy", "+deliver", "+analytics", "-analytics3", "-tracking", "-profiling", "-share3"},
	"SD-BASE-AT":         {"!deliver", "+deliver", "+analytics", "+tracking", "-analytics3", "-tracking3", "-profiling", "-share3"},
	"SD-BASE-AT-DP":      {"!deliver", "!copy", "+deliver", "+analytics", "+tracking", "-analytics3", "-tracking3", "-profiling", "-share3"},
	"SD-BASE-ATP":        {"!deliver", "+deliver", "+analytics", "+tracking", "+profiling", "-analytics3", "-tracking3", "-profiling3", "-share3"},
	"SD-BASE-ATP-DP":     {"!deliver", "!copy", "+deliver", "+analytics", "+tracking", "+profiling", "-analytics3", "-tracking3", "-profiling3", "-share3"},
	"SD-BASE-ATP-S3P":    {"!deliver", "+deliver", "+analytics", "+tracking", "+profiling", "+anonymous3", "-analytics3", "-tracking3", "-profiling3", "-share3"},
	"SD-BASE-ATP-S3P-DP": {"!deliver", "!copy", "+deliver", "+analytics", "+tracking", "+profiling", "+anonymous3", "-analytics3", "-tracking3", "-profiling3", "-share3"},
	"SD-BASE-DP":         {"!deliver", "!copy", "+deliver", "-analytics", "-tracking", "-profiling", "-share3"},
	"TPR":                {"!deliver", "-share3"},
	"TPR-IDENTITY-REF":   {"!deliver", "!identity", "-share3"},
}

// clause is what a rule above says, without its sign.
type clause struct{ action, target, purpose, recipient, technology string }

var clauses = map[string]clause{
	"train":      {"https://w3id.org/dpv/ai#ModelTraining", dpv + "PersonalData", "", "", ""},
	"runAI":      {dpv + "Use", dpv + "PersonalData", "", "", "https://w3id.org/dpv/ai#AISystem"},
	"good":       {dpv + "Processing", dpv + "PersonalData", dpv + "PublicBenefit", "", ""},
	"answer":     {dpv + "Processing", dpv + "PersonalData", dpv + "RequestedServiceProvision", "", ""},
	"deliver":    {dpv + "Processing", dpv + "PersonalData", p7 + "ServiceDelivery", "", ""},
	"identity":   {dpv + "Processing", dpv + "PersonalData", dpv + "IdentityVerification", "", ""},
	"copy":       {dpv + "Share", p7 + "ServiceData", "", p7 + "Person", ""},
	"analytics":  {dpv + "Processing", dpv + "PersonalData", p7 + "ServiceAnalytics", "", ""},
	"analytics3": {dpv + "Processing", dpv + "PersonalData", p7 + "ServiceAnalytics", p7 + "ThirdParty", ""},
	"tracking":   {dpv + "Tracking", dpv + "PersonalData", "", "", ""},
	"tracking3":  {dpv + "Tracking", dpv + "PersonalData", "", p7 + "ThirdParty", ""},
	"profiling":  {dpv + "Profiling", dpv + "PersonalData", "", "", ""},
	"profiling3": {dpv + "Profiling", dpv + "PersonalData", "", p7 + "ThirdParty", ""},
	"share3":     {dpv + "Share", dpv + "PersonalData", "", p7 + "ThirdParty", ""},
	"anonymous3": {dpv + "Share", dpv + "AnonymisedData", "", p7 + "ThirdParty", ""},
}

var signs = map[byte]string{'+': "permission", '-': "prohibition", '!': "obligation"}

// names, prefixed names, are written out here as the context of a document has them.
var terms = map[string]any{
	"dct": "http://purl.org/dc/terms/", "ieee-7012": p7,
	"uid": "@id", "Agreement": odrl + "Agreement", "eq": odrl + "eq", "isA": odrl + "isA", "prohibit": odrl + "prohibit",
	"purpose": odrl + "purpose", "recipient": odrl + "recipient", "rightOperand": odrl + "rightOperand", "reviewPolicy": odrl + "reviewPolicy",
	"assigner": id("assigner"), "assignee": id("assignee"), "target": id("target"), "constraint": id("constraint"), "profile": id("profile"),
	"permission": id("permission"), "prohibition": id("prohibition"), "obligation": id("obligation"), "inheritFrom": id("inheritFrom"),
	"duty": id("duty"), "refinement": id("refinement"),
	"action": vocab("action"), "conflict": vocab("conflict"), "leftOperand": vocab("leftOperand"), "operator": vocab("operator"),
	"use": odrl + "use", "sell": odrl + "sell", "Set": odrl + "Set", "lteq": odrl + "lteq", "elapsedTime": odrl + "elapsedTime", "delete": odrl + "delete",
	"odrl": odrl, "xsd": "http://www.w3.org/2001/XMLSchema#", "dpv": dpv, "type": "@type", "count": odrl + "count",
}

func id(term string) object    { return object{"@id": odrl + term, "@type": "@id"} }
func vocab(term string) object { return object{"@id": odrl + term, "@type": "@vocab"} }

func addContext(doc object, names []string) {
	context := doc["@context"].(object)
	for _, name := range names {
		if terms[name] == nil {
			panic("no term " + name)
		}
		context[name] = terms[name]
	}
}

// policy is the ODRL Agreement.
func (s scene) policy() object {
	doc := object{
		"@context": object{}, "@type": "Agreement", "uid": ipfs(s.confirmation),
		"assigner": kit.Customer.DID(), "assignee": kit.Vendor.DID(), "conflict": "prohibit",
		"dct:identifier": s.confirmation.ID().String(), "dct:issued": moment(confirmed),
		"dct:references": list{ref(ipfs(s.intent)), ref(ipfs(s.offer)), ref(ipfs(s.acceptance))},
	}
	addContext(doc, []string{"Agreement", "uid", "assigner", "assignee", "conflict", "prohibit", "dct", "ieee-7012", "action", "target"})
	if s.own != nil {
		iri := ipfs(s.terms)
		doc["ieee-7012:hasAgreement"] = object{
			"@id": iri, "@type": "ieee-7012:Agreement", "dct:title": "My terms", "dct:description": "Be kind.\nDelete soon.",
			"dct:language": "en", "dct:relation": ref(p7 + "SD-BASE"),
		}
		doc["obligation"] = list{object{"action": "reviewPolicy", "target": iri}}
		addContext(doc, []string{"obligation", "reviewPolicy"})
		return doc
	}
	doc["profile"] = "https://w3id.org/dpv/mappings/odrl"
	doc["dct:description"] = sentences[s.roster]
	doc["ieee-7012:hasAgreement"] = ref(p7 + s.roster)
	addContext(doc, []string{"profile"})
	if onlyThese[s.roster] {
		doc["ieee-7012:hasDeonticInterpretation"] = ref(p7 + "ProhibitiveInterpretation")
	}
	for _, r := range rosterRules[s.roster] {
		kind, c := signs[r[0]], clauses[r[1:]]
		rule := object{"action": c.action, "target": c.target}
		limit := func(left, operator, right string, names ...string) {
			if right != "" {
				all, _ := rule["constraint"].(list)
				rule["constraint"] = append(all, object{"leftOperand": left, "operator": operator, "rightOperand": ref(right)})
				addContext(doc, append(names, "constraint", "leftOperand", "operator", "rightOperand", operator))
			}
		}
		limit("purpose", "eq", c.purpose, "purpose")
		limit("recipient", "isA", c.recipient, "recipient")
		limit("https://w3id.org/dpv/mappings/odrl#Technology", "isA", c.technology)
		all, _ := doc[kind].(list)
		doc[kind] = append(all, rule)
		addContext(doc, []string{kind})
	}
	return doc
}

// ownPolicy is a policy in terms of one's own and how the export carries it.
type ownPolicy struct {
	name    string
	policy  kit.Map
	carried func(doc object)
	context []string // what it adds to the export's context
}

func policies() []ownPolicy {
	inherit := func(policy object) func(object) {
		return func(doc object) { doc["inheritFrom"] = policy }
	}
	literal := func(policy any) func(object) {
		return func(doc object) {
			doc["ieee-7012:hasAgreement"].(object)["ieee-7012:hasMachineReadableFormat"] = object{"@type": "@json", "@value": policy}
		}
	}
	link := kit.SomeID("something")
	return []ownPolicy{
		{
			"policy", kit.Map{
				"@context": "http://www.w3.org/ns/odrl.jsonld", "@type": "Set", "uid": "https://example.com/policy/1",
				"permission": kit.List{kit.Map{"action": "use", "target": "https://example.com/data", "duty": kit.List{kit.Map{"action": "delete"}}}},
			},
			inherit(object{
				"@type": "Set", "uid": "https://example.com/policy/1",
				"permission": list{object{"action": "use", "target": "https://example.com/data", "duty": list{object{"action": "delete"}}}},
			}),
			[]string{"inheritFrom", "Set", "permission", "use", "duty", "delete"},
		},
		{
			"policy-without-a-context", kit.Map{
				"permission": kit.List{kit.Map{"action": "use", "constraint": kit.Map{"leftOperand": "count", "operator": "lteq", "rightOperand": 3}}},
				"big":        int64(1) << 60,
			},
			literal(object{
				"permission": list{object{"action": "use", "constraint": object{"leftOperand": "count", "operator": "lteq", "rightOperand": 3}}},
				"big":        object{"@type": "http://www.w3.org/2001/XMLSchema#integer", "@value": "1152921504606846976"},
			}),
			[]string{"permission", "use", "constraint", "leftOperand", "count", "operator", "lteq", "rightOperand"},
		},
		{
			"policy-with-names-of-its-own", kit.Map{
				"@context":    kit.List{"http://www.w3.org/ns/odrl.jsonld", kit.Map{"ex": "https://example.com/ns#", "why": kit.Map{"@id": "https://example.com/ns#why", "@type": "@id"}}},
				"@type":       "Set",
				"prohibition": kit.List{kit.Map{"action": "sell", "target": "https://example.com/data", "ex:note": "never", "why": "https://example.com/because"}},
			},
			inherit(object{
				"@context":    list{object{"ex": "https://example.com/ns#", "why": object{"@id": "https://example.com/ns#why", "@type": "@id"}}},
				"@type":       "Set",
				"prohibition": list{object{"action": "sell", "target": "https://example.com/data", "ex:note": "never", "why": "https://example.com/because"}},
			}),
			[]string{"inheritFrom", "Set", "prohibition", "sell"},
		},
		{
			"policy-of-a-context-elsewhere",
			kit.Map{"@context": "https://example.com/context.jsonld", "@type": "Set", "permission": kit.List{kit.Map{"action": "use"}}},
			literal(object{"@context": "https://example.com/context.jsonld", "@type": "Set", "permission": list{object{"action": "use"}}}),
			[]string{"Set", "permission", "use"},
		},
		{
			"policy-with-an-action-that-is-no-name",
			kit.Map{"@type": "Set", "permission": kit.List{kit.Map{"action": "dance"}}},
			literal(object{"@type": "Set", "permission": list{object{"action": "dance"}}}),
			[]string{"Set", "permission"},
		},
		{
			"policy-with-bytes-and-a-link",
			kit.Map{"@type": "Set", "obligation": kit.List{kit.Map{"action": "delete", "target": link, "dct:source": []byte{1, 2, 255}}}},
			inherit(object{"@type": "Set", "obligation": list{object{
				"action": "delete", "target": ref("ipfs://" + link.String()),
				"dct:source": object{"@type": "http://www.w3.org/2001/XMLSchema#base64Binary", "@value": "AQL/"},
			}}}),
			[]string{"inheritFrom", "Set", "delete"},
		},
	}
}
