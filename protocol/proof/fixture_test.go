package proof

import (
	"bytes"
	"iter"
	"testing"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/decimal"
	"github.com/parley-protocol/parley/protocol/record"
)

// at0 is the time of the first record of the tests.
const at0 = 1_800_000_000

// cast is a customer and two sellers with a whole deal each side of which can be
// taken apart by the tests.
type cast struct {
	customer, seller, other         *crypto.SigningKey
	terms, intent                   *record.Record
	offer, acceptance, confirmation *record.Record
	replyTo                         record.ReplyTo
	key                             record.DealKey
	price                           decimal.Decimal
}

func newCast(t testing.TB) *cast {
	t.Helper()
	c := &cast{customer: crypto.NewSigner([32]byte{1}), seller: crypto.NewSigner([32]byte{2}), other: crypto.NewSigner([32]byte{3})}
	public, err := crypto.SealingSeed{4}.PublicKey(crypto.SuiteX25519)
	if err != nil {
		t.Fatal(err)
	}
	if c.price, err = decimal.Parse("99.5"); err != nil {
		t.Fatal(err)
	}
	c.replyTo = record.ReplyTo{Suite: crypto.SuiteX25519, Key: public, Token: [32]byte{5}}
	c.terms = c.sign(t, c.customer, 0, &record.Terms{Name: "My terms", Text: "Be kind."})
	c.intent = c.request(t, c.customer)
	c.key = record.DealKey{Intent: c.intent.ID(), Vendor: c.seller.DID(), Round: 1}
	c.offer = c.offerOf(t, c.key, c.seller)
	c.acceptance = c.sign(t, c.customer, 20, &record.Acceptance{Deal: c.key, Offer: c.offer.ID(), ReplyTo: c.replyTo})
	c.confirmation = c.sign(t, c.seller, 30, &record.Confirmation{Deal: c.key, Acceptance: c.acceptance.ID()})
	return c
}

func (c *cast) request(t testing.TB, by *crypto.SigningKey) *record.Record {
	return c.sign(t, by, 1, &record.Intent{
		Salt: [32]byte{6}, Name: "A bicycle", Category: []string{"test:bicycle"}, ItemOffered: []record.DemandItem{{Name: "A bicycle"}},
		ValidUntil: at0 + 1000, Terms: []record.TermsRef{{Record: c.terms.ID()}}, Awards: 1, ReplyTo: c.replyTo,
	})
}

func (c *cast) offerOf(t testing.TB, key record.DealKey, by *crypto.SigningKey) *record.Record {
	return c.sign(t, by, 10, &record.Offer{
		Deal: key, Number: 1, ItemOffered: []record.OfferItem{{Name: "A bicycle", Price: c.price}}, PriceCurrency: "EUR", TotalPrice: c.price,
		Terms: record.TermsRef{Record: c.terms.ID()}, ValidUntil: at0 + 900, ReplyTo: c.replyTo,
	})
}

func (c *cast) sign(t testing.TB, by *crypto.SigningKey, at int64, b record.Body) *record.Record {
	t.Helper()
	r, err := record.Sign(record.Header{At: at0 + at, RetainUntil: at0 + 100_000}, b, by)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (c *cast) void(t testing.TB, at int64, reason string) *record.Record {
	return c.sign(t, c.seller, at, &record.Void{Deal: c.key, Reason: reason})
}

// whole is all records of the deal but the intent.
func (c *cast) whole() []*record.Record {
	return []*record.Record{c.terms, c.offer, c.acceptance, c.confirmation}
}

// archive is the bytes of the whole deal's proof.
func (c *cast) archive(t testing.TB, recs ...*record.Record) []byte {
	t.Helper()
	var file bytes.Buffer
	if _, err := WriteDeal(&file, c.intent, recs); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// each is a sequence of records without errors.
func each(recs ...*record.Record) iter.Seq2[*record.Record, error] {
	return func(yield func(*record.Record, error) bool) {
		for _, r := range recs {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// forged is a record whose signature doesn't verify.
func forged(t testing.TB, r *record.Record) *record.Record {
	t.Helper()
	raw := bytes.Clone(r.Raw())
	raw[len(raw)-40] ^= 1
	bad, err := record.ParseUnverified(raw)
	if err != nil {
		t.Fatal(err)
	}
	if protocol.CodeOf(bad.Verify()) != protocol.CodeBadSignature {
		t.Fatal("the forged record verifies")
	}
	return bad
}
