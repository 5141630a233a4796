// Package draft is what the importers of foreign formats share: the draft of an
// intent with notes on what was changed on the way, a tolerant reader of other
// people's JSON, and the cleaning of text, numbers, times, places and units. It
// is pure: time is an argument.
package draft

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
)

// Draft is an intent made from a foreign document. Salt, ReplyTo, Terms and
// Awards are the caller's to fill in before it is signed.
type Draft struct {
	Intent *record.Intent
	Ext    map[string]any // proposal for the header's ext; public once published; may be nil
	Notes  []Note         // what was changed or left out, in the order of the fields read
}

// Note tells a person about one thing that the draft has otherwise than the
// document, or that they should know before publishing it.
type Note struct {
	Field string `json:"field"` // path in the document, e.g. "tender.items[3].quantity"
	Text  string `json:"text"`  // a sentence without the full stop
}

// Notes collects notes. A long document can give cause for thousands: of notes
// that say the same of the elements of a list only the first few are kept.
type Notes struct {
	list  []Note
	alike map[string]int // by what is said of which field, indexes aside
}

// keepAlike is how many notes that say the same are kept.
const keepAlike = 3

// Addf adds one note.
func (n *Notes) Addf(field, format string, args ...any) {
	if n.alike == nil {
		n.alike = make(map[string]int)
	}
	key := anyElement(field) + "\x00" + format
	if n.alike[key]++; n.alike[key] <= keepAlike {
		n.list = append(n.list, Note{Field: field, Text: fmt.Sprintf(format, args...)})
	}
}

// List is the notes, with a last line for each kind of which some were not kept.
func (n *Notes) List() []Note {
	list := slices.Clone(n.list)
	for _, key := range slices.Sorted(maps.Keys(n.alike)) {
		if more := n.alike[key] - keepAlike; more > 0 {
			field, _, _ := strings.Cut(key, "\x00")
			list = append(list, Note{Field: field, Text: fmt.Sprintf("and %s more notes like that on %s", thousands(more), field)})
		}
	}
	return list
}

// anyElement takes the indexes out of a path: "items[3].unit" is "items[].unit".
func anyElement(path string) string {
	var b strings.Builder
	inside := false
	for _, r := range path {
		if r == ']' {
			inside = false
		}
		if !inside {
			b.WriteRune(r)
		}
		inside = inside || r == '['
	}
	return b.String()
}

// Limits of an intent's texts, in bytes (spec/records.cddl).
const (
	MaxName            = 200
	MaxDescription     = 8000
	MaxItemName        = 500
	MaxItemDescription = 2000
	MaxPlace           = 100 // region and locality
	MaxIdentifier      = 256
)

// Options is what the caller knows and the document doesn't.
type Options struct {
	Now        int64  // the time of drafting, Unix seconds
	ValidUntil int64  // when set, takes the place of the document's deadline
	Market     string // the market to publish to; empty: for named sellers only
}

// Deadline settles how long offers are welcome: the override of the options or
// else the document's own deadline (0: it has none), cut to the longest life
// that an intent may have.
func Deadline(opt Options, deadline int64, field string, notes *Notes) (int64, error) {
	switch {
	case opt.ValidUntil != 0 && opt.ValidUntil <= opt.Now:
		return 0, Refuse(protocol.CodeBadField, "validUntil", "choose a date in the future",
			"%s lies in the past", day(opt.ValidUntil))
	case opt.ValidUntil > opt.Now+protocol.MaxIntentLife:
		return 0, Refuse(protocol.CodeLifeTooLong, "validUntil", fmt.Sprintf("choose %s or earlier", day(opt.Now+protocol.MaxIntentLife)),
			"a request lives for 180 days at most, and %s is later than that", day(opt.ValidUntil))
	case opt.ValidUntil != 0:
		if deadline != 0 && deadline != opt.ValidUntil {
			notes.Addf(field, "the document's own deadline, %s, was replaced by %s", day(deadline), day(opt.ValidUntil))
		}
		return opt.ValidUntil, nil
	case deadline == 0:
		return 0, Refuse(protocol.CodeMissingField, field, "give --until with a date",
			"the document names no deadline for offers")
	case deadline <= opt.Now:
		return 0, Refuse(protocol.CodeExpired, field, "give --until with a date in the future",
			"the deadline %s has passed", day(deadline))
	case deadline > opt.Now+protocol.MaxIntentLife:
		notes.Addf(field, "the deadline was brought forward from %s to %s: a request lives for 180 days at most", day(deadline), day(opt.Now+protocol.MaxIntentLife))
		return opt.Now + protocol.MaxIntentLife, nil
	}
	return deadline, nil
}

// Refuse makes a refusal with a hint of its own.
func Refuse(code protocol.Code, field, hint, format string, args ...any) error {
	err := protocol.Errorf(code, field, format, args...)
	err.Hint = hint
	return err
}
