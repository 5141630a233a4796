package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../.."

// Every mutant can be planted in the source as it is; every document but the
// overview has one, and one that is quick.
func TestMutantsCanBePlanted(t *testing.T) {
	all, err := load(root)
	if err != nil {
		t.Fatal(err)
	}
	quick := map[string]int{}
	for _, m := range all {
		text, err := os.ReadFile(filepath.Join(root, m.file))
		if err != nil {
			t.Errorf("%s: %v", m.name, err)
			continue
		}
		if _, err := m.plant(string(text)); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
		document, _, _ := strings.Cut(m.name, "/")
		if m.quick {
			quick[document]++
		}
	}
	documents, err := filepath.Glob(filepath.Join(root, "spec", "[0-9]*.md"))
	if err != nil || len(documents) < 10 {
		t.Fatal(documents, err)
	}
	for _, path := range documents[1:] {
		if document := strings.TrimSuffix(filepath.Base(path), ".md"); quick[document] != 1 {
			t.Errorf("%s has %d quick mutants, want 1", document, quick[document])
		}
	}
}

func TestPlant(t *testing.T) {
	const head = "What is wrong.\n\nbreaks: A-1\nfile: x.go\ntest: ./x TestX\n\n"
	const source = "a\n\tb\nc\n\tb\nd\n"
	for _, c := range []struct{ name, change, want, err string }{
		{name: "a line", change: "-c\n+C\n", want: "a\n\tb\nC\n\tb\nd\n"},
		{name: "with a neighbour", change: " c\n-\tb\n", want: "a\n\tb\nc\nd\n"},
		{name: "two changes", change: "-a\n@@\n-d\n+D\n", want: "\tb\nc\n\tb\nD\n"},
		{name: "gone", change: "-e\n", err: "any more"},
		{name: "part of a line", change: "-b\n", err: "any more"},
		{name: "not the only one", change: "-\tb\n", err: "more than once"},
		{name: "nothing", change: " a\n", err: "changes nothing"},
		{name: "nowhere", change: "+a\n", err: "changes nothing"},
		{name: "odd", change: "?a\n", err: "none of"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := parse(head + c.change)
			got := ""
			if err == nil {
				got, err = m.plant(source)
			}
			if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	for _, text := range []string{"", "What.\n\nbreaks: A-1\n\n-a\n", "What.\n\nbreaks: A-1\nfile: x\ntest: ./x\n\n-a\n", "What.\n\nodd: 1\n\n-a\n"} {
		if _, err := parse(text); err == nil {
			t.Errorf("%q is a mutant", text)
		}
	}
}
