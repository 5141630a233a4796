package terms

import (
	"fmt"
	"slices"
	"strings"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
)

// grants are what the agreements for service delivery may permit beyond it, by
// the letter or syllable of their IDs, in the words of the person who would
// grant it.
var grants = []struct{ mark, may string }{
	{"A", "use my data for its own analytics"},
	{"T", "track me"},
	{"P", "make a profile of me"},
	{"S3P", "give fully anonymised data to third parties"},
}

const portability = "DP"

// granted reads an ID of the service-delivery family: SD-BASE, the letters of
// what else is permitted, S3P, DP.
func granted(id string) (marks []string, ok bool) {
	rest, ok := strings.CutPrefix(id, protocol.TermsSDBase)
	if !ok || !Known(id) {
		return nil, false
	}
	for _, part := range strings.Split(strings.TrimPrefix(rest, "-"), "-") {
		if part == "S3P" || part == portability {
			marks = append(marks, part)
			continue
		}
		marks = append(marks, strings.Split(part, "")...)
	}
	return marks, true
}

// Differences says, in sentences of the person whose data it is about, what
// proposed terms have otherwise than those that were proffered: against the
// closest of these where they are of one family, and else side by side.
func Differences(proffered []record.TermsRef, proposed record.TermsRef) []string {
	to, ok := granted(proposed.Roster)
	var from []string
	closest := ""
	for _, ref := range proffered {
		marks, family := granted(ref.Roster)
		if ok && family && (closest == "" || apart(marks, to) < apart(from, to)) {
			from, closest = marks, ref.Roster
		}
	}
	if closest == "" {
		var out []string
		for _, ref := range proffered {
			out = append(out, "You asked for: "+Describe(ref))
		}
		return append(out, "The seller proposes: "+Describe(proposed))
	}
	out := []string{fmt.Sprintf("Compared with %s, which you asked for:", closest)}
	for _, g := range grants {
		switch had, has := slices.Contains(from, g.mark), slices.Contains(to, g.mark); {
		case !had && has:
			out = append(out, "The seller may also "+g.may+".")
		case had && !has:
			out = append(out, "The seller may no longer "+g.may+".")
		}
	}
	switch had, has := slices.Contains(from, portability), slices.Contains(to, portability); {
	case !had && has:
		out = append(out, "The seller must also give me a copy that I can take elsewhere.")
	case had && !has:
		out = append(out, "The seller need not give me a copy that I can take elsewhere.")
	}
	return out
}

// apart counts the marks that one of the two has alone.
func apart(a, b []string) (n int) {
	for _, m := range a {
		if !slices.Contains(b, m) {
			n++
		}
	}
	for _, m := range b {
		if !slices.Contains(a, m) {
			n++
		}
	}
	return n
}
