package spec_test

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol/codec"
)

// schema is as much of CDDL (RFC 8610) as records.cddl uses, run over the values
// that the codec decodes. It shares nothing with the code that it is compared
// with but these values.
type schema struct {
	types  map[string]matcher
	groups map[string][]entry
}

// matcher reports whether a value is of a type.
type matcher func(value any) bool

// entry is one line of a group.
type entry struct {
	min, max int
	key      string // of a map's entry
	rest     bool   // * tstr => value: the entries under other keys
	group    string // a name that may be a group's
	value    matcher
}

var cddlToken = regexp.MustCompile(`;[^\n]*|"(?:\\.|[^"\\])*"|#6\.42|\.\.|\.[a-z]+|=>|[A-Za-z][A-Za-z0-9-]*|-?[0-9]+|[=/(){}\[\]:,?*+]`)

// parseSchema reads a schema; it panics on what it doesn't know.
func parseSchema(text string) *schema {
	p := &cddlParser{schema: &schema{types: map[string]matcher{}, groups: map[string][]entry{}}}
	for _, token := range cddlToken.FindAllString(text, -1) {
		if token[0] != ';' {
			p.tokens = append(p.tokens, token)
		}
	}
	for len(p.tokens) > 0 {
		name := p.next()
		p.want("=")
		if p.peek() == "(" {
			p.next()
			p.schema.groups[name] = p.group(")")
		} else {
			p.schema.types[name] = p.choice()
		}
	}
	return p.schema
}

// matches reports whether a value is of the named type.
func (s *schema) matches(name string, value any) bool { return s.named(name)(value) }

// named is a type by its name, looked up when it is used.
func (s *schema) named(name string) matcher {
	return func(value any) bool {
		if m, ok := s.types[name]; ok {
			return m(value)
		}
		ok := false
		switch name {
		case "nil":
			ok = value == nil
		case "tstr":
			_, ok = value.(string)
		case "bytes":
			_, ok = value.([]byte)
		case "uint":
			n, isInt := value.(int64)
			ok = isInt && n >= 0
		case "bool":
			_, ok = value.(bool)
		default:
			panic("the schema doesn't have " + name)
		}
		return ok
	}
}

type cddlParser struct {
	schema *schema
	tokens []string
}

func (p *cddlParser) peek() string {
	if len(p.tokens) == 0 {
		return ""
	}
	return p.tokens[0]
}

func (p *cddlParser) next() string {
	token := p.peek()
	p.tokens = p.tokens[1:]
	return token
}

func (p *cddlParser) want(token string) {
	if got := p.next(); got != token {
		panic(fmt.Sprintf("got %q, want %q", got, token))
	}
}

func (p *cddlParser) take(token string) bool {
	if p.peek() == token {
		p.next()
		return true
	}
	return false
}

