package main

import (
	"encoding/csv"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"unicode/utf8"
)

// registry is one CSV file and how it becomes Go.
type registry struct {
	csv      string
	output   string
	columns  []string // the header line, exactly
	optional []string // columns that may be empty
	render   func(rows []row) ([]byte, error)
}

// row is one line, by column.
type row map[string]string

// readRegistry reads a registry and checks what all of them promise: the
// header, lines sorted and unique by their first column, trimmed one-line
// cells, and no empty ones but in optional columns.
func readRegistry(fsys fs.FS, r registry) ([]row, error) {
	f, err := fsys.Open(r.csv)
	if err != nil {
		return nil, err
	}
	defer f.Close() // read only
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.csv, err)
	}
	if len(lines) < 2 || !slices.Equal(lines[0], r.columns) {
		return nil, fmt.Errorf("%s: want the header %q and at least one line", r.csv, strings.Join(r.columns, ","))
	}
	var rows []row
	for n, cells := range lines[1:] {
		entry := row{}
		for i, column := range r.columns {
			cell := cells[i]
			switch {
			case cell == "" && !slices.Contains(r.optional, column):
				return nil, fmt.Errorf("%s: entry %q: %s is empty", r.csv, cells[0], column)
			case cell != strings.TrimSpace(cell) || strings.ContainsAny(cell, "\r\n") || !utf8.ValidString(cell):
				return nil, fmt.Errorf("%s: entry %q: %s is not one trimmed line of UTF-8", r.csv, cells[0], column)
			}
			entry[column] = cell
		}
		if n > 0 && lines[n][0] >= cells[0] {
			return nil, fmt.Errorf("%s: %q must come before %q, once", r.csv, cells[0], lines[n][0])
		}
		rows = append(rows, entry)
	}
	return rows, nil
}
