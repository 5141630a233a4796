package api_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/parley-protocol/parley/node/api"
)

var update = flag.Bool("update", false, "write openapi.yaml anew")

// The description that is checked in is what the server says of itself.
func TestOpenAPI(t *testing.T) {
	got, err := api.NewServer(nil, "test").OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	const file = "openapi.yaml"
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s has drifted from the server: go test ./node/api -run TestOpenAPI -update", file)
	}
}
