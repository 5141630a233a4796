package deal_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/decimal"
	"github.com/parley-protocol/parley/protocol/record"
)

// t0 is the time at which the tests' intent is signed.
const t0 int64 = 1_800_000_000

// cast is who plays in the tests: one customer with one intent, two sellers.
type cast struct {
	customer *crypto.SigningKey
	vendors  [2]*crypto.SigningKey
	intent   *record.Record
	replyTo  record.ReplyTo

	mu     sync.Mutex
	signed map[string]*record.Record // signing is deterministic: the same again is the same record
	links  map[*record.Record][]cid.Cid
}

// newCast signs the intent; it is the same in every test.
func newCast() *cast {
	c := &cast{signed: map[string]*record.Record{}, links: map[*record.Record][]cid.Cid{}}
	c.customer = crypto.NewSigner([32]byte{1})
	c.vendors[0] = crypto.NewSigner([32]byte{2})
	c.vendors[1] = crypto.NewSigner([32]byte{3})
	pub, err := crypto.SealingSeed{4}.PublicKey(crypto.SuiteX25519)
	if err != nil {
		panic(err)
	}
	c.replyTo = record.ReplyTo{Suite: crypto.SuiteX25519, Key: pub, Token: [32]byte{5}}
	c.intent = c.sign(c.customer, t0, &record.Intent{
		Salt: [32]byte{6}, Market: "test", Name: "A bicycle", Category: []string{"test:bicycle"},
		ItemOffered: []record.DemandItem{{Name: "A bicycle"}},
		ValidUntil:  t0 + 1000, Terms: []record.TermsRef{{Roster: "PDC-INTENT"}},
		Awards: 1, ReplyTo: c.replyTo,
	})
	return c
}

// sign makes a record that the fixture can't get wrong; it panics if it does.
func (c *cast) sign(by *crypto.SigningKey, at int64, b record.Body) *record.Record {
	return c.signWith(by, record.Header{At: at, RetainUntil: t0 + 100_000}, b)
}

func (c *cast) signWith(by *crypto.SigningKey, h record.Header, b record.Body) *record.Record {
	name := fmt.Sprintf("%s %+v %T %+v", by.DID(), h, b, b)
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.signed[name]; r != nil {
		return r
	}
	r, err := record.Sign(h, b, by)
	if err != nil {
		panic(err)
	}
	c.signed[name] = r
	return r
}

// linksOf is what the record cites.
func (c *cast) linksOf(r *record.Record) []cid.Cid {
	c.mu.Lock()
	defer c.mu.Unlock()
	links, ok := c.links[r]
	if !ok {
		links = r.Links()
		c.links[r] = links
	}
	return links
}

// key names the deal with vendor v in that round.
func (c *cast) key(v int, round int64) record.DealKey {
	return record.DealKey{Intent: c.intent.ID(), Vendor: c.vendors[v].DID(), Round: round}
}

// offerBody is offer n, firm until then.
func (c *cast) offerBody(k record.DealKey, n, until int64) *record.Offer {
	price := decimal.MustParse("100")
	return &record.Offer{
		Deal: k, Number: n, ItemOffered: []record.OfferItem{{Name: "A bicycle", Price: price}},
		PriceCurrency: "EUR", TotalPrice: price, Terms: record.TermsRef{Roster: "PDC-INTENT"},
		ValidUntil: until, ReplyTo: c.replyTo,
	}
}

// The records of the deal with vendor 0 in round 1, at a time after t0.

func (c *cast) vendorSays(at int64, b record.Body) *record.Record {
	return c.sign(c.vendors[0], t0+at, b)
}

func (c *cast) customerSays(at int64, b record.Body) *record.Record {
	return c.sign(c.customer, t0+at, b)
}

func (c *cast) offer(n, at, until int64) *record.Record {
	return c.vendorSays(at, c.offerBody(c.key(0, 1), n, t0+until))
}

func (c *cast) acceptance(at int64, offer *record.Record) *record.Record {
	return c.customerSays(at, &record.Acceptance{Deal: c.key(0, 1), Offer: offer.ID(), ReplyTo: c.replyTo})
}

func (c *cast) confirmation(at int64, acceptance *record.Record) *record.Record {
	return c.vendorSays(at, &record.Confirmation{Deal: c.key(0, 1), Acceptance: acceptance.ID()})
}

