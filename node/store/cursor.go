package store

import (
	"encoding/base64"
	"strings"

	"github.com/parley-protocol/parley/protocol"
)

// cursor is a place in an order: the suffix of the index key there.
type cursor [1 + suffixLen]byte

func cursorOf(e Entry) (c cursor) {
	d, ok := digestOf(e.Record.ID())
	if !ok {
		return c
	}
	t := e.Record.Header().At
	if e.order == ByExpiry {
		t = e.Expires
	}
	c[0] = byte(e.order)
	copy(c[1:], indexKey(nil, t, d))
	return c
}

func (c cursor) suffix() []byte { return c[1:] }

// String is the cursor as callers see it.
func (c cursor) String() string { return base64.RawURLEncoding.EncodeToString(c[:]) }

func parseCursor(s string, order Order) (c cursor, err error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	// The decoder skips line breaks, which no cursor has.
	if err != nil || strings.ContainsAny(s, "\r\n") || len(raw) != len(c) || Order(raw[0]) != order {
		return c, protocol.Errorf(protocol.CodeUsage, "cursor", "not a cursor of this query")
	}
	return cursor(raw), nil
}
