package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// The checked-in files are what the registries give today.
func TestGeneratedFilesAreCurrent(t *testing.T) {
	files, err := generate(os.DirFS(filepath.Join("..", "registry")))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		got, err := os.ReadFile(filepath.Join("..", "..", "protocol", f.name))
		if err != nil {
			t.Error(err)
			continue
		}
		if !bytes.Equal(got, f.source) {
			t.Errorf("protocol/%s is not what the registries give; run go generate in spec/", f.name)
		}
	}
	found, err := filepath.Glob(filepath.Join("..", "..", "protocol", "*_gen.go"))
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != len(files) {
		t.Errorf("%d generated files in protocol, %d from registries", len(found), len(files))
	}
}

// What the generator refuses, each with the words that say why.
func TestRegistryRules(t *testing.T) {
	const header = "code,verdict,summary,hint\n"
	codes := registries()[0]
	for name, test := range map[string]struct{ csv, want string }{
		"other header":    {"code,summary\na,b\n", "want the header"},
		"no lines":        {header, "want the header"},
		"not sorted":      {header + "b,none,x,\na,none,x,\n", "must come before"},
		"twice":           {header + "a,none,x,\na,none,x,\n", "must come before"},
		"empty cell":      {header + "a,none,,\n", "summary is empty"},
		"untrimmed cell":  {header + "a,none, x,\n", "not one trimmed line"},
		"two lines":       {header + "a,none,\"x\ny\",\n", "not one trimmed line"},
		"unknown verdict": {header + "a,perhaps,x,\n", "unknown word"},
		"missing cell":    {header + "a,none\n", "wrong number of fields"},
	} {
		t.Run(name, func(t *testing.T) {
			rows, err := readRegistry(fstest.MapFS{"codes.csv": {Data: []byte(test.csv)}}, codes)
			if err == nil {
				_, err = codes.render(rows)
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestCamel(t *testing.T) {
	for name, want := range map[string]string{
		"offer_expired":      "OfferExpired",
		"award-notice":       "AwardNotice",
		"SD-BASE-ATP-S3P-DP": "SDBaseATPS3PDP",
		"PDC-INTENT":         "PDCIntent",
		"TPR-IDENTITY-REF":   "TPRIdentityRef",
	} {
		if got := camel(name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}
