package draft

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/parley-protocol/parley/protocol"
)

// MaxDocument is the largest document that is read, in bytes.
const MaxDocument = 4 << 20

// Node is a place in a JSON document that may or may not be there. Real data
// has values of the wrong type in places: a Node answers with what can be used
// and a note says what could not.
type Node struct {
	value any
	path  string
	notes *Notes
}

// Read parses a whole JSON document. Numbers keep their digits. A document
// over [MaxDocument], broken JSON and anything after the document's end are
// refused.
func Read(data []byte, notes *Notes) (Node, error) {
	if len(data) > MaxDocument {
		return Node{}, Refuse(protocol.CodeTooLarge, "", "import one notice at a time",
			"the document has %d bytes and %d are read at most", len(data), MaxDocument)
	}
	dec := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil {
		return Node{}, Refuse(protocol.CodeMalformed, "", "check that the file is JSON and was saved whole",
			"this is not a JSON document: %w", readable(err, dec.InputOffset()))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Node{}, Refuse(protocol.CodeMalformed, "", "give a file with one document; of a list of documents, one line a file",
			"there is more after the end of the JSON document, at byte %d", dec.InputOffset())
	}
	return Node{value: value, notes: notes}, nil
}

// readable puts the place into an error of the JSON decoder.
func readable(err error, offset int64) error {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = syntax.Offset
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("it ends too early, at byte %d", offset)
	}
	return fmt.Errorf("%w, at byte %d", err, offset)
}

// Path is where the node is, for notes and errors.
func (n Node) Path() string { return n.path }

// Exists reports whether the document has something there other than null.
func (n Node) Exists() bool { return n.value != nil }

// Get is the member of an object.
func (n Node) Get(key string) Node {
	path := key
	if n.path != "" {
		path = n.path + "." + key
	}
	object, _ := n.value.(map[string]any)
	return Node{value: object[key], path: path, notes: n.notes}
}

// At descends through several members.
func (n Node) At(keys ...string) Node {
	for _, key := range keys {
		n = n.Get(key)
	}
	return n
}

// IsObject reports whether the node is a JSON object.
func (n Node) IsObject() bool {
	_, ok := n.value.(map[string]any)
	return ok
}

// Keys lists the members of an object, sorted.
func (n Node) Keys() []string {
	object, _ := n.value.(map[string]any)
	keys := make([]string, 0, len(object))
	for key := range object {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// List is the elements of an array. Anything else that is there counts as a
// list of one: publishers leave out the brackets.
func (n Node) List() []Node {
	switch value := n.value.(type) {
	case nil:
		return nil
	case []any:
		list := make([]Node, 0, len(value))
		for i, element := range value {
			if element != nil {
				list = append(list, Node{value: element, path: n.path + "[" + strconv.Itoa(i) + "]", notes: n.notes})
			}
		}
		return list
	default:
		return []Node{n}
	}
}

// Raw is the text of a string or a number, untouched; "" when there is none.
func (n Node) Raw() string {
	switch value := n.value.(type) {
	case string:
		return value
	case json.Number:
		return value.String()
	case nil:
		return ""
	default:
		n.notes.Addf(n.path, "%s was left out: a text was expected there, not %s", n.path, kind(value))
		return ""
	}
}

// Line is the text on one line, cleaned and cut to limit bytes.
func (n Node) Line(limit int) string { return n.cut(CleanLine(n.Raw()), limit) }

// Text is the text with its paragraphs, cleaned and cut to limit bytes.
func (n Node) Text(limit int) string { return n.cut(CleanText(n.Raw()), limit) }

func (n Node) cut(text string, limit int) string {
	short := Cut(text, limit)
	if short != text {
		n.notes.Addf(n.path, "%s was shortened from %s to %s bytes", n.path, thousands(len(text)), thousands(len(short)))
	}
	return short
}

func kind(value any) string {
	switch value.(type) {
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	case bool:
		return "true or false"
	default:
		return "this"
	}
}

// Rewrite is the node with its value replaced by what f makes of it.
func (n Node) Rewrite(f func(any) any) Node {
	n.value = f(n.value)
	return n
}
