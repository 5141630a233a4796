// Package ocds makes drafts of intents from public tenders in the Open
// Contracting Data Standard 1.1 (https://standard.open-contracting.org/1.1/).
// It is pure: time is an argument.
package ocds

import (
	"slices"
	"strings"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/draft"
	"github.com/parley-protocol/parley/protocol/record"
)

// Options is what the caller knows and the notice doesn't.
type Options struct {
	draft.Options
	AllowAwarded bool // take notices of awards and contracts as if they still asked for offers
}

// Draft makes the draft of an intent from one OCDS release, from a release
// package of one process, or from a record (package) with a compiled release or
// with releases; several of one process are merged. Everything that was changed or left out is in the notes; personal
// data and exact addresses are never taken over.
//
// Refusals, each with a hint: [protocol.CodeMalformed] for what isn't JSON,
// [protocol.CodeUnsupportedFormat] for what isn't OCDS,
// [protocol.CodeAmbiguous] for several releases, [protocol.CodeNotARequest] for
// awards and contracts, [protocol.CodeWithdrawn] for cancelled tenders,
// [protocol.CodeExpired] for deadlines that have passed, and
// [protocol.CodeMissingField] where title, deadline or classification is absent.
func Draft(data []byte, opt Options) (*draft.Draft, error) {
	notes := new(draft.Notes)
	document, err := draft.Read(data, notes)
	if err != nil {
		return nil, err
	}
	release, err := findRelease(document)
	if err != nil {
		return nil, err
	}
	tender := release.Get("tender")
	if err := checkStage(release, tender, opt.AllowAwarded, notes); err != nil {
		return nil, err
	}

	intent := &record.Intent{Market: opt.Market}
	if intent.Name = firstLine(draft.MaxName, tender.Get("title"), release.Get("title")); intent.Name == "" {
		return nil, draft.Refuse(protocol.CodeMissingField, "tender.title", "give the notice a title",
			"the notice has no title")
	}
	end := tender.At("tenderPeriod", "endDate")
	if intent.ValidUntil, err = draft.Deadline(opt.Options, end.Time(true), end.Path(), notes); err != nil {
		return nil, err
	}
	intent.Description = firstText(draft.MaxDescription, tender.Get("description"), release.Get("description"))
	intent.InLanguage = language(release.Get("language"), notes)

	goods := readGoods(tender, notes)
	intent.ItemOffered = goods.items(intent)
	intent.AreaServed = goods.area()
	if intent.Category = goods.categories; len(intent.Category) == 0 {
		return nil, draft.Refuse(protocol.CodeMissingField, "tender.classification", "add a classification, such as scheme CPV with its code",
			"the notice is not classified, and sellers find requests by their category")
	}
	intent.PriceSpecification = budget(tender, notes)
	intent.AvailabilityStarts, intent.AvailabilityEnds = period(tender, opt.Now, notes)
	if ocid := release.Get("ocid").Line(draft.MaxIdentifier); ocid != "" {
		intent.Identifier = []record.PropertyValue{{PropertyID: "ocid", Value: ocid}}
	}
	draft.Fit(intent, notes)
	ext := extension(release, tender, notes)
	noteRest(release, notes, "ocid", "id", "date", "tag", "initiationType", "language", "title", "description", "buyer", "tender")
	noteRest(tender, notes, "id", "title", "description", "status", "items", "lots", "value", "minValue", "classification", "additionalClassifications",
		"mainProcurementCategory", "procurementMethod", "procuringEntity", "tenderPeriod", "contractPeriod", "deliveryAddresses", "deliveryAddress")
	return &draft.Draft{Intent: intent, Ext: ext, Notes: notes.List()}, nil
}

// noteRest notes what of an object wasn't read.
func noteRest(node draft.Node, notes *draft.Notes, read ...string) {
	for _, key := range node.Keys() {
		if !slices.Contains(read, key) && node.Get(key).Exists() {
			path := draft.Cut(node.Get(key).Path(), 100)
			notes.Addf(path, "%s was left out: a request has no place for it", path)
		}
	}
}

// findRelease finds the one release of a document.
func findRelease(document draft.Node) (draft.Node, error) {
	switch {
	case !document.IsObject():
		return draft.Node{}, notOCDS()
	case document.Get("releases").Exists():
		releases := document.Get("releases").List()
		return oneOf(releases, "releases")
	case document.Get("records").Exists():
		records := document.Get("records").List()
		if len(records) != 1 {
			return draft.Node{}, several(len(records), "records")
		}
		return compiled(records[0])
	case document.Get("compiledRelease").Exists():
		return compiled(document)
	}
	return asRelease(document)
}

// oneOf is the only release of a list, or what those of one process come to.
func oneOf(releases []draft.Node, what string) (draft.Node, error) {
	if len(releases) == 1 {
		return asRelease(releases[0])
	}
	if len(releases) > 1 {
		if merged, ok := merge(releases); ok {
			return asRelease(merged)
		}
	}
	return draft.Node{}, several(len(releases), what)
}

func compiled(rec draft.Node) (draft.Node, error) {
	release := rec.Get("compiledRelease")
	if releases := rec.Get("releases").List(); !release.Exists() && len(releases) > 0 {
		return oneOf(releases, "releases")
	}
	if !release.Exists() {
		return draft.Node{}, draft.Refuse(protocol.CodeUnsupportedFormat, rec.Get("compiledRelease").Path(),
			"import the release of the tender stage instead", "the record has no compiled release")
	}
	return asRelease(release)
}

