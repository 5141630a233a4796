package protocol_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/parley-protocol/parley/protocol"
)

func TestErrorText(t *testing.T) {
	for _, c := range []struct {
		err  *protocol.Error
		want string
	}{
		{&protocol.Error{Code: protocol.CodeExpired}, "expired"},
		{&protocol.Error{Code: protocol.CodeBadField, Field: "name"}, "bad_field: name"},
		{protocol.Errorf(protocol.CodeBadField, "", "%d wheels", 3), "bad_field: 3 wheels"},
		{protocol.Errorf(protocol.CodeBadField, "a[1].b", "is %q", "x"), `bad_field: a[1].b: is "x"`},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestErrorf(t *testing.T) {
	err := protocol.Errorf(protocol.CodeExpired, "", "the file: %w", io.ErrUnexpectedEOF)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error("the cause is lost")
	}
	if err.Hint == "" || err.Hint != protocol.CodeExpired.Hint() {
		t.Errorf("hint %q, the registry has %q", err.Hint, protocol.CodeExpired.Hint())
	}
}

func TestCodeOf(t *testing.T) {
	inner := protocol.Errorf(protocol.CodeWithdrawn, "", "gone")
	for _, c := range []struct {
		err  error
		want protocol.Code
	}{
		{nil, ""},
		{inner, protocol.CodeWithdrawn},
		{fmt.Errorf("outside: %w", inner), protocol.CodeWithdrawn},
		{protocol.Errorf(protocol.CodeConflict, "", "%w", inner), protocol.CodeConflict},
		{fmt.Errorf("asking: %w", context.DeadlineExceeded), protocol.CodeTimeout},
		{protocol.Errorf(protocol.CodeMailboxFull, "", "%w", context.DeadlineExceeded), protocol.CodeMailboxFull},
		{context.Canceled, protocol.CodeInternal},
		{io.EOF, protocol.CodeInternal},
	} {
		if got := protocol.CodeOf(c.err); got != c.want {
			t.Errorf("%v: got %s, want %s", c.err, got, c.want)
		}
	}
}

func TestVerdictOf(t *testing.T) {
	verdict := func(code protocol.Code) protocol.Verdict {
		return protocol.VerdictOf(protocol.Errorf(code, "", "why"))
	}
	for _, c := range []struct {
		got, want protocol.Verdict
	}{
		{protocol.VerdictOf(nil), protocol.Accept},
		{verdict(protocol.CodeMalformed), protocol.Reject},
		{verdict(protocol.CodeNotCanonical), protocol.Reject},
		{verdict(protocol.CodeBadSignature), protocol.Reject},
		{verdict(protocol.CodeExpired), protocol.Ignore},
		{verdict(protocol.CodeDuplicate), protocol.Ignore},
		{verdict(protocol.CodeUnknownType), protocol.Ignore},
		{verdict(protocol.CodeUnsupportedVersion), protocol.Ignore},
		{verdict(protocol.CodeInternal), protocol.Ignore},
		{verdict("not_in_the_registry"), protocol.Ignore},
		{protocol.VerdictOf(io.EOF), protocol.Ignore},
		{protocol.VerdictOf(fmt.Errorf("outside: %w", protocol.Errorf(protocol.CodeMalformed, "", "why"))), protocol.Reject},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
}

// The zero verdict blames nobody.
func TestVerdictWords(t *testing.T) {
	var zero protocol.Verdict
	for v, word := range map[protocol.Verdict]string{
		zero: "ignore", protocol.Accept: "accept", protocol.Reject: "reject", 9: "verdict(9)",
	} {
		if v.String() != word {
			t.Errorf("%d is %q, want %q", v, v, word)
		}
	}
}

// Every code of the registry is known and has a summary; no code says accept,
// which is for the absence of an error.
func TestRegistry(t *testing.T) {
	for _, code := range protocol.Codes() {
		if !code.Known() || code.Summary() == "" {
			t.Errorf("%s: known %t, summary %q", code, code.Known(), code.Summary())
		}
		if protocol.VerdictOf(&protocol.Error{Code: code}) == protocol.Accept {
			t.Errorf("%s is accepted", code)
		}
	}
	if protocol.Code("nothing").Known() {
		t.Error("an unregistered code is known")
	}
}
