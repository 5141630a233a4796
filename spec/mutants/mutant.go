package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// mutant is one planted violation.
type mutant struct {
	path   string // of its file
	name   string // document/name
	what   string // the sentence
	breaks string // a requirement of the document
	file   string // the source that is changed
	pkg    string // the package of the test that must fail
	test   string
	quick  bool // one for each document
	hunks  []hunk
}

// hunk is one change: old stands in the file just once.
type hunk struct{ old, new string }

const folder = "spec/mutants"

// load reads all mutants, by name, and holds each against the document whose
// folder it is in.
func load(root string) ([]*mutant, error) {
	paths, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(folder), "*", "*.mutant"))
	if err != nil {
		return nil, err
	}
	slices.Sort(paths)
	var all []*mutant
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		document := filepath.Base(filepath.Dir(path))
		m, err := parse(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		m.path = path
		m.name = document + "/" + strings.TrimSuffix(filepath.Base(path), ".mutant")
		stated, err := os.ReadFile(filepath.Join(root, "spec", document+".md"))
		if err != nil {
			return nil, fmt.Errorf("%s: its folder is no document: %w", path, err)
		}
		if !requires(string(stated), m.breaks) {
			return nil, fmt.Errorf("%s: %s.md states no %s", path, document, m.breaks)
		}
		all = append(all, m)
	}
	return all, nil
}

// requires tells whether a document states a requirement.
func requires(document, id string) bool {
	return regexp.MustCompile(`(?m)(?:^- |\| )\[` + regexp.QuoteMeta(id) + `\]`).MatchString(document)
}

func parse(text string) (*mutant, error) {
	what, rest, ok := strings.Cut(text, "\n\n")
	head, body, ok2 := strings.Cut(rest, "\n\n")
	if !ok || !ok2 {
		return nil, fmt.Errorf("a mutant is a sentence, a head and a change, with an empty line between them")
	}
	m := &mutant{what: strings.TrimSpace(what)}
	for line := range strings.Lines(head) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			return nil, fmt.Errorf("%q is no line of a head", line)
		}
		switch key {
		case "breaks":
			m.breaks = value
		case "file":
			m.file = value
		case "test":
			m.pkg, m.test, _ = strings.Cut(value, " ")
		case "quick":
			m.quick = value == "yes"
		default:
			return nil, fmt.Errorf("a head has no %q", key)
		}
	}
	if m.breaks == "" || m.file == "" || m.pkg == "" || m.test == "" {
		return nil, fmt.Errorf("the head needs breaks, file, and test with a package and a name")
	}
	var h hunk
	for line := range strings.Lines(body) {
		content := ""
		if len(line) > 1 {
			content = line[1:]
		}
		switch {
		case line == "@@\n":
			m.hunks = append(m.hunks, h)
			h = hunk{}
		case line == "\n":
			h.old += "\n"
			h.new += "\n"
		case line[0] == ' ':
			h.old += content
			h.new += content
		case line[0] == '-':
			h.old += content
		case line[0] == '+':
			h.new += content
		default:
			return nil, fmt.Errorf("%q begins with none of space, - and +", line)
		}
	}
	m.hunks = append(m.hunks, h)
	for _, h := range m.hunks {
		if strings.TrimSpace(h.old) == "" || h.old == h.new {
			return nil, fmt.Errorf("a change that changes nothing, or nowhere")
		}
	}
	return m, nil
}

// plant changes the source.
func (m *mutant) plant(text string) (string, error) {
	for _, h := range m.hunks {
		switch strings.Count("\n"+text, "\n"+h.old) {
		case 0:
			return "", fmt.Errorf("%s doesn't have these lines any more; plant the violation anew:\n%s", m.file, h.old)
		case 1:
			text = strings.Replace("\n"+text, "\n"+h.old, "\n"+h.new, 1)[1:]
		default:
			return "", fmt.Errorf("%s has these lines more than once; give some of those around them:\n%s", m.file, h.old)
		}
	}
	return text, nil
}

// writeOverlay writes the changed file, and the file that names it to the
// compiler.
func writeOverlay(dir, source, changed string) (path string, err error) {
	replacement := filepath.Join(dir, filepath.Base(source))
	if err := os.WriteFile(replacement, []byte(changed), 0o600); err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{source: replacement}})
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, overlay, 0o600)
}
