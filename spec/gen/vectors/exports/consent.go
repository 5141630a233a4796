package main

import (
	"github.com/parley-protocol/parley/spec/gen/vectors/kit"
)

// rosterNames are those of the roster, and ruleWords the registry's summaries.
var (
	rosterNames = map[string]string{
		"PDC-AI":           "Personal Data Contribution for AI Training and Development",
		"PDC-INTENT":       "Personal Data Contribution for Intent Casting",
		"SD-BASE-A-DP":     "Service Delivery with Analytics, Data Portability",
		"SD-BASE-ATP-S3P":  "Service Delivery with Analytics, Tracking, Profiling and Sharing of Anonymised Data",
		"TPR-IDENTITY-REF": "Trusted Personal Relationship - Identity Reference",
	}
	ruleWords = map[string]string{
		"+train":      "The second party may train models with the data.",
		"+runAI":      "The second party may use the data in systems of AI.",
		"+answer":     "The second party may use the data to answer the request.",
		"+deliver":    "The second party may use the data to deliver the service.",
		"!deliver":    "The second party delivers the service.",
		"!identity":   "The second party vouches for an identity.",
		"!copy":       "The second party gives the person a copy to take elsewhere.",
		"+analytics":  "The second party may analyse how its service is used.",
		"+tracking":   "The second party may track the person.",
		"+profiling":  "The second party may make a profile of the person.",
		"+anonymous3": "The second party may give third parties what is fully anonymised.",
		"-analytics":  "Nobody analyses.",
		"-analytics3": "No third party analyses.",
		"-tracking":   "Nobody tracks the person.",
		"-tracking3":  "No third party tracks the person.",
		"-profiling":  "Nobody makes a profile of the person.",
		"-profiling3": "No third party makes a profile of the person.",
		"-share3":     "No third party gets the data.",
	}
	relations = map[byte][2]string{
		'+': {"dpv:hasProcess", "dpv:Permission"}, '-': {"dpv:hasProhibition", "dpv:Prohibition"}, '!': {"dpv:hasObligation", "dpv:Obligation"},
	}
)

// receipt is the consent receipt.
func (s scene) receipt() object {
	customer, vendor := kit.Customer.DID(), kit.Vendor.DID()
	name := s.confirmation.ID().String()
	record := object{
		"@id": ipfs(s.confirmation) + "#consent-record", "@type": "dpv:ConsentRecord",
		"dct:identifier": name, "dct:conformsTo": ref("https://w3id.org/dpv/schema/dpv-27560#record"),
		"dct:description":       "The agreement does not state storage locations, the retention period, jurisdiction, a method of withdrawal, recipients by name, or the parties' names and contacts.",
		"dpv:hasDataSubject":    object{"@id": customer, "@type": "dpv:DataSubject", "dct:identifier": customer},
		"dpv:hasDataController": object{"@id": vendor, "@type": "dpv:DataController", "dct:identifier": vendor},
		"dpv:hasLegalBasis":     ref(dpv + "Consent"),
		"dpv:hasConsentStatus": object{
			"@type": list{"dpv:ConsentGiven", "dpv:ExpressedConsent"}, "dpv:isIndicatedBy": ref(customer),
			"dpv:isIndicatedAtTime": moment(accepted), "dpv:hasIndicationMethod": ref(ipfs(s.acceptance)),
		},
	}
	if s.own != nil {
		record["ieee-7012:hasAgreement"] = ref(ipfs(s.terms))
		record["dpv:hasNotice"] = object{
			"@id": ipfs(s.terms), "@type": "dpv:ConsentNotice", "dct:title": "My terms", "dct:description": "Be kind.\nDelete soon.",
			"dct:language": "en", "dct:date": moment(termsAt),
		}
		record["dpv:hasProcess"] = list{object{
			"@type": "dpv:Process", "dpv:hasPersonalData": ref(dpv + "PersonalData"),
			"dpv:hasPurpose": object{"@type": "dpv:Purpose", "dct:description": "Be kind.\nDelete soon."},
		}}
	} else {
		record["ieee-7012:hasAgreement"] = ref(p7 + s.roster)
		record["dpv:hasNotice"] = object{
			"@id": p7 + s.roster, "@type": "dpv:ConsentNotice", "dct:title": rosterNames[s.roster],
			"dct:description": sentences[s.roster], "dct:language": "en",
		}
		if onlyThese[s.roster] {
			record["ieee-7012:hasDeonticInterpretation"] = ref(p7 + "ProhibitiveInterpretation")
		}
		for _, r := range rosterRules[s.roster] {
			how, c := relations[r[0]], clauses[r[1:]]
			process := object{"@type": list{"dpv:Process", how[1]}, "dct:description": ruleWords[r], "dpv:hasProcessing": ref(c.action)}
			if c.target == dpv+"AnonymisedData" {
				process["dpv:hasData"] = ref(c.target)
			} else {
				process["dpv:hasPersonalData"] = ref(c.target)
			}
			if c.purpose != "" {
				process["dpv:hasPurpose"] = ref(c.purpose)
			}
			if c.technology != "" {
				process["dpv:isImplementedUsingTechnology"] = ref(c.technology)
			}
			if c.recipient != "" {
				process["dpv:hasRecipient"] = ref(c.recipient)
			} else if r[0] != '-' {
				process["dpv:hasRecipient"] = ref(vendor)
			}
			all, _ := record[how[0]].(list)
			record[how[0]] = append(all, process)
		}
	}
	return object{
		"@context": object{
			"ai": "https://w3id.org/dpv/ai#", "dct": "http://purl.org/dc/terms/", "dpv": dpv, "ieee-7012": p7, "schema": "https://schema.org/",
		},
		"@id": ipfs(s.confirmation) + "#consent-receipt", "@type": "dpv:ConsentReceipt",
		"dct:identifier": name, "dct:conformsTo": ref("https://w3id.org/dpv/schema/dpv-27560#receipt"),
		"dct:created": moment(confirmed), "dct:publisher": ref(vendor), "dct:source": ref(ipfs(s.confirmation)),
		"schema:recipient": ref(customer), "dpv:hasRecordOfActivity": record,
	}
}
