package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/parley-protocol/parley"

// rooms of the house, from the top down: an arrow may only point to a room
// further down, or within the room. spec is text: anyone may read it.
var rooms = []string{"cmd", "testnet", "node", "protocol", "crypto", "spec"}

// pure rooms do without network, disk, clock and goroutines of their own, so
// that a deal can be judged anywhere.
var pure = map[string]bool{"protocol": true, "crypto": true}

type goPackage struct {
	ImportPath, Dir string
	Imports         []string
	GoFiles         []string
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,GoFiles", module+"/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var pkgs []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
	if len(pkgs) < 10 {
		t.Fatalf("go list found only %d packages", len(pkgs))
	}
	return pkgs
}

func roomOf(importPath string) string {
	rest, ok := strings.CutPrefix(importPath, module+"/")
	if !ok {
		return ""
	}
	room, _, _ := strings.Cut(rest, "/")
	return room
}

func TestArrowsPointDown(t *testing.T) {
	for _, p := range packages(t) {
		from := slices.Index(rooms, roomOf(p.ImportPath))
		if from < 0 {
			t.Errorf("%s is in no room of the house", p.ImportPath)
			continue
		}
		for _, imp := range p.Imports {
			to := slices.Index(rooms, roomOf(imp))
			if to >= 0 && to < from {
				t.Errorf("%s imports %s: arrows point down", p.ImportPath, imp)
			}
		}
	}
}

func TestCoreIsPure(t *testing.T) {
	forbidden := func(imp string) bool {
		return slices.Contains([]string{"net", "net/http", "os", "os/exec", "syscall", "io/ioutil", "sync"}, imp) ||
			strings.HasPrefix(imp, "github.com/libp2p/") || strings.HasPrefix(imp, "github.com/dgraph-io/")
	}
	for _, p := range packages(t) {
		if !pure[roomOf(p.ImportPath)] || strings.HasSuffix(p.ImportPath, "test") {
			continue
		}
		for _, imp := range p.Imports {
			if forbidden(imp) {
				t.Errorf("%s imports %s: the core is pure", p.ImportPath, imp)
			}
		}
	}
}

// The simulated network and everything else that only tests need stay out of
// the released binary. What libraries import of the standard library is theirs.
func TestBinaryHasNoTestCode(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{.ImportPath}}{{range .Imports}} {{.}}{{end}}", module+"/cmd/parley").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		dep, imports, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.HasPrefix(dep, module) && slices.Contains(strings.Fields(imports), "testing") {
			t.Errorf("%s imports testing", dep)
		}
		for _, bad := range []string{"github.com/marcopolo/simnet", "pgregory.net/rapid", module + "/node/fault"} {
			if dep == bad || strings.HasPrefix(dep, bad+"/") {
				t.Errorf("the binary contains %s", dep)
			}
		}
		if base := path.Base(dep); strings.HasPrefix(dep, module) && strings.HasSuffix(base, "test") {
			t.Errorf("the binary contains %s", dep)
		}
	}
}
