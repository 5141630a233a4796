package record_test

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/record"
)

// signRaw signs a body of any content, as a careless or hostile program would.
func signRaw(t *testing.T, body map[string]any, key *crypto.SigningKey) []byte {
	t.Helper()
	encoded, err := codec.Message().Encode(body)
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	signature := key.Sign(append([]byte("parley/1/record\x00"), encoded...))
	block := append([]byte{0x82}, encoded...)
	block = append(block, 0x58, 0x40)
	return append(block, signature...)
}

// bodyOf is a record's body, decoded; the caller may change it.
func bodyOf(t *testing.T, r *record.Record) map[string]any {
	t.Helper()
	value, err := codec.Decode(r.Raw())
	if err != nil {
		t.Fatal(err)
	}
	return value.([]any)[0].(map[string]any)
}

// absent, given to with, takes an entry away.
type absent struct{}

// with is body with the value at path, e.g. "itemOffered.0.price", replaced. It
// copies what it changes.
func with(body any, path string, value any) any {
	key, rest, deeper := strings.Cut(path, ".")
	switch old := body.(type) {
	case map[string]any:
		changed := maps.Clone(old)
		switch {
		case deeper:
			changed[key] = with(old[key], rest, value)
		case value == any(absent{}):
			delete(changed, key)
		default:
			changed[key] = value
		}
		return changed
	case []any:
		i, err := strconv.Atoi(key)
		if err != nil {
			panic(err)
		}
		changed := append([]any(nil), old...)
		if deeper {
			changed[i] = with(old[i], rest, value)
		} else {
			changed[i] = value
		}
		return changed
	default:
		panic(fmt.Sprintf("no %s in a %T", path, body))
	}
}

// walk calls visit for every value of a body with its path for with, parents
// before their entries; content that is free is not walked.
func walk(value any, path string, visit func(path string, value any)) {
	join := func(key string) string {
		if path == "" {
			return key
		}
		return path + "." + key
	}
	if path != "" {
		visit(path, value)
	}
	switch v := value.(type) {
	case map[string]any:
		for _, key := range codec.SortedKeys(v) {
			if key != "ext" && key != "policy" {
				walk(v[key], join(key), visit)
			}
		}
	case []any:
		for i, entry := range v {
			walk(entry, join(strconv.Itoa(i)), visit)
		}
	}
}

// fieldOf is a path of with as errors write it: "itemOffered[0].price".
func fieldOf(path string) string {
	var b strings.Builder
	for i, part := range strings.Split(path, ".") {
		if _, err := strconv.Atoi(part); err == nil {
			b.WriteString("[" + part + "]")
			continue
		}
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(part)
	}
	return b.String()
}
