package codec_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
)

// corpora finds third-party vectors, which aren't part of this repository.
func corpora(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv("PARLEY_CORPORA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "corpora")
	}
	dir := filepath.Join(root, name)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no third-party vectors in %s; set PARLEY_CORPORA to their folder", dir)
	}
	return dir
}

// deviation is a way in which we mean to differ from a corpus.
type deviation struct {
	why   string
	shown string // what the failure says
}

func noFloats() deviation { return deviation{"our subset has no floats", "float"} }
func int64Only() deviation {
	return deviation{"our integers are those of int64", "outside int64 range"}
}
func textKeys() deviation { return deviation{"our maps have text keys only", "not text"} }
func onlyLinks() deviation {
	return deviation{"our only tag is the link's, not the big number's", "not a link"}
}
func onlySHA256() deviation {
	return deviation{"our links are 36 bytes: CIDv1, a codec of one byte, SHA-256", "not a link"}
}
func anyCodec() deviation { return deviation{"our links may name any codec of one byte", "is taken"} }
func noNFC() deviation    { return deviation{"to us text is bytes, of any Unicode form", "is taken"} }

// deviations are the cases of a corpus in which we mean to differ. A case that
// fails and isn't here fails the test, and so does one that is here and doesn't
// fail in this way.
type deviations map[string]deviation

// check holds the outcome of one case against the table; failure is "" for none.
func (d deviations) check(t *testing.T, name, failure string) {
	t.Helper()
	meant, listed := d[name]
	delete(d, name)
	switch {
	case !listed && failure != "":
		t.Errorf("%s: %s", name, failure)
	case listed && !strings.Contains(failure, meant.shown):
		t.Errorf("%s: want a deviation (%s), got %q", name, meant.why, failure)
	}
}

// finish finds what the table has and the corpus hasn't.
func (d deviations) finish(t *testing.T) {
	t.Helper()
	for name := range d {
		t.Errorf("the corpus has no case %s", name)
	}
}

func daslDeviations() deviations {
	return deviations{
		"cid/roundtrip/d82a58250001551e208e4c7c":         onlySHA256(),
		"cid/invalid_in/d82a58250001701220e9822e":        anyCodec(),
		"floats/roundtrip/f93e00":                        noFloats(),
		"floats/roundtrip/fb3ff8000000000000":            noFloats(),
		"floats/roundtrip/f97e00":                        noFloats(),
		"floats/roundtrip/fb0000000000000000":            noFloats(),
		"floats/roundtrip/f90000":                        noFloats(),
		"floats/roundtrip/fb0000000000000001":            noFloats(),
		"numeric_reduction/roundtrip/fbc3e0000000000001": noFloats(),
		"integer_range/roundtrip/1bffffffffffffffff":     int64Only(),
		"integer_range/roundtrip/3bffffffffffffffff":     int64Only(),
		"integer_range/roundtrip/c249010000000000000000": onlyLinks(),
		"integer_range/roundtrip/c349010000000000000000": onlyLinks(),
		"numeric_reduction/roundtrip/a20a00f9490000":     textKeys(),
		"utf8/invalid_in/6365cc81":                       noNFC(),
	}
}

// The strictness cases of hyphacoop/dasl-testing.
func TestDASL(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(corpora(t, "dasl"), "fixtures", "cbor", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	known := daslDeviations()
	count := 0
	for _, file := range files {
		var cases []struct{ Type, Data, Name string }
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &cases); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, c := range cases {
			data, err := hex.DecodeString(c.Data)
			if err != nil {
				t.Fatal(err)
			}
			count++
			name := strings.TrimSuffix(filepath.Base(file), ".json") + "/" + c.Type + "/" + c.Data[:min(len(c.Data), 24)]
			known.check(t, name, daslFailure(c.Type, data))
		}
	}
	known.finish(t)
	t.Logf("%d cases, %d of them deviations", count, len(daslDeviations()))
}

func daslFailure(kind string, data []byte) string {
	value, err := codec.Decode(data)
	switch kind {
	case "roundtrip":
		if err != nil {
			return err.Error()
		}
		again, err := codec.Encode(value)
		if err != nil {
			return err.Error()
		}
		if !bytes.Equal(again, data) {
			return "encodes as " + hex.EncodeToString(again)
		}
	case "invalid_in":
		if err == nil {
			return "is taken"
		}
	case "invalid_out":
		// What a lax decoder makes of it must not get out through our encoder.
		var lax any
		if err := cbor.Unmarshal(data, &lax); err != nil {
			break // not even a value
		}
		if lax == nil {
			break // undefined, which Go has no value for
		}
		if out, err := codec.Encode(lax); err == nil {
			return "gets out as " + hex.EncodeToString(out)
		}
	default:
		return "a kind of case that this test doesn't know"
	}
	return ""
}

