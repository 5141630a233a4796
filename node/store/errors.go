package store

import (
	"errors"
	"fmt"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol"
)

// ErrClosed is what every call gets once the store is being closed.
var ErrClosed = errors.New("store: closed")

// RebuildReason says why a folder has to be filled anew.
type RebuildReason uint8

// The reasons.
const (
	FolderDamaged RebuildReason = iota + 1 // Badger's files don't fit together or fail their checksums
	SchemaOlder                            // written by an older version of this program
)

// RebuildError is returned by [Open] for a folder that can't be used as it is.
// The way out is to [Drop] the folder, open it again and put everything that
// the ledger holds.
type RebuildError struct {
	Dir    string
	Reason RebuildReason
	Err    error // the cause; nil for an older schema
}

// Error says what is wrong and what to do.
func (e *RebuildError) Error() string {
	if e.Reason == SchemaOlder {
		return fmt.Sprintf("store: %s is of an older schema and must be rebuilt", e.Dir)
	}
	return fmt.Sprintf("store: %s is damaged and must be rebuilt: %v", e.Dir, e.Err)
}

// Unwrap gives the cause and, for damage, an error with the code "damaged".
func (e *RebuildError) Unwrap() []error {
	var errs []error
	if e.Reason == FolderDamaged {
		errs = append(errs, protocol.Errorf(protocol.CodeDamaged, "", "the view in %s is damaged", e.Dir))
	}
	if e.Err != nil {
		errs = append(errs, e.Err)
	}
	return errs
}

// NewerSchemaError is returned by [Open] for a folder that a newer version of
// this program has written. It must be left alone.
type NewerSchemaError struct {
	Dir          string
	Found, Known int
}

// Error says which version was found.
func (e *NewerSchemaError) Error() string {
	return fmt.Sprintf("store: %s is of schema %d, this program knows %d", e.Dir, e.Found, e.Known)
}

// Unwrap is an error with the code "unsupported_format".
func (e *NewerSchemaError) Unwrap() error {
	return protocol.Errorf(protocol.CodeUnsupportedFormat, "", "the store was written by a newer version: %d, known is %d", e.Found, e.Known)
}

// DamageError is a stored record that can't be given out, because its bytes
// don't match its ID or can't be read. It has the code "damaged".
type DamageError struct {
	ID  cid.Cid
	Err error
}

// Error names the record and the cause.
func (e *DamageError) Error() string {
	return fmt.Sprintf("store: record %s is damaged: %v", e.ID, e.Err)
}

// Unwrap gives an error with the code "damaged", and the cause.
func (e *DamageError) Unwrap() []error {
	return []error{protocol.Errorf(protocol.CodeDamaged, "", "record %s is damaged", e.ID), e.Err}
}

func notFound(id cid.Cid) error {
	return protocol.Errorf(protocol.CodeNotFound, "", "no record %s", id)
}
