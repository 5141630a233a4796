package draft

import (
	"strings"
	"time"
)

// layouts are the forms of a date-time met in the wild, with RFC 3339 first.
var layouts = [...]string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02"}

// Time reads a date-time as Unix seconds. One without a zone is taken as UTC
// with a note; a bare date is its first second, or its last when endOfDay is
// set. What is no date or lies outside 1970–9999 is left out with a note, and 0
// returned.
func (n Node) Time(endOfDay bool) int64 {
	text := strings.TrimSpace(n.Raw())
	if text == "" {
		return 0
	}
	for i, layout := range layouts {
		at, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		if layout == time.DateOnly && endOfDay {
			at = at.Add(24*time.Hour - time.Second)
		}
		if i >= 2 {
			n.notes.Addf(n.path, "%s has no time zone and was read as %s UTC", n.path, at.Format("2006-01-02 15:04"))
		}
		if seconds := at.Unix(); seconds > 0 && seconds <= 253402300799 {
			return seconds
		}
		break
	}
	n.notes.Addf(n.path, "%s was left out: %q is not a date that a record can hold", n.path, Cut(text, 40))
	return 0
}

// Availability settles a period of delivery or service: one that runs backwards
// or is over by now is left out with a note.
func Availability(starts, ends, now int64, field string, notes *Notes) (int64, int64) {
	switch {
	case ends != 0 && starts > ends:
		notes.Addf(field, "the period from %s to %s runs backwards and was left out", day(starts), day(ends))
		return 0, 0
	case ends != 0 && ends <= now:
		notes.Addf(field, "the period ended on %s and was left out", day(ends))
		return 0, 0
	}
	return starts, ends
}

func day(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(time.DateOnly) }
