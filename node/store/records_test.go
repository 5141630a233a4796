package store

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

// now is the middle of the time that the tests' records are about.
const now = recordtest.Now

// scribbler signs without a key. The store trusts what was verified before, so
// its tests needn't pay for signatures.
type scribbler crypto.DID

func (s scribbler) DID() crypto.DID { return crypto.DID(s) }

func (s scribbler) Sign(msg []byte) []byte {
	sum := sha256.Sum256(msg)
	return append(sum[:], sum[:]...)
}

// world makes random records that have much in common: few authors, markets,
// categories and times, and links to each other.
type world struct {
	rng     *rand.Rand
	parties []scribbler
	reply   record.ReplyTo
	next    uint64

	all     []*record.Record
	intents []*record.Record
	offers  []*record.Record
}

var (
	worldMarkets    = []string{"vehicles", "food", "services/repair", ""}
	worldCategories = []string{"cpv:1", "cpv:2", "gpc:3", "own:4"}
)

func newWorld(tb testing.TB, seed uint64) *world {
	tb.Helper()
	w := &world{rng: rand.New(rand.NewPCG(seed, 7))}
	for i := range 6 {
		w.parties = append(w.parties, scribbler(recordtest.NewParty(fmt.Sprint("party ", i)).DID()))
	}
	w.reply = recordtest.NewParty("reply").ReplyTo(tb)
	return w
}

func pick[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }

// unique is a number that no other record of the world has.
func (w *world) unique() uint64 { w.next++; return w.next }

func (w *world) salt() (salt [32]byte) {
	binary.BigEndian.PutUint64(salt[:], w.unique())
	return salt
}

func (w *world) sign(tb testing.TB, by scribbler, at, retain int64, b record.Body) *record.Record {
	tb.Helper()
	r, err := record.Sign(record.Header{At: at, RetainUntil: retain}, b, by)
	if err != nil {
		tb.Fatalf("sign a %s: %v", b.Type(), err)
	}
	w.all = append(w.all, r)
	return r
}

func (w *world) intent(tb testing.TB) *record.Record {
	at := now - int64(w.rng.IntN(40))
	until := at + 1 + int64(w.rng.IntN(60))
	r := w.sign(tb, pick(w.rng, w.parties), at, until+int64(w.rng.IntN(40)), &record.Intent{
		Salt:        w.salt(),
		Market:      pick(w.rng, worldMarkets),
		Name:        "Something",
		Description: fmt.Sprint("like ", w.rng.IntN(1000)),
		Category:    w.categories(),
		ItemOffered: []record.DemandItem{{Name: "a thing"}},
		ValidUntil:  until,
		Terms:       []record.TermsRef{{Roster: "PDC-INTENT"}},
		Awards:      1,
		ReplyTo:     w.reply,
	})
	w.intents = append(w.intents, r)
	return r
}

func (w *world) categories() []string {
	i := w.rng.IntN(len(worldCategories))
	if w.rng.IntN(2) == 0 {
		return worldCategories[i : i+1]
	}
	return []string{worldCategories[i], worldCategories[(i+1)%len(worldCategories)]}
}

// dealKey is a deal on a known intent.
func (w *world) dealKey() record.DealKey {
	return record.DealKey{
		Intent: pick(w.rng, w.intents).ID(),
		Vendor: crypto.DID(pick(w.rng, w.parties[:2])),
		Round:  int64(1 + w.rng.IntN(2)),
	}
}

// record makes one of any type.
func (w *world) record(tb testing.TB) *record.Record {
	tb.Helper()
	at := now - int64(w.rng.IntN(40))
	retain := at + int64(w.rng.IntN(80))
	kind := w.rng.IntN(10)
	if len(w.intents) == 0 {
		kind = 0
	}
	switch kind {
	case 0, 1, 2, 3:
		return w.intent(tb)
	case 4:
		intent := pick(w.rng, w.intents)
		by := scribbler(intent.Header().By)
		if w.rng.IntN(3) == 0 {
			by = pick(w.rng, w.parties)
		}
		return w.sign(tb, by, at, retain, &record.Withdrawal{Intent: intent.ID(), Market: intent.Market()})
	case 5:
		return w.sign(tb, pick(w.rng, w.parties), at, retain, &record.Profile{
			Name: "Seller", Category: w.categories(), Markets: []string{"food", "vehicles"},
			NextKey: w.salt(), ReplyTo: w.reply,
		})
	case 6:
		key := w.dealKey()
		r := w.sign(tb, scribbler(key.Vendor), at, at+100, &record.Offer{
			Deal: key, Number: int64(w.unique()%1000 + 1), ItemOffered: []record.OfferItem{{Name: "a thing"}},
			PriceCurrency: "EUR", Terms: record.TermsRef{Roster: "PDC-INTENT"},
			ValidUntil: at + 1 + int64(w.rng.IntN(60)), ReplyTo: w.reply,
		})
		w.offers = append(w.offers, r)
		return r
	case 7:
		if len(w.offers) == 0 {
			return w.intent(tb)
		}
		offer := pick(w.rng, w.offers)
		key, _ := offer.Deal()
		return w.sign(tb, pick(w.rng, w.parties), at, retain, &record.Acceptance{Deal: key, Offer: offer.ID(), ReplyTo: w.reply})
	case 8:
		return w.sign(tb, pick(w.rng, w.parties), at, retain, &record.DeliveryReceipt{
			Records: []cid.Cid{pick(w.rng, w.all).ID()},
		})
	default:
		return w.sign(tb, pick(w.rng, w.parties), at, retain, &record.Opaque{
			Name: "wanted-poster", Fields: map[string]any{"n": int64(w.unique()), "see": pick(w.rng, w.all).ID()},
		})
	}
}
