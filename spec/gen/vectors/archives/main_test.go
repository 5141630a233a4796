package main

import (
	"testing"

	"github.com/parley-protocol/parley/spec/gen/vectors/kit"
)

func TestFilesAreCurrent(t *testing.T) {
	if err := kit.Stale(files(), "10-archives"); err != nil {
		t.Error(err)
	}
}
