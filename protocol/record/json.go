package record

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol/codec"
)

// JSON is a projection for reading; nothing reads it back. It has the record's
// id and then the keys of the body in the order of the block, the unknown ones
// included: links and bytes as in DAG-JSON, {"/": "bafy…"} and {"/": {"bytes":
// "…"}}, and the times that the specification has as RFC 3339.
func (r *Record) JSON() ([]byte, error) {
	entries, err := decodeBlock(r.raw)
	if err != nil {
		return nil, err
	}
	p := &pass{projecting: true} // tells where times stand
	readBody(p, entries)
	for _, at := range p.times {
		at.spellTime(entries)
	}

	out := bytes.NewBufferString(`{"id":`)
	writeText(out, r.id.String())
	for _, key := range codec.SortedKeys(entries) {
		out.WriteByte(',')
		writeText(out, key)
		out.WriteByte(':')
		writeJSON(out, entries[key])
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// spellTime puts RFC 3339 text in place of the time that stands here in a body.
func (s spot) spellTime(body map[string]any) {
	holder, ok := s.outer.value(body).(map[string]any)
	if !ok {
		return
	}
	if seconds, ok := holder[s.key].(int64); ok {
		holder[s.key] = time.Unix(seconds, 0).UTC().Format(time.RFC3339)
	}
}

// value is what stands here in a body.
func (s *spot) value(body map[string]any) any {
	if s.outer == nil {
		return body
	}
	switch holder := s.outer.value(body).(type) {
	case map[string]any:
		return holder[s.key]
	case []any:
		return holder[s.index]
	default:
		return nil
	}
}

// writeJSON writes a decoded value.
func writeJSON(out *bytes.Buffer, value any) {
	switch v := value.(type) {
	case nil:
		out.WriteString("null")
	case bool:
		out.WriteString(strconv.FormatBool(v))
	case int64:
		out.WriteString(strconv.FormatInt(v, 10))
	case string:
		writeText(out, v)
	case []byte:
		out.WriteString(`{"/":{"bytes":"`)
		out.WriteString(base64.RawStdEncoding.EncodeToString(v))
		out.WriteString(`"}}`)
	case cid.Cid:
		out.WriteString(`{"/":"`)
		out.WriteString(v.String())
		out.WriteString(`"}`)
	case []any:
		out.WriteByte('[')
		for i, entry := range v {
			if i > 0 {
				out.WriteByte(',')
			}
			writeJSON(out, entry)
		}
		out.WriteByte(']')
	case map[string]any:
		out.WriteByte('{')
		for i, key := range codec.SortedKeys(v) {
			if i > 0 {
				out.WriteByte(',')
			}
			writeText(out, key)
			out.WriteByte(':')
			writeJSON(out, v[key])
		}
		out.WriteByte('}')
	}
}

// writeText writes a JSON string; unlike json.Marshal it leaves <, > and & be.
func writeText(out *bytes.Buffer, s string) {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(s); err != nil {
		panic(err) // a string always encodes, and a buffer takes all
	}
	out.Truncate(out.Len() - 1) // the encoder's line break
}