func fixtureDeviations() deviations {
	return deviations{
		"cid-QmQg1v4o9xdT3Q14wh4S7dxZkDjyZ9ssFzFzyep1YrVJBY": onlySHA256(),
		"cid-QmRgutAxd8t7oGkSm4wmeuByG6M51wcTso6cubDdQtuEfL": onlySHA256(),
		"cid-QmXg9Pp2ytZ14xgmQjYEiHjVjMFXzCVVEcRTWJBmLgR39V": onlySHA256(),
		"cid-arrayof":          onlySHA256(),
		"cid-bafkqabiaaebagba": onlySHA256(),
		"cid-bagcqcera73rupyla6bauseyk75rslfys3st25spm75ykhvgusqvv2zfqtucq": onlySHA256(),
		"cid-bagyacvradn6dsgl6sw2jwoh7s3d37hq5wsu7g22wtdwnmaaaaaaaaaaaaaaa": onlySHA256(),
		"cid-bagyqcvraypzcitp3hsbtyyxhfyc3p7i3226lullm2rkzqsqqlhnxus7tqnea": onlySHA256(),
		"cid-bahaacvrabdhd3fzrwaambazyivoiustl2bo2c3rgweo2ug4rogcoz2apaqaa": onlySHA256(),
		"cid-bahaacvrasyauh7rmlyrmyc7qzvktjv7x6q2h6ttvei6qon43tl3riaaaaaaa": onlySHA256(),
		"cid-mapof":                             onlySHA256(),
		"cid-z8mWaJ1dZ9fH5EetPuRsj8jj26pXsgpsr": onlySHA256(),
		"dagpb_11unnamedlinks+data":             onlySHA256(),
		"dagpb_1link":                           onlySHA256(),
		"dagpb_2link+data":                      onlySHA256(),
		"dagpb_4namedlinks+data":                onlySHA256(),
		"dagpb_7unnamedlinks+data":              onlySHA256(),
		"dagpb_Links_Hash_some":                 onlySHA256(),
		"dagpb_Links_Hash_some_Name_some":       onlySHA256(),
		"dagpb_Links_Hash_some_Name_zero":       onlySHA256(),
		"dagpb_Links_Hash_some_Tsize_some":      onlySHA256(),
		"dagpb_Links_Hash_some_Tsize_zero":      onlySHA256(),
		"dagpb_simple_forms_2":                  onlySHA256(),
		"dagpb_simple_forms_3":                  onlySHA256(),
		"dagpb_simple_forms_4":                  onlySHA256(),
		"garbage-00":                            onlySHA256(),
		"garbage-01":                            onlySHA256(),
		"float--0.5":                            noFloats(),
		"float--0.9999999999999999":             noFloats(),
		"float--1.1":                            noFloats(),
		"float--1e-323":                         noFloats(),
		"float--8.940696716308594e-8":           noFloats(),
		"float-0.5":                             noFloats(),
		"float-0.9999999999999999":              noFloats(),
		"float-1.1":                             noFloats(),
		"float-1.1111111111111112":              noFloats(),
		"float-1e-323":                          noFloats(),
		"float-8.940696716308594e-8":            noFloats(),
		"float-82497.63712086187":               noFloats(),
		"garbage-02":                            onlySHA256(),
		"garbage-03":                            noFloats(),
		"garbage-05":                            onlySHA256(),
		"garbage-06":                            onlySHA256(),
		"garbage-07":                            noFloats(),
		"garbage-09":                            noFloats(),
		"garbage-11":                            noFloats(),
		"garbage-14":                            onlySHA256(),
		"garbage-15":                            noFloats(),
		"garbage-16":                            onlySHA256(),
		"garbage-17":                            onlySHA256(),
		"garbage-18":                            onlySHA256(),
		"garbage-19":                            noFloats(),
		"garbage-20":                            noFloats(),
		"garbage-22":                            noFloats(),
		"garbage-24":                            noFloats(),
		"int--11959030306112471732":             int64Only(),
		"int-11959030306112471731":              int64Only(),
		"int-18446744073709551615":              int64Only(),
	}
}

// The blocks of ipld/codec-fixtures, whose names are their CIDs.
func TestCodecFixtures(t *testing.T) {
	root := filepath.Join(corpora(t, "codec-fixtures"), "fixtures")
	known := fixtureDeviations()
	count := 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".dag-cbor" {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		count++
		known.check(t, filepath.Base(filepath.Dir(path)), fixtureFailure(data, strings.TrimSuffix(filepath.Base(path), ".dag-cbor")))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	known.finish(t)
	t.Logf("%d blocks, %d of them deviations", count, len(fixtureDeviations()))
}

func fixtureFailure(data []byte, name string) string {
	value, err := codec.Decode(data)
	if err != nil {
		return err.Error()
	}
	again, err := codec.Encode(value)
	if err != nil {
		return err.Error()
	}
	if !bytes.Equal(again, data) {
		return "encodes as " + hex.EncodeToString(again)
	}
	want, err := cid.Decode(name)
	if err != nil {
		return err.Error()
	}
	if got := codec.Sum(data); !got.Equals(want) {
		return "its CID is " + got.String()
	}
	return ""
}

// The blocks that ipld/codec-fixtures says must be refused.
func TestCodecNegativeFixtures(t *testing.T) {
	root := filepath.Join(corpora(t, "codec-fixtures"), "negative-fixtures", "dag-cbor")
	count := 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".json" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var cases []struct{ Name, Hex string }
		if err := json.Unmarshal(text, &cases); err != nil {
			return err
		}
		for _, c := range cases {
			count++
			data, err := hex.DecodeString(c.Hex)
			if err != nil {
				return err
			}
			if _, err := codec.Decode(data); protocol.CodeOf(err) != protocol.CodeNotCanonical {
				t.Errorf("%s: %v", c.Name, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d blocks", count)
}
