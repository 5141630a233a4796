package protocol_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/agreement"
	"github.com/parley-protocol/parley/protocol/consent"
	"github.com/parley-protocol/parley/protocol/odrl"
	"github.com/parley-protocol/parley/protocol/proof"
	"github.com/parley-protocol/parley/protocol/schemaorg"
	"github.com/parley-protocol/parley/spec/vectors"
	"github.com/parley-protocol/parley/spec/vectors/vectorstest"
)

func TestVectorsOfExports(t *testing.T) {
	formats := map[string]func(*agreement.Agreement) ([]byte, error){
		"odrl": odrl.FromAgreement, "consent": consent.FromAgreement, "schemaorg": schemaorg.FromAgreement,
	}
	type exportIn struct {
		CAR    vectors.Hex
		Format string
	}
	vectorstest.Run(t, "export", func(t *testing.T, c vectors.Case, in exportIn) (any, string) {
		archive, err := proof.Read(bytes.NewReader(in.CAR))
		if err != nil {
			t.Fatal(err)
		}
		a, err := agreement.Of(archive)
		if err != nil {
			return nil, codeOf(err)
		}
		text, err := formats[in.Format](a)
		if err != nil {
			return nil, codeOf(err)
		}
		return map[string]any{"text": string(text)}, ""
	})
}

// The vectors' documents need no other document to be read, and every name in
// them is one that its vocabulary has: terms.csv lists those, with their source.
//
//spec:shows EXP-5 EXP-8 EXP-11
func TestTermsOfExports(t *testing.T) {
	file, err := os.Open(filepath.Join("..", "spec", "verifier", "jsonld", "terms.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() // read only
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, row := range rows[1:] {
		listed[row[0]] = row[1] != ""
	}
	files, err := vectors.Of("export")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, f := range files {
		for _, c := range f.Cases {
			var out struct{ Text string }
			if len(c.Error) > 0 {
				continue
			}
			if err := json.Unmarshal(c.Out, &out); err != nil {
				t.Fatal(err)
			}
			var doc map[string]any
			if err := json.Unmarshal([]byte(out.Text), &doc); err != nil {
				t.Fatal(err)
			}
			context, isObject := doc["@context"].(map[string]any)
			if !isObject {
				t.Fatalf("%s: the context is not in the document", c.Name)
			}
			for _, iri := range iris(doc, context) {
				seen++
				if strings.HasPrefix(iri, "?") || vocabulary.MatchString(iri) && !listed[iri] {
					t.Errorf("%s: %s is in no vocabulary", c.Name, iri)
				}
			}
		}
	}
	if seen < 1000 {
		t.Errorf("only %d names seen", seen)
	}
}

var vocabulary = regexp.MustCompile(`^(http://www\.w3\.org/ns/odrl/2/|https://schema\.org/|https://w3id\.org/dpv|http://purl\.org/dc/terms/)`)

// iris are the names of a document written out, but for those in a policy of
// somebody's own; "?" before one says that it means nothing.
func iris(value any, context map[string]any) (out []string) {
	switch v := value.(type) {
	case map[string]any:
		for key, member := range v {
			if key == "@context" || key == "inheritFrom" || v["@type"] == "@json" {
				continue
			}
			kind := ""
			if !strings.HasPrefix(key, "@") {
				var iri string
				iri, kind = expand(key, context)
				out = append(out, iri)
			}
			if text, isText := member.(string); isText && (kind != "" || key == "@type" || key == "@id") {
				iri, _ := expand(text, context)
				out = append(out, iri)
			}
			out = append(out, iris(member, context)...)
		}
	case []any:
		for _, element := range v {
			out = append(out, iris(element, context)...)
		}
	}
	return out
}

func expand(name string, context map[string]any) (iri, kind string) {
	switch definition := context[name].(type) {
	case string:
		return definition, ""
	case map[string]any:
		kind, _ = definition["@type"].(string)
		if iri, _ = definition["@id"].(string); iri != "" {
			return iri, kind
		}
	}
	prefix, local, compact := strings.Cut(name, ":")
	if base, isText := context[prefix].(string); compact && isText {
		return base + local, kind
	}
	if compact {
		return name, kind
	}
	if base, isText := context["@vocab"].(string); isText {
		return base + name, kind
	}
	return "?" + name, kind
}

//spec:shows EXP-15
func TestExportsAreNoArchives(t *testing.T) {
	files, err := vectors.Of("export")
	if err != nil {
		t.Fatal(err)
	}
	var out struct{ Text string }
	if err := json.Unmarshal(files[0].Cases[0].Out, &out); err != nil {
		t.Fatal(err)
	}
	if _, err := proof.Read(strings.NewReader(out.Text)); protocol.CodeOf(err) != protocol.CodeUnsupportedFormat {
		t.Errorf("an export as an archive: %v", err)
	}
}