// asRelease takes an object for a release if it has what makes one.
func asRelease(release draft.Node) (draft.Node, error) {
	if release.Get("url").Exists() && !release.Get("ocid").Exists() {
		return draft.Node{}, draft.Refuse(protocol.CodeUnsupportedFormat, release.Path(),
			"download the release that it links to", "this only links to a release")
	}
	if !release.Get("ocid").Exists() && !(release.Get("tag").Exists() && release.Get("tender").Exists()) {
		return draft.Node{}, notOCDS()
	}
	return release, nil
}

func notOCDS() error {
	return draft.Refuse(protocol.CodeUnsupportedFormat, "", "give one release in the Open Contracting Data Standard 1.1",
		"this is JSON, but not an OCDS release: it has no ocid")
}

func several(n int, what string) error {
	if n == 0 {
		return draft.Refuse(protocol.CodeUnsupportedFormat, what, "give a package with one release", "the package is empty")
	}
	return draft.Refuse(protocol.CodeAmbiguous, what, "give a package with only the release to import",
		"the package holds %d %s, and one can be imported at a time", n, what)
}

// checkStage refuses what isn't, or is no longer, a request for offers.
func checkStage(release, tender draft.Node, allowAwarded bool, notes *draft.Notes) error {
	var tags []string
	for _, tag := range release.Get("tag").List() {
		tags = append(tags, tag.Line(40))
	}
	status := strings.ToLower(tender.Get("status").Line(40))
	stage := strings.Join(tags, ", ")

	switch {
	case status == "cancelled", status == "withdrawn", slices.Contains(tags, "tenderCancellation"):
		return draft.Refuse(protocol.CodeWithdrawn, "tender.status", "import another notice",
			"the buyer has taken this tender back; status: %s, tags: %s", status, stage)
	case status == "unsuccessful":
		return draft.Refuse(protocol.CodeNotARequest, "tender.status", "look for the buyer's next notice",
			"this tender ended without an award; status: %s, tags: %s", status, stage)
	case !tender.IsObject():
		return draft.Refuse(protocol.CodeNotARequest, "tender", "import the notice of the tender stage",
			"this notice has no tender section; tags: %s", stage)
	}

	past := ""
	for _, tag := range tags {
		if past == "" {
			past = pastStage(tag)
		}
	}
	if past == "" && status == "complete" {
		past = "a tender that is complete"
	}
	// A compiled release carries what came after the tender without a tag for it.
	if past == "" && len(release.Get("awards").List()) > 0 {
		past = "an award that was already made"
	}
	if past != "" && !allowAwarded {
		return draft.Refuse(protocol.CodeNotARequest, "tag", "give --as-request to ask for the same again",
			"this notice announces %s, not a request; tags: %s", past, stage)
	}
	if past != "" {
		notes.Addf("tag", "the notice announces %s; it was taken as a request for the same", past)
	}
	if slices.Contains(tags, "planning") || status == "planning" || status == "planned" {
		notes.Addf("tag", "the notice announces a plan: the buyer may not take offers yet")
	}
	return nil
}

// pastStage says what a tag announces that comes after the request, "" if the
// tag belongs to a request.
func pastStage(tag string) string {
	switch tag {
	case "award", "awardUpdate":
		return "an award that was already made"
	case "awardCancellation":
		return "an award that was cancelled"
	case "contract", "contractUpdate", "contractAmendment":
		return "a contract that was already made"
	case "contractTermination":
		return "a contract that has ended"
	case "implementation", "implementationUpdate":
		return "the delivery of a contract"
	}
	return ""
}

// extension proposes what the notice says beyond an intent's fields: the buyer,
// a public body, and how it buys.
func extension(release, tender draft.Node, notes *draft.Notes) map[string]any {
	facts := map[string]any{}
	buyer := map[string]any{}
	if name := firstLine(draft.MaxName, release.At("buyer", "name"), tender.At("procuringEntity", "name")); name != "" {
		buyer["name"] = name
		notes.Addf("buyer", "the buyer's name, %s, will be public in the request", name)
		if id := firstLine(64, release.At("buyer", "id"), tender.At("procuringEntity", "id")); id != "" {
			buyer["id"] = id
		}
		facts["buyer"] = buyer
	}
	for _, key := range [...]string{"mainProcurementCategory", "procurementMethod"} {
		if text := tender.Get(key).Line(40); text != "" {
			facts[key] = text
		}
	}
	if len(facts) == 0 {
		return nil
	}
	return map[string]any{"ocds": facts}
}

func language(n draft.Node, notes *draft.Notes) string {
	raw := n.Line(draft.MaxName)
	tag := draft.Language(raw)
	if raw != "" && tag == "" {
		notes.Addf(n.Path(), "%q is not a language tag and was left out", draft.Cut(raw, 40))
	}
	return tag
}

// firstLine is the first of several fields that has a text, on one line.
func firstLine(limit int, fields ...draft.Node) string {
	for _, field := range fields {
		if text := field.Line(limit); text != "" {
			return text
		}
	}
	return ""
}

// firstText is the first of several fields that has a text, with paragraphs.
func firstText(limit int, fields ...draft.Node) string {
	for _, field := range fields {
		if text := field.Text(limit); text != "" {
			return text
		}
	}
	return ""
}
