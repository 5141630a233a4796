package main

import (
	"testing"

	"github.com/parley-protocol/parley/spec/gen/vectors/kit"
)

func TestFilesAreCurrent(t *testing.T) {
	if err := kit.Stale(files(), "07-terms"); err != nil {
		t.Error(err)
	}
}
