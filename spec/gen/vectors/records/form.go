package main

import (
	"bytes"
	"encoding/hex"

	"github.com/parley-protocol/parley/spec/gen/vectors/kit"
)

// form is the record around the body: document 2, "Form".
func form() kit.File {
	f := newFile("form", "The form of a record: its array, its signature's place, its size.")
	key, body := withdrawal()
	encoded := kit.Encode(body)
	block := key.Record(body)
	signature := key.Sign(kit.RecordMessage(encoded))

	example, exampleBody := documentExample()
	f.goodBlock("example-of-document-2", kit.Musts("REC-1", "REC-3", "REC-30"), example, exampleBody)
	for _, b := range kit.Bodies() {
		f.good(b.Type+"-minimal", kit.Musts("REC-1", "REC-18", "REC-30"), b.Key, b.Min)
		f.good(b.Type+"-full", kit.Musts("REC-1", "REC-18", "REC-24", "REC-25"), b.Key, b.Full).Note =
			"with a crit: valid, and not to be acted on"
	}

	one := kit.Musts("REC-1")
	f.badBlock("empty", one, []byte{}, "malformed")
	f.badBlock("body-alone", one, encoded, "malformed")
	f.badBlock("array-of-1", one, kit.Join([]byte{0x81}, encoded), "malformed")
	f.badBlock("array-of-3", one, kit.Join([]byte{0x83}, encoded, kit.Encode(signature), kit.Encode(0)), "malformed")
	f.badBlock("array-of-0", one, []byte{0x80}, "malformed")
	f.badBlock("signature-first", one, kit.Join([]byte{0x82}, kit.Encode(signature), encoded), "malformed")
	f.badBlock("map-of-both", one, kit.Encode(kit.Map{"sig": signature, "body": body}), "malformed")
	f.badBlock("signature-as-text", one, kit.Join([]byte{0x82}, encoded, kit.Encode(string(bytes.Repeat([]byte("s"), 64)))), "malformed")
	f.badBlock("signature-of-63-bytes", one, kit.Signed(encoded, signature[:63]), "malformed")
	f.badBlock("signature-of-65-bytes", one, kit.Signed(encoded, append(bytes.Clone(signature), 0)), "malformed")
	f.badBlock("signature-null", one, kit.Join([]byte{0x82}, encoded, []byte{0xf6}), "malformed")
	list := kit.Encode(kit.List{1, 2})
	f.badBlock("body-is-an-array", one, key.RecordOver(list), "malformed")
	f.badBlock("body-is-bytes", one, key.RecordOver(kit.Encode(encoded)), "malformed")
	f.badBlock("cut-by-one-byte", one, block[:len(block)-1], "malformed")
	f.badBlock("cut-in-the-body", one, block[:len(block)/2], "malformed")
	f.badBlock("a-byte-more", kit.Musts("REC-13"), append(block.Clone(), 0), "malformed")
	f.badBlock("a-record-more", kit.Musts("REC-13"), kit.Join(block, block), "malformed")
	wide := kit.Join([]byte{0x82}, encoded, kit.WideHead(2<<5, 64, 2), signature)
	f.badBlock("signature-with-a-wide-head", kit.Musts("REC-1", "REC-5"), wide, "malformed", "not_canonical")

	most := sized(key, body, 61440)
	f.good("largest", kit.Musts("REC-2"), key, most)
	f.bad("a-byte-too-large", kit.Musts("REC-2"), key, sized(key, body, 61441), "too_large")
	return f.File
}

// sized is the body with an extension that makes a record of just n bytes.
func sized(key kit.Key, body kit.Map, n int) kit.Map {
	fill := n - len(key.Record(kit.With(body, "ext", kit.Map{"x": kit.Filler("fill", 60000)})))
	return kit.With(body, "ext", kit.Map{"x": make([]byte, 60000+fill)})
}

// documentExample is the record of document 2's example, in its own bytes.
func documentExample() (kit.Block, kit.Map) {
	block, err := hex.DecodeString("82a76176016261741a6955b90062627978386469643a6b65793a7a364d6b6568" +
		"52676637794a62676147665973646f41734b6442504533646a324359686f7751" +
		"64636a71534a6776566464747970656a7769746864726177616c66696e74656e" +
		"74d82a58250001711220b8b25c3ed47aedd53d02d90c21193f83545d84ffe1f9" +
		"8ba47fefbfe7dfdc2b4766726561736f6e66626f756768746b72657461696e55" +
		"6e74696c1a697e97805840d9ec38c2b3245a0f774c837fade2200366d88a479d" +
		"6d6c8d51f286ec7eba71ca52f43595e507471003bbaa89e5585d59f2bf7cfa87" +
		"9eff298b025a3437de0a01")
	if err != nil {
		panic(err)
	}
	return block, kit.Map{"type": "withdrawal", "by": "did:key:z6MkehRgf7yJbgaGfYsdoAsKdBPE3dj2CYhowQdcjqSJgvVd"}
}
