package record_test

import (
	"testing"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

// benchIntent is an intent of about 600 bytes.
func benchIntent(b *testing.B) *record.Record {
	return recordtest.Intent(b, recordtest.NewParty("bench"), func(_ *record.Header, body *record.Intent) {
		body.Description, body.AreaServed = "", nil
	})
}

func BenchmarkParse(b *testing.B) {
	raw := benchIntent(b).Raw()
	b.Run("all", func(b *testing.B) {
		b.ReportMetric(float64(len(raw)), "bytes")
		b.ReportAllocs()
		for b.Loop() {
			if _, err := record.Parse(raw); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("unverified", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := record.ParseUnverified(raw); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("ed25519", func(b *testing.B) { // what of it is the bare signature
		key := recordtest.NewParty("bench").Key
		message := append([]byte("parley/1/record\x00"), raw[1:len(raw)-66]...)
		for b.Loop() {
			if !crypto.Verify(key.PublicKey(), message, raw[len(raw)-64:]) {
				b.Fatal("doesn't verify")
			}
		}
	})
}

func BenchmarkSign(b *testing.B) {
	intent := benchIntent(b)
	key := recordtest.NewParty("bench").Key
	b.ReportAllocs()
	for b.Loop() {
		if _, err := record.Sign(intent.Header(), intent.Body(), key); err != nil {
			b.Fatal(err)
		}
	}
}
