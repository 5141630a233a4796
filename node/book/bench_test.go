package book

import (
	"testing"

	"github.com/parley-protocol/parley/node/keyring"
	"github.com/parley-protocol/parley/node/vault"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

// BenchmarkSeal is what sealing adds to an entry that is written, and to one that
// is read.
func BenchmarkSeal(b *testing.B) {
	d := recordtest.NewDeal(b, "bench")
	e := entry{kind: kindRecord, rec: d.Offer, own: true, dealKey: keyring.KeyID{1}}
	key := vault.NewKey()
	plain, err := e.encode()
	if err != nil {
		b.Fatal(err)
	}
	context := sealContext(e.kind, e.dealKey)
	box := key.Seal(context, plain)
	b.Run("encode", func(b *testing.B) {
		for b.Loop() {
			if _, err := e.encode(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("seal", func(b *testing.B) {
		b.SetBytes(int64(len(plain)))
		for b.Loop() {
			key.Seal(context, plain)
		}
	})
	b.Run("decode", func(b *testing.B) {
		for b.Loop() {
			if _, err := decodeEntry(plain); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			if _, err := key.Open(context, box); err != nil {
				b.Fatal(err)
			}
		}
	})
}
