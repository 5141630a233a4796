//lint:file-ignore U1000 the kinds' methods are called through a type parameter, which the check doesn't see

package record

import (
	"crypto/ed25519"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
)

// A body is described once, by its fields method, and that description serves
// both ways: run over a reading form it fills the struct from the map that was
// decoded, run over a writing form it fills a map from the struct. Nothing else
// knows the keys, so the two directions can't drift apart.

// pass is one run over a body, in one direction.
type pass struct {
	writing bool
	err     *protocol.Error // the first thing wrong
	unknown []string        // reading: paths of keys that no description has

	projecting bool   // reading for the JSON form
	times      []spot // projecting: the places of times

	signer ed25519.PublicKey // reading: the key of the record's author
}

// spot is a place in a body, for naming it in errors.
type spot struct {
	pass  *pass
	outer *spot  // nil at the top
	key   string // of a map's entry; "" for a list's
	index int    // of a list's entry
}

// path is e.g. "itemOffered[2].price".
func (s spot) path() string {
	if s.outer == nil {
		return ""
	}
	outer := s.outer.path()
	switch {
	case s.key == "":
		return outer + "[" + strconv.Itoa(s.index) + "]"
	case outer == "":
		return s.key
	default:
		return outer + "." + s.key
	}
}

// entry is the place of a list's entry.
func (s spot) entry(i int) spot { return spot{pass: s.pass, outer: &s, index: i} }

// of is the place of a map's entry.
func (s spot) of(key string) spot { return spot{pass: s.pass, outer: &s, key: key} }

// fail notes what is wrong here, unless something already is.
func (s spot) fail(code protocol.Code, format string, args ...any) {
	if s.pass.err == nil {
		s.pass.err = protocol.Errorf(code, s.path(), format, args...)
	}
}

// form is one map under a pass.
type form struct {
	spot
	entries map[string]any
	seen    []string // reading: the keys that the description has taken
}

// at is the place of one of the form's entries.
func (f *form) at(key string) spot { return spot{pass: f.pass, outer: &f.spot, key: key} }

// require notes a broken rule about the value of key.
func (f *form) require(holds bool, key, format string, args ...any) {
	if !holds {
		f.at(key).fail(protocol.CodeBadField, format, args...)
	}
}

// extra is the keys that the description hasn't asked for, in order. What they
// hold has no null.
func (f *form) extra() []string {
	if len(f.seen) == len(f.entries) {
		return nil
	}
	extra := make([]string, 0, len(f.entries)-len(f.seen))
	for key := range f.entries {
		if !slices.Contains(f.seen, key) {
			extra = append(extra, key)
		}
	}
	slices.SortFunc(extra, codec.CompareKeys)
	for _, key := range extra {
		if hasNull(f.entries[key]) {
			refuseNull(f.at(plainKey(key)), f.entries[key])
		}
	}
	return extra
}

// rest is the entries that the description hasn't asked for, nil for none.
func (f *form) rest() map[string]any {
	extra := f.extra()
	if len(extra) == 0 {
		return nil
	}
	rest := make(map[string]any, len(extra))
	for _, key := range extra {
		rest[key] = f.entries[key]
	}
	return rest
}

// finish notes the keys that the description hasn't asked for as unknown.
func (f *form) finish() {
	if f.pass.writing {
		return
	}
	extra := f.extra()
	if len(extra) == 0 {
		return
	}
	prefix := f.path()
	if prefix != "" {
		prefix += "."
	}
	f.pass.unknown = slices.Grow(f.pass.unknown, len(extra))
	for _, key := range extra {
		f.pass.unknown = append(f.pass.unknown, prefix+plainKey(key))
	}
}

var identifier = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// plainKey is a stranger's key as it can be shown: quoted if it has anything odd.
func plainKey(key string) string {
	if identifier.MatchString(key) {
		return key
	}
	if len(key) > 64 {
		key = key[:64] + "…"
	}
	return strconv.QuoteToASCII(key)
}

// hasNull reports whether a value has null in it, which only ext may.
func hasNull(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case []any:
		return slices.ContainsFunc(v, hasNull)
	case map[string]any:
		for _, entry := range v {
			if hasNull(entry) {
				return true
			}
		}
	}
	return false
}

// refuseNull fails at the first null of a value.
func refuseNull(at spot, value any) {
	switch v := value.(type) {
	case nil:
		at.fail(protocol.CodeBadField, "null is allowed in ext only; leave the field out")
	case []any:
		if i := slices.IndexFunc(v, hasNull); i >= 0 {
			refuseNull(at.entry(i), v[i])
		}
	case map[string]any:
		for _, key := range codec.SortedKeys(v) {
			if hasNull(v[key]) {
				refuseNull(at.of(plainKey(key)), v[key])
				return
			}
		}
	}
}

