// Package vectorstest runs an implementation against the test vectors.
package vectorstest

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"github.com/parley-protocol/parley/spec/vectors"
)

// Run gives every case of a kind to judge, which has In, and returns either
// what must equal the case's out, once both are JSON, or the code of what is
// wrong. It fails if there is no case.
func Run[In any](t *testing.T, kind string, judge func(t *testing.T, c vectors.Case, in In) (out any, code string)) {
	t.Helper()
	RunSome(t, kind, func(In) bool { return true }, judge)
}

// RunSome is [Run] for the cases that are a package's own matter.
func RunSome[In any](t *testing.T, kind string, own func(in In) bool, judge func(t *testing.T, c vectors.Case, in In) (out any, code string)) {
	t.Helper()
	files, err := vectors.Of(kind)
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, f := range files {
		cases := 0
		for _, c := range f.Cases {
			var in In
			if err := json.Unmarshal(c.In, &in); err != nil {
				t.Fatal(err)
			}
			if !own(in) {
				continue
			}
			cases++
			t.Run(f.Path+"/"+c.Name, func(t *testing.T) {
				out, code := judge(t, c, in)
				compare(t, c, out, code)
			})
		}
		ran += cases
		t.Logf("%s: %d cases", f.Path, cases)
	}
	if ran == 0 {
		t.Errorf("no vectors of the kind %s", kind)
	}
}

func compare(t *testing.T, c vectors.Case, out any, code string) {
	t.Helper()
	switch {
	case code == "" && len(c.Error) > 0:
		t.Errorf("accepted; want %v", c.Error)
	case code != "" && len(c.Error) == 0:
		t.Errorf("refused as %s", code)
	case code != "":
		if !slices.Contains(c.Error, code) {
			t.Errorf("refused as %s; want %v", code, c.Error)
		}
	default:
		text, err := json.Marshal(out)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(tree(t, text), tree(t, c.Out)) {
			t.Errorf("got  %s\nwant %s", text, c.Out)
		}
	}
}

func tree(t *testing.T, text []byte) (value any) {
	t.Helper()
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	return value
}
