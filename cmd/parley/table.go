package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"
)

// idStart is how every ID of a record or deal begins.
const idStart = "bafyrei"

// shortID is what people see of an ID; commands take it.
func shortID(id string) string {
	id = strings.TrimPrefix(id, idStart)
	return id[:min(10, len(id))]
}

// when is a time as people read it: the machine's zone, to the minute.
func when(t time.Time) string { return t.Local().Format("2006-01-02 15:04") }

// clip cuts a text to a width and takes line breaks out of it. Others wrote it:
// what could move the cursor or change colours goes too.
func clip(text string, width int) string {
	text = clean(strings.Join(strings.Fields(text), " "))
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	return string([]rune(text)[:width-1]) + "…"
}

// clean leaves out control characters, which a terminal would obey, and those
// that turn the direction of writing around.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r < 0x20, r >= 0x7f && r < 0xa0, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			return -1
		}
		return r
	}, text)
}

// table aligns columns; the ones that end in numbers are aligned by pad.
type table struct{ w *tabwriter.Writer }

func newTable(w io.Writer) *table {
	return &table{tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)}
}

func (t *table) row(cells ...string) {
	fmt.Fprintln(t.w, strings.Join(cells, "\t"))
}

// list is a row for each value, named once.
func (t *table) list(name string, values []string) {
	for _, v := range values {
		t.row(name, v)
		name = ""
	}
}

func (t *table) flush() { _ = t.w.Flush() } // the writer below keeps the error

// right pads the texts from the left to the same width.
func right(texts []string) []string {
	width := 0
	for _, t := range texts {
		width = max(width, utf8.RuneCountInString(t))
	}
	out := make([]string, len(texts))
	for i, t := range texts {
		out[i] = strings.Repeat(" ", width-utf8.RuneCountInString(t)) + t
	}
	return out
}

// alignPoint fills amounts up so that, aligned to the right, their decimal
// points stand below each other.
func alignPoint(amounts []string) []string {
	fraction := func(text string) int {
		_, f, ok := strings.Cut(text, ".")
		if !ok {
			return 0
		}
		return len(f) + 1
	}
	longest := 0
	for _, a := range amounts {
		longest = max(longest, fraction(a))
	}
	out := make([]string, len(amounts))
	for i, a := range amounts {
		out[i] = a + strings.Repeat(" ", longest-fraction(a))
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