// kind is how the values of one Go type look on the wire, limits included.
type kind[T any] interface {
	read(at spot, value any) T
	write(at spot, value T) any
}

// field is an entry that must be there.
func field[T any, K kind[T]](f *form, key string, p *T, k K) {
	at := f.at(key)
	if f.pass.writing {
		f.entries[key] = k.write(at, *p)
		return
	}
	value, present := f.entries[key]
	if !present {
		at.fail(protocol.CodeMissingField, "this field is required")
		return
	}
	f.seen = append(f.seen, key)
	*p = k.read(at, value)
}

// optional is an entry that is absent when the struct has the zero value.
func optional[T comparable, K kind[T]](f *form, key string, p *T, k K) {
	var zero T
	if f.absent(key, *p == zero) {
		return
	}
	field(f, key, p, k)
	f.require(*p != zero, key, "the value says nothing; leave the field out")
}

// optionalList is an entry that is absent when the list is empty.
func optionalList[T any, K kind[[]T]](f *form, key string, p *[]T, k K) {
	if !f.absent(key, len(*p) == 0) {
		field(f, key, p, k)
	}
}

// optionalMap is an entry that is absent when the map is empty.
func optionalMap[K kind[map[string]any]](f *form, key string, p *map[string]any, k K) {
	if !f.absent(key, len(*p) == 0) {
		field(f, key, p, k)
	}
}

// pointer is an entry that is absent when the pointer is nil.
func pointer[T any, K kind[T]](f *form, key string, p **T, k K) {
	if f.absent(key, *p == nil) {
		return
	}
	if !f.pass.writing {
		*p = new(T)
	}
	field(f, key, *p, k)
}

// absent reports whether an optional entry is left out: by the struct when
// writing, by the map when reading.
func (f *form) absent(key string, unset bool) bool {
	if f.pass.writing {
		return unset
	}
	_, present := f.entries[key]
	return !present
}

// object is a map with a description of its own.
type object[T any] struct{ fields func(*T, *form) }

func objectOf[T any](fields func(*T, *form)) object[T] { return object[T]{fields} }

func (k object[T]) read(at spot, value any) (t T) {
	entries, ok := value.(map[string]any)
	if !ok {
		at.wants("a map", value)
		return t
	}
	f := form{spot: at, entries: entries}
	k.fields(&t, &f)
	f.finish()
	return t
}

func (k object[T]) write(at spot, value T) any {
	f := form{spot: at, entries: map[string]any{}}
	k.fields(&value, &f)
	return f.entries
}

// list is an array of min to max values of one kind.
type list[T any, K kind[T]] struct {
	min, max int
	of       K
}

func listOf[T any, K kind[T]](min, max int, of K) list[T, K] { return list[T, K]{min, max, of} }

func (k list[T, K]) read(at spot, value any) []T {
	entries, ok := value.([]any)
	if !ok {
		at.wants("a list", value)
		return nil
	}
	if !k.fits(at, len(entries)) || len(entries) == 0 {
		return nil
	}
	result := make([]T, len(entries))
	for i, entry := range entries {
		result[i] = k.of.read(at.entry(i), entry)
	}
	return result
}

func (k list[T, K]) write(at spot, value []T) any {
	if !k.fits(at, len(value)) {
		return nil
	}
	result := make([]any, len(value))
	for i, entry := range value {
		result[i] = k.of.write(at.entry(i), entry)
	}
	return result
}

func (k list[T, K]) fits(at spot, n int) bool {
	if n < k.min || n > k.max {
		at.fail(protocol.CodeBadField, "has %d entries; %d to %d are allowed", n, k.min, k.max)
		return false
	}
	return true
}

// set is a list whose entries differ.
type set[T comparable, K kind[T]] struct{ list[T, K] }

func setOf[T comparable, K kind[T]](min, max int, of K) set[T, K] {
	return set[T, K]{list[T, K]{min, max, of}}
}

func (k set[T, K]) read(at spot, value any) []T {
	entries := k.list.read(at, value)
	for i, entry := range entries {
		if first := slices.Index(entries, entry); first < i {
			at.entry(i).fail(protocol.CodeBadField, "is the same as entry %d", first)
		}
	}
	return entries
}

// wants notes a value of the wrong type.
func (s spot) wants(what string, got any) {
	s.fail(protocol.CodeBadField, "want %s, not %s", what, typeName(got))
}

func typeName(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case int64:
		return "an integer"
	case string:
		return "text"
	case []byte:
		return "bytes"
	case []any:
		return "a list"
	case map[string]any:
		return "a map"
	default:
		return fmt.Sprintf("a %T", value)
	}
}
