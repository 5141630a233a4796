package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/node/home"
	"github.com/parley-protocol/parley/node/ledger/disk"
	"github.com/parley-protocol/parley/protocol"
)

// maxFile is the largest file that is read in one piece.
const maxFile = api.MaxBody

// readInput reads a file, or the standard input for -.
func (a *app) readInput(file string) ([]byte, error) {
	in := a.stdin
	if file != "-" {
		f, err := os.Open(file)
		if errors.Is(err, os.ErrNotExist) {
			return nil, &protocol.Error{Code: protocol.CodeNotFound, Field: "file", Detail: fmt.Sprintf("there is no file %s", file), Err: err}
		}
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, protocol.Errorf(protocol.CodeTooLarge, "file", "%s is larger than %d MiB", file, maxFile>>20)
	}
	return data, nil
}

// saved is what is reported of a file that was written.
type saved struct {
	File  string `json:"file"`
	Bytes int64  `json:"bytes"`
}

// download writes the node's answer to a file, or to the standard output for
// "" when no person sits there.
func (a *app) download(ctx context.Context, path, file string) (*saved, error) {
	if file == "" && isTerminal(a.stdout) {
		return nil, usagef("--out", "give --out FILE", "the result is no text for a screen")
	}
	return a.save(file, func(w io.Writer) error { return a.call(ctx, http.MethodGet, path, nil, w) })
}

// save writes a file; "" and - are the standard output.
func (a *app) save(file string, write func(io.Writer) error) (*saved, error) {
	if file == "" || file == "-" {
		return nil, write(a.stdout)
	}
	return save(file, write)
}

// save writes a file that appears only when it is whole, and durably.
func save(file string, write func(io.Writer) error) (*saved, error) {
	n := &counter{}
	err := disk.ReplaceWith(disk.OS{}, file+".part", file, 0o600, "save", func(w io.Writer) error {
		n.w = w
		return write(n)
	})
	if err != nil {
		return nil, home.Explain(err, file)
	}
	return &saved{file, n.n}, nil
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// sealTo writes an own record, sealed for its recipient, to the file that --out
// named; nothing for "".
func (a *app) sealTo(ctx context.Context, id, file string) error {
	if file == "" {
		return nil
	}
	if id == "" {
		return &protocol.Error{Code: protocol.CodeNotFound, Field: "record", Detail: "there is no record to write to " + file}
	}
	if _, err := a.download(ctx, api.Path("/v1/records/%s/file", id), file); err != nil {
		return err
	}
	if file != "-" {
		a.note("Sealed for the other side alone: %s", file)
	}
	return nil
}

// ownRecord is the newest own record of a type in a deal.
func ownRecord(d api.Deal, types ...string) string {
	for i := len(d.Records) - 1; i >= 0; i-- {
		for _, t := range types {
			if r := d.Records[i]; r.Own && r.Type == t {
				return r.ID
			}
		}
	}
	return ""
}
