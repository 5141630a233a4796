package config

import (
	"reflect"
	"testing"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/spec/vectors/fuzzing"
)

// What a file says is refused, or holds and can be written and read again.
func FuzzParse(f *testing.F) {
	text, err := Default().Text()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("log_level = \"debug\"\nlisten = []\npeers = [\"/ip4/1.2.3.4/tcp/1/p2p/x\"]"))
	f.Add([]byte("[[[[[[[[[[\nmdns = 1979-05-27T07:32:00Z\nodd = {a.b.c = 1}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var c Config
		var err error
		fuzzing.Bounded(t, len(text), func() {
			c = Default()
			if err = c.parse("config.toml", text); err == nil {
				err = c.Validate()
			}
		})
		if err != nil {
			if protocol.CodeOf(err) == protocol.CodeInternal {
				t.Fatalf("refused without a code: %v", err)
			}
			return
		}
		again, err := c.Text()
		if err != nil {
			t.Fatal(err)
		}
		back := Default()
		if err := back.parse("config.toml", again); err != nil {
			t.Fatalf("%q was read and written as %q, which is refused: %v", text, again, err)
		}
		if third, err := back.Text(); err != nil || string(third) != string(again) || !reflect.DeepEqual(back.LogLevel, c.LogLevel) {
			t.Fatalf("%q was written as %q and then as %q, %v", text, again, third, err)
		}
	})
}
