// Command gen turns the registries in spec/registry into Go: constants for
// every registered name, and tables of what is registered about them. Run it
// with go generate in spec/; the output depends on the registries alone, so a
// second run changes nothing.
package main

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

func main() {
	registry := flag.String("registry", "registry", "folder of the registries")
	out := flag.String("out", filepath.Join("..", "protocol"), "folder for the Go files")
	flag.Parse()
	if err := run(os.DirFS(*registry), *out); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// run writes every generated file into the folder out.
func run(registry fs.FS, out string) error {
	files, err := generate(registry)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(out, f.name), f.source, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// file is one generated Go file.
type file struct {
	name   string
	source []byte
}

// generate makes all files, in the order of their names.
func generate(registry fs.FS) ([]file, error) {
	var files []file
	for _, r := range registries() {
		rows, err := readRegistry(registry, r)
		if err != nil {
			return nil, err
		}
		source, err := r.render(rows)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.csv, err)
		}
		files = append(files, file{r.output, source})
	}
	slices.SortFunc(files, func(a, b file) int {
		if a.name < b.name {
			return -1
		}
		return 1
	})
	return files, nil
}