func (c *cast) void(at int64, reason string, cites *record.Record) *record.Record {
	v := &record.Void{Deal: c.key(0, 1), Reason: reason}
	if cites != nil {
		v.Cites = cites.ID()
	}
	return c.vendorSays(at, v)
}

func (c *cast) cancel(at int64) *record.Record {
	return c.customerSays(at, &record.Cancel{Ask: record.Ask{Deal: c.key(0, 1), Reason: protocol.ReasonChangedMind}})
}

func (c *cast) restored(at int64) *record.Record {
	return c.vendorSays(at, &record.Restored{Deal: c.key(0, 1), ReplyTo: c.replyTo})
}

func (c *cast) held(at int64, restored, decision *record.Record) *record.Record {
	return c.customerSays(at, &record.Held{Deal: c.key(0, 1), Restored: restored.ID(), Decision: decision.ID()})
}

func (c *cast) customerVoid(at int64, restored *record.Record) *record.Record {
	return c.customerSays(at, &record.CustomerVoid{Deal: c.key(0, 1), Restored: restored.ID()})
}

func (c *cast) counter(at int64, offer *record.Record) *record.Record {
	return c.customerSays(at, &record.Counter{Deal: c.key(0, 1), Offer: offer.ID(), Description: "Less, please.", ValidUntil: t0 + 500})
}

func (c *cast) termsCounter(at int64, roster string) *record.Record {
	return c.vendorSays(at, &record.TermsCounter{Deal: c.key(0, 1), Terms: record.TermsRef{Roster: roster}, ReplyTo: c.replyTo})
}

// nextRound opens the round after that of previous.
func (c *cast) nextRound(at int64, previous *record.Record) *record.Record {
	key, _ := previous.Deal()
	key.Round++
	return c.customerSays(at, &record.NextRound{Deal: key, Previous: previous.ID()})
}

// agreement is the three records of an agreement in a round, the offer changing
// another one unless changes is nil.
func (c *cast) agreement(round, at int64, changes *record.Record) (offer, acceptance, confirmation *record.Record) {
	body := c.offerBody(c.key(0, round), 1, t0+at+100)
	if changes != nil {
		body.Changes = changes.ID()
	}
	offer = c.vendorSays(at, body)
	acceptance = c.customerSays(at+1, &record.Acceptance{Deal: c.key(0, round), Offer: offer.ID(), ReplyTo: c.replyTo})
	confirmation = c.vendorSays(at+2, &record.Confirmation{Deal: c.key(0, round), Acceptance: acceptance.ID()})
	return offer, acceptance, confirmation
}

// fold folds records of the deal with vendor 0 in round 1.
func (c *cast) fold(t testing.TB, opts deal.Options, recs ...*record.Record) deal.State {
	t.Helper()
	s, err := deal.Fold(c.intent, c.key(0, 1), recs, opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// digest writes out all that a state says, for comparison.
func digest(s deal.State) string {
	list := func(recs ...*record.Record) string {
		var text string
		for _, r := range recs {
			if r == nil {
				text += " -"
			} else {
				text += " " + r.Type() + ":" + shortID(r.ID())
			}
		}
		return text
	}
	text := fmt.Sprintf("%s agreement=%s changes=%s committed=%v award=%v", s.Phase, shortID(s.Agreement), shortID(s.Changes), s.Committed, s.TakesAward)
	text += " offers" + list(s.Offers...)
	text += " facts" + list(s.Acceptance, s.Confirmation, s.Void, s.Restored, s.Held, s.CustomerVoid)
	text += " talk" + list(s.Counters...) + list(s.TermsCounter) + list(s.NextRounds...)
	text += " asks" + list(s.Asks...) + " evidence" + list(s.Evidence...)
	for _, m := range s.Misfits {
		text += fmt.Sprintf(" misfit%s=%s", list(m.Record), m.Code)
	}
	for _, w := range s.Waiting {
		text += fmt.Sprintf(" waiting%s=%s", list(w.Record), shortID(w.Missing))
	}
	return text
}

func shortID(id cid.Cid) string {
	if !id.Defined() {
		return "-"
	}
	text := id.String()
	return text[len(text)-8:]
}