func (p *cddlParser) number() int64 {
	n, err := strconv.ParseInt(p.next(), 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

// choice is alternatives.
func (p *cddlParser) choice() matcher {
	alternatives := []matcher{p.controlled()}
	for p.take("/") {
		alternatives = append(alternatives, p.controlled())
	}
	return func(value any) bool {
		for _, m := range alternatives {
			if m(value) {
				return true
			}
		}
		return false
	}
}

// controlled is a type with at most one control.
func (p *cddlParser) controlled() matcher {
	base := p.single()
	var control matcher
	switch {
	case p.take(".size"):
		least := int64(0)
		var most int64
		if p.take("(") {
			least = p.number()
			p.want("..")
			most = p.number()
			p.want(")")
		} else {
			least = p.number()
			most = least
		}
		control = func(value any) bool {
			var n int64
			switch v := value.(type) {
			case string:
				n = int64(len(v))
			case []byte:
				n = int64(len(v))
			}
			return n >= least && n <= most
		}
	case p.take(".regexp"):
		form := regexp.MustCompile("^(?:" + p.text() + ")$")
		control = func(value any) bool { s, ok := value.(string); return ok && form.MatchString(s) }
	case p.take(".and"):
		control = p.single()
	default:
		return base
	}
	return func(value any) bool { return base(value) && control(value) }
}

func (p *cddlParser) text() string {
	s, err := strconv.Unquote(p.next())
	if err != nil {
		panic(err)
	}
	return s
}

// single is a type without alternatives and controls.
func (p *cddlParser) single() matcher {
	switch token := p.peek(); {
	case token == "{":
		p.next()
		return p.schema.mapOf(p.group("}"))
	case token == "[":
		p.next()
		return p.schema.arrayOf(p.group("]"))
	case token == "#6.42":
		p.next()
		p.want("(")
		content := p.choice()
		p.want(")")
		return func(value any) bool {
			link, ok := value.(cid.Cid)
			return ok && content(append([]byte{0}, link.Bytes()...))
		}
	case token[0] == '"':
		text := p.text()
		return func(value any) bool { return value == text }
	case token[0] >= '0' && token[0] <= '9' || token[0] == '-':
		least := p.number()
		most := least
		if p.take("..") {
			most = p.number()
		}
		return func(value any) bool { n, ok := value.(int64); return ok && n >= least && n <= most }
	default:
		return p.schema.named(p.next())
	}
}

// group is entries up to the closing token.
func (p *cddlParser) group(closing string) (entries []entry) {
	for !p.take(closing) {
		e := p.occurrence()
		switch {
		case len(p.tokens) > 1 && p.tokens[1] == ":":
			e.key = p.next()
			p.want(":")
			e.value = p.choice()
		case len(p.tokens) > 1 && p.tokens[1] == "=>":
			p.next()
			p.want("=>")
			e.value = p.choice()
			e.rest = true
		default:
			e.group = p.peek()
			e.value = p.choice()
		}
		entries = append(entries, e)
		p.take(",")
	}
	return entries
}

func (p *cddlParser) occurrence() entry {
	if p.take("?") {
		return entry{min: 0, max: 1}
	}
	if p.take("+") {
		return entry{min: 1, max: math.MaxInt}
	}
	e := entry{min: 1, max: 1}
	if first := p.peek()[0]; first >= '0' && first <= '9' && p.tokens[1] == "*" {
		e.min = int(p.number())
	} else if first == '*' {
		e.min = 0
	} else {
		return e
	}
	p.want("*")
	e.max = math.MaxInt
	if first := p.peek()[0]; first >= '0' && first <= '9' {
		e.max = int(p.number())
	}
	return e
}

// flat puts groups in the place of their names.
func (s *schema) flat(entries []entry) (flat []entry) {
	for _, e := range entries {
		if group, ok := s.groups[e.group]; ok {
			flat = append(flat, s.flat(group)...)
		} else {
			flat = append(flat, e)
		}
	}
	return flat
}

func (s *schema) mapOf(entries []entry) matcher {
	return func(value any) bool {
		m, ok := value.(map[string]any)
		if !ok {
			return false
		}
		rest := entry{value: func(any) bool { return false }}
		named := make(map[string]bool)
		for _, e := range s.flat(entries) {
			if e.rest {
				rest = e
				continue
			}
			v, present := m[e.key]
			if !present && e.min > 0 || present && !e.value(v) {
				return false
			}
			named[e.key] = true
		}
		others := 0
		for key, v := range m {
			if named[key] {
				continue
			}
			if others++; !rest.value(v) {
				return false
			}
		}
		return others >= rest.min
	}
}

func (s *schema) arrayOf(entries []entry) matcher {
	return func(value any) bool {
		list, ok := value.([]any)
		if !ok {
			return false
		}
		for _, e := range s.flat(entries) {
			n := 0
			for n < e.max && len(list) > 0 && e.value(list[0]) {
				list = list[1:]
				n++
			}
			if n < e.min {
				return false
			}
		}
		return len(list) == 0
	}
}

// bodyType is the schema's name for bodies of a record type.
func (s *schema) bodyType(recordType string) string {
	if _, ok := s.types[recordType]; ok && strings.Contains(" "+bodyTypes+" ", " "+recordType+" ") {
		return recordType
	}
	return "other"
}

// bodyTypes are the alternatives of "body" but the last.
const bodyTypes = "intent withdrawal profile terms offer acceptance confirmation void cancel decline award-notice restored held customer-void " +
	"counter terms-counter next-round order-event receipt outcome introduction preference membership transaction-history " +
	"deletion-notice writer delivery-receipt"

// decodeBody is the first entry of a record's array.
func decodeBody(block []byte) (map[string]any, error) {
	value, err := codec.Decode(block)
	if err != nil {
		return nil, err
	}
	return value.([]any)[0].(map[string]any), nil
}
