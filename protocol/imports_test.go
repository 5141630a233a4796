package protocol_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// The protocol is pure: nothing in it reaches for the network, the disk or the
// database. Time, records and randomness are given to it.
func TestImports(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if impure(name) {
				t.Errorf("%s imports %s", path, name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func impure(name string) bool {
	for _, root := range []string{
		"net", "os", "syscall", "github.com/libp2p", "github.com/dgraph-io/badger",
		"github.com/parley-protocol/parley/node", "github.com/parley-protocol/parley/testnet", "github.com/parley-protocol/parley/cmd",
	} {
		if name == root || strings.HasPrefix(name, root+"/") {
			return true
		}
	}
	return false
}
