package mailbox

import (
	"crypto/ed25519"
	"time"

	parley "github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
)

// The operations.
const (
	opDeposit = "deposit"
	opPickup  = "pickup"
	opRemove  = "remove"
)

// Bounds of messages.
const (
	maxRequest = protocol.MaxEnvelopeBytes + 512 // bytes; also enough for maxIDs
	maxAnswer  = protocol.MaxMessageBytes
	maxIDs     = protocol.MaxTokenEnvelopes // of one removal
	maxPage    = 256                        // envelopes of one pick-up
	maxCursor  = 64                         // bytes

	// perEnvelope is more than what an envelope in an answer takes beside its
	// own bytes, and answerHead more than what the answer takes beside those.
	perEnvelope = 48
	answerHead  = 64
)

// request is any request; which fields it has depends on Op.
type request struct {
	Op       string
	Token    Token  // deposit
	Envelope []byte // deposit
	Stamp    []byte // deposit, optional

	Key   []byte // pickup, remove
	At    int64  // pickup, remove
	Proof []byte // pickup, remove
	IDs   []ID   // remove

	After []byte        // pickup, optional: the ID after which to go on
	Max   int           // pickup
	Wait  time.Duration // pickup, in whole seconds
}

func (r *request) encode() ([]byte, error) {
	body := map[string]any{"op": r.Op}
	switch r.Op {
	case opDeposit:
		body["token"] = r.Token[:]
		body["envelope"] = r.Envelope
		if len(r.Stamp) > 0 {
			body["stamp"] = r.Stamp
		}
	case opPickup:
		body["max"] = int64(r.Max)
		body["wait"] = int64(r.Wait / time.Second)
		if len(r.After) > 0 {
			body["after"] = r.After
		}
	case opRemove:
		ids := make([]any, len(r.IDs))
		for i, id := range r.IDs {
			ids[i] = id[:]
		}
		body["ids"] = ids
	}
	if r.Op != opDeposit {
		body["key"] = r.Key
		body["at"] = r.At
		body["proof"] = r.Proof
	}
	return codec.Message().Encode(body)
}

// fieldsOf lists what a request of each operation has, and whether it must.
func fieldsOf(op string) map[string]bool {
	switch op {
	case opDeposit:
		return map[string]bool{"op": true, "token": true, "envelope": true, "stamp": false}
	case opPickup:
		return map[string]bool{"op": true, "key": true, "at": true, "proof": true, "max": true, "wait": true, "after": false}
	case opRemove:
		return map[string]bool{"op": true, "key": true, "at": true, "proof": true, "ids": true}
	default:
		return nil
	}
}

// decodeRequest reads a request. One with fields that its operation doesn't
// have is refused: this version can't do what they ask for.
func decodeRequest(raw []byte) (*request, error) {
	body, err := parley.DecodeMap(raw)
	if err != nil {
		return nil, err
	}
	r := new(request)
	r.Op, _ = body["op"].(string)
	fields := fieldsOf(r.Op)
	if fields == nil {
		return nil, protocol.Errorf(protocol.CodeBadField, "op", "no operation of this version")
	}
	for key, value := range body {
		if _, known := fields[key]; !known {
			return nil, protocol.Errorf(protocol.CodeUnknownField, "", "a %s doesn't have the field %q", r.Op, key)
		}
		if !r.set(key, value) {
			return nil, protocol.Errorf(protocol.CodeBadField, key, "not what a %s may have there", r.Op)
		}
	}
	for key, required := range fields {
		if _, has := body[key]; required && !has {
			return nil, protocol.Errorf(protocol.CodeMissingField, key, "a %s has it", r.Op)
		}
	}
	return r, nil
}

// set takes one field over if its value is in range.
func (r *request) set(key string, value any) (ok bool) {
	switch key {
	case "op":
		return true
	case "token":
		r.Token, ok = hash(value)
	case "envelope":
		r.Envelope, ok = value.([]byte)
		ok = ok && len(r.Envelope) > 0 // one that is too large has a code of its own
	case "stamp":
		r.Stamp, ok = value.([]byte)
		ok = ok && len(r.Stamp) == protocol.MaxStampBytes
	case "key":
		r.Key, ok = value.([]byte)
		ok = ok && len(r.Key) == ed25519.PublicKeySize
	case "proof":
		r.Proof, ok = value.([]byte)
		ok = ok && len(r.Proof) == ed25519.SignatureSize
	case "at":
		r.At, ok = value.(int64)
		ok = ok && r.At >= 0 && r.At <= protocol.MaxTime
	case "after":
		r.After, ok = value.([]byte)
		ok = ok && len(r.After) > 0 && len(r.After) <= maxCursor
	case "max":
		var n int64
		n, ok = value.(int64)
		ok = ok && n >= 1 && n <= maxPage
		r.Max = int(n)
	case "wait":
		var n int64
		n, ok = value.(int64)
		ok = ok && n >= 0 && n <= protocol.MaxPickupWait
		r.Wait = time.Duration(n) * time.Second
	case "ids":
		var list []any
		list, ok = value.([]any)
		ok = ok && len(list) >= 1 && len(list) <= maxIDs
		for i := 0; ok && i < len(list); i++ {
			var id [32]byte
			id, ok = hash(list[i])
			r.IDs = append(r.IDs, id)
		}
	}
	return ok
}

