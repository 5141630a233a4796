// Package protocol holds what every room of Parley shares: the error codes and
// the constants of the registries in spec/registry. Specification: spec/.
package protocol

import (
	"context"
	"errors"
	"fmt"
)

// Code names a kind of failure. The codes are registered in
// spec/registry/codes.csv; they cross the wire and are only ever added to.
type Code string

// Summary is what the code means, in a sentence of the registry. It is empty
// for a code that isn't registered.
func (c Code) Summary() string { return codeInfo[c].Summary }

// Hint is what one can do about it, empty when there is nothing general to say.
func (c Code) Hint() string { return codeInfo[c].Hint }

// Known reports whether the code is registered.
func (c Code) Known() bool {
	_, ok := codeInfo[c]
	return ok
}

// codeFacts is one line of spec/registry/codes.csv.
type codeFacts struct {
	Verdict Verdict
	Summary string
	Hint    string
}

// Error is a refusal or a failure that crosses a boundary: between rooms, over
// the wire, or to a person.
type Error struct {
	Code   Code
	Field  string // dotted path of the field at fault, e.g. "itemOffered[2].price"; may be empty
	Detail string // what is wrong, for a person; never a secret
	Hint   string // what to do about it; may be empty
	Err    error  // the cause; may be nil
}

// Errorf makes an [Error] with the registry's hint for its code. The format
// may wrap a cause with %w.
func Errorf(code Code, field, format string, args ...any) *Error {
	detail := fmt.Errorf(format, args...)
	return &Error{
		Code:   code,
		Field:  field,
		Detail: detail.Error(),
		Hint:   code.Hint(),
		Err:    errors.Unwrap(detail),
	}
}

// Error reads "code: field: detail", without the parts that are empty.
func (e *Error) Error() string {
	text := string(e.Code)
	if e.Field != "" {
		text += ": " + e.Field
	}
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf finds the code of an error: that of the outermost [Error] in its
// chain, [CodeTimeout] for a deadline, [CodeInternal] for any other error, and
// "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return CodeTimeout
	}
	return CodeInternal
}