// answer is any answer; which fields it has depends on the request, and Code is
// set when there is nothing but an error.
type answer struct {
	Stored  ID     // deposit
	Until   int64  // deposit
	Receipt []byte // deposit: the mailbox's signature

	Envelopes []Envelope // pickup
	More      bool       // pickup

	Removed int // remove

	Code protocol.Code
	Hint string
	Time int64 // the mailbox's clock, with clock_skew
	Bits int   // the work that is asked for, with stamp_too_weak
}

// size is at least what the answer's message takes, in bytes.
func (a *answer) size() int {
	size := answerHead + len(a.Hint)
	for _, e := range a.Envelopes {
		size += perEnvelope + len(e.Bytes)
	}
	return size
}

func (a *answer) encode(op string) ([]byte, error) {
	var body map[string]any
	switch {
	case a.Code != "":
		body = map[string]any{"error": string(a.Code)}
		if a.Hint != "" {
			body["hint"] = a.Hint
		}
		if a.Time != 0 {
			body["time"] = a.Time
		}
		if a.Bits != 0 {
			body["bits"] = int64(a.Bits)
		}
	case op == opDeposit:
		body = map[string]any{"stored": a.Stored[:], "until": a.Until, "receipt": a.Receipt}
	case op == opPickup:
		envelopes := make([]any, len(a.Envelopes))
		for i, e := range a.Envelopes {
			envelopes[i] = []any{e.ID[:], e.Bytes}
		}
		body = map[string]any{"envelopes": envelopes, "more": a.More}
	default:
		body = map[string]any{"removed": int64(a.Removed)}
	}
	return codec.Message().Encode(body)
}

// decodeAnswer reads the answer to a request of the operation. Fields that this
// version doesn't know are ignored. An error that the mailbox tells is returned
// as a [protocol.Error], together with the answer.
func decodeAnswer(op string, raw []byte) (*answer, error) {
	body, err := parley.DecodeMap(raw)
	if err != nil {
		return nil, err
	}
	a := new(answer)
	if code, failed := body["error"].(string); failed {
		return a.failure(code, body)
	}
	ok := false
	switch op {
	case opDeposit:
		var inTime, signed bool
		a.Stored, ok = hash(body["stored"])
		a.Until, inTime = body["until"].(int64)
		a.Receipt, signed = body["receipt"].([]byte)
		ok = ok && inTime && signed && len(a.Receipt) == ed25519.SignatureSize && a.Until >= 0 && a.Until <= protocol.MaxTime
	case opPickup:
		var hasMore bool
		a.More, hasMore = body["more"].(bool)
		a.Envelopes, ok = envelopes(body["envelopes"])
		ok = ok && hasMore
	case opRemove:
		var n int64
		n, ok = body["removed"].(int64)
		ok = ok && n >= 0 && n <= maxIDs
		a.Removed = int(n)
	}
	if !ok {
		return nil, protocol.Errorf(protocol.CodeMalformed, "", "not the answer to a %s", op)
	}
	return a, nil
}

// failure reads an error. Its texts come from a stranger and are kept short.
func (a *answer) failure(code string, body map[string]any) (*answer, error) {
	a.Code = protocol.Code(code)
	if !a.Code.Known() {
		a.Code = protocol.CodeInternal
	}
	if hint, _ := body["hint"].(string); len(hint) <= 256 {
		a.Hint = hint
	}
	a.Time, _ = body["time"].(int64)
	if n, _ := body["bits"].(int64); n > 0 && n <= 256 {
		a.Bits = int(n)
	}
	err := protocol.Errorf(a.Code, "", "the mailbox refuses")
	if a.Hint != "" {
		err.Hint = a.Hint
	}
	return a, err
}

// envelopes reads a pick-up's list and checks each envelope against its ID.
func envelopes(value any) ([]Envelope, bool) {
	list, ok := value.([]any)
	if !ok || len(list) > maxPage {
		return nil, false
	}
	result := make([]Envelope, 0, len(list))
	for _, item := range list {
		pair, ok := item.([]any)
		if !ok || len(pair) != 2 {
			return nil, false
		}
		id, isID := hash(pair[0])
		blob, isBlob := pair[1].([]byte)
		if !isID || !isBlob || len(blob) == 0 || IDOf(blob) != id {
			return nil, false
		}
		result = append(result, Envelope{ID: id, Bytes: blob})
	}
	return result, true
}

func hash(value any) (h [32]byte, ok bool) {
	b, ok := value.([]byte)
	if !ok || len(b) != len(h) {
		return h, false
	}
	return [32]byte(b), true
}
