package protocol_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/decimal"
	"github.com/parley-protocol/parley/protocol/proof"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/spec/vectors"
	"github.com/parley-protocol/parley/spec/vectors/vectorstest"
)

// codeOf is an error's code, "" for none.
func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return string(protocol.CodeOf(err))
}

type recordIn struct {
	Block vectors.Hex
	Now   *int64
}

type recordOut struct {
	ID      string   `json:"id"`
	Type    string   `json:"type"`
	By      string   `json:"by"`
	Known   bool     `json:"known"`
	Unknown []string `json:"unknown"`
	Crit    []string `json:"crit"`
}

//spec:shows REC-40
func TestVectorsOfRecords(t *testing.T) {
	vectorstest.Run(t, "record", func(t *testing.T, c vectors.Case, in recordIn) (any, string) {
		r, err := record.Parse(in.Block)
		if err == nil && in.Now != nil {
			err = r.CheckTime(*in.Now)
		}
		if err != nil {
			return nil, codeOf(err)
		}
		_, opaque := r.Body().(*record.Opaque)
		unknown := append([]string{}, r.Unknown()...)
		slices.Sort(unknown)
		return recordOut{
			r.ID().String(), r.Type(), r.Header().By.String(), !opaque, unknown, append([]string{}, r.Header().Crit...),
		}, ""
	})
}

func TestVectorsOfIDs(t *testing.T) {
	vectorstest.Run(t, "cid", func(t *testing.T, c vectors.Case, in struct{ Block vectors.Hex }) (any, string) {
		id := codec.Sum(in.Block)
		return map[string]any{"bytes": vectors.Hex(id.Bytes()), "text": id.String()}, ""
	})
}

type decimalIn struct {
	Text *string
	Sum  []string
}

func TestVectorsOfDecimals(t *testing.T) {
	vectorstest.Run(t, "decimal", func(t *testing.T, c vectors.Case, in decimalIn) (any, string) {
		if in.Text != nil {
			d, err := decimal.Parse(*in.Text)
			if err != nil {
				return nil, string(protocol.CodeBadField)
			}
			return map[string]string{"tenThousandths": tenThousandths(t, d)}, ""
		}
		var terms []decimal.Decimal
		for _, text := range in.Sum {
			terms = append(terms, decimal.MustParse(text))
		}
		sum, err := decimal.Sum(terms...)
		if err != nil {
			return nil, string(protocol.CodeTotalMismatch)
		}
		return map[string]string{"text": sum.String()}, ""
	})
}

func tenThousandths(t *testing.T, d decimal.Decimal) string {
	r, ok := new(big.Rat).SetString(d.String())
	if !ok {
		t.Fatalf("%s is no number", d)
	}
	r.Mul(r, big.NewRat(10_000, 1))
	if !r.IsInt() {
		t.Fatalf("%s has too many digits", d)
	}
	return r.Num().String()
}

type dealIn struct {
	Intent string
	Vendor string
	Round  int64
}

func (in dealIn) key(t *testing.T) record.DealKey {
	t.Helper()
	return record.DealKey{Intent: parseID(t, in.Intent), Vendor: crypto.DID(in.Vendor), Round: in.Round}
}

func parseID(t *testing.T, text string) cid.Cid {
	t.Helper()
	id, err := cid.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestVectorsOfDealKeys(t *testing.T) {
	vectorstest.Run(t, "deal-key", func(t *testing.T, c vectors.Case, in struct{ Deal dealIn }) (any, string) {
		key := in.Deal.key(t)
		block, err := codec.Encode([]any{key.Intent, key.Vendor.String(), key.Round})
		if err != nil {
			t.Fatal(err)
		}
		return map[string]any{"bytes": vectors.Hex(block), "id": key.ID().String()}, ""
	})
}

type foldIn struct {
	Intent  vectors.Hex
	Deal    dealIn
	Records []vectors.Hex
}

type foldOut struct {
	Phase        deal.Phase        `json:"phase"`
	Acceptance   *string           `json:"acceptance"`
	Confirmation *string           `json:"confirmation"`
	Void         *string           `json:"void"`
	CustomerVoid *string           `json:"customerVoid"`
	Held         *string           `json:"held"`
	Agreement    *string           `json:"agreement"`
	Committed    bool              `json:"committed"`
	TakesAward   bool              `json:"takesAward"`
	Misfit       map[string]string `json:"misfit"`
	Waiting      map[string]string `json:"waiting"`
	Evidence     []string          `json:"evidence,omitempty"`
	Changes      *string           `json:"changes"`
	Counters     []string          `json:"counters"`
	TermsCounter *string           `json:"termsCounter"`
	NextRounds   []string          `json:"nextRounds"`
}

func TestVectorsOfDeals(t *testing.T) {
	vectorstest.Run(t, "deal", func(t *testing.T, c vectors.Case, in foldIn) (any, string) {
		intent := parse(t, in.Intent)
		var recs []*record.Record
		for _, block := range in.Records {
			recs = append(recs, parse(t, block))
		}
		out := fold(t, intent, in.Deal.key(t), recs)
		// The other orders are the properties' matter; two of them stand for all.
		slices.Reverse(recs)
		for _, again := range [][]*record.Record{recs, slices.Concat(recs, recs)} {
			if other := fold(t, intent, in.Deal.key(t), again); !reflect.DeepEqual(other, out) {
				t.Errorf("another order or repetition gives %+v, not %+v", other, out)
			}
		}
		out.Evidence = shown(t, c, out.Evidence)
		return out, ""
	})
}

// shown is the evidence that a case asks for, if it is there. The fold's own has
// also what these records cite.
func shown(t *testing.T, c vectors.Case, evidence []string) []string {
	t.Helper()
	var want struct{ Evidence []string }
	if err := json.Unmarshal(c.Out, &want); err != nil {
		t.Fatal(err)
	}
	for _, id := range want.Evidence {
		if !slices.Contains(evidence, id) {
			return evidence
		}
	}
	return want.Evidence
}

func fold(t *testing.T, intent *record.Record, key record.DealKey, recs []*record.Record) foldOut {
	t.Helper()
	s, err := deal.Fold(intent, key, recs, deal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	out := foldOut{
		Phase: s.Phase, Acceptance: idOf(s.Acceptance), Confirmation: idOf(s.Confirmation), Void: idOf(s.Void),
		CustomerVoid: idOf(s.CustomerVoid), Held: idOf(s.Held), Committed: s.Committed, TakesAward: s.TakesAward,
		Misfit: map[string]string{}, Waiting: map[string]string{}, Agreement: linkOf(s.Agreement), Changes: linkOf(s.Changes),
		Counters: idsOf(s.Counters), TermsCounter: idOf(s.TermsCounter), NextRounds: idsOf(s.NextRounds),
	}
	for _, m := range s.Misfits {
		out.Misfit[m.Record.ID().String()] = string(m.Code)
	}
	for _, w := range s.Waiting {
		out.Waiting[w.Record.ID().String()] = w.Missing.String()
	}
	for _, r := range s.Evidence {
		out.Evidence = append(out.Evidence, r.ID().String())
	}
	slices.Sort(out.Evidence)
	return out
}

func idOf(r *record.Record) *string {
	if r == nil {
		return nil
	}
	id := r.ID().String()
	return &id
}

func idsOf(recs []*record.Record) []string {
	ids := []string{}
	for _, r := range recs {
		ids = append(ids, r.ID().String())
	}
	return ids
}

// linkOf is the text of a link, nil for none.
func linkOf(id cid.Cid) *string {
	if !id.Defined() {
		return nil
	}
	text := id.String()
	return &text
}

// inOrders computes a result of a set of records, which no order and no
// repetition may change.
func inOrders(t *testing.T, blocks []vectors.Hex, compute func([]*record.Record) any) any {
	t.Helper()
	var recs []*record.Record
	for _, block := range blocks {
		recs = append(recs, parse(t, block))
	}
	out := compute(recs)
	slices.Reverse(recs)
	for _, again := range [][]*record.Record{recs, slices.Concat(recs, recs)} {
		if other := compute(again); !reflect.DeepEqual(other, out) {
			t.Errorf("another order or repetition gives %+v, not %+v", other, out)
		}
	}
	return out
}

func TestVectorsOfRounds(t *testing.T) {
	type roundsIn struct {
		Intent  vectors.Hex
		Vendor  crypto.DID
		Records []vectors.Hex
	}
	type round struct {
		Round      int64      `json:"round"`
		Phase      deal.Phase `json:"phase"`
		Agreement  *string    `json:"agreement"`
		Changes    *string    `json:"changes"`
		TakesAward bool       `json:"takesAward"`
		Open       bool       `json:"open"`
		About      *string    `json:"about"`
	}
	vectorstest.Run(t, "deal-rounds", func(t *testing.T, c vectors.Case, in roundsIn) (any, string) {
		intent := parse(t, in.Intent)
		return inOrders(t, in.Records, func(recs []*record.Record) any {
			states, err := deal.FoldRounds(intent, in.Vendor, recs, deal.Options{})
			if err != nil {
				t.Fatal(err)
			}
			rounds, inForce := []round{}, []string{}
			for _, s := range states {
				rounds = append(rounds, round{
					s.Key.Round, s.Phase, linkOf(s.Agreement), linkOf(s.Changes), s.TakesAward, s.RoundOpen() == nil, linkOf(s.Changing()),
				})
			}
			for _, s := range states.InForce() {
				inForce = append(inForce, s.Agreement.String())
			}
			return map[string]any{"rounds": rounds, "inForce": inForce}
		}), ""
	})
}

func TestVectorsOfFollowUps(t *testing.T) {
	type followIn struct {
		Customer  crypto.DID
		Deal      dealIn
		Agreement string
		Records   []vectors.Hex
	}
	word := func(w deal.Word) map[string]any {
		out := map[string]any{"status": nil, "outcome": idOf(w.Outcome)}
		if w.Latest != nil {
			out["status"] = w.Latest.Status
		}
		return out
	}
	vectorstest.Run(t, "follow-up", func(t *testing.T, c vectors.Case, in followIn) (any, string) {
		return inOrders(t, in.Records, func(recs []*record.Record) any {
			f, err := deal.Follow(in.Customer, in.Deal.key(t), parseID(t, in.Agreement), recs)
			if err != nil {
				t.Fatal(err)
			}
			events, misfit := []any{}, map[string]string{}
			for _, e := range f.Events {
				events = append(events, map[string]any{"id": e.Record.ID().String(), "by": e.By, "status": e.Status})
			}
			for _, m := range f.Misfits {
				misfit[m.Record.ID().String()] = string(m.Code)
			}
			return map[string]any{
				"events": events, "receipts": idsOf(f.Receipts), "misfit": misfit, "customer": word(f.Customer), "vendor": word(f.Vendor),
			}
		}), ""
	})
}

func parse(t *testing.T, block []byte) *record.Record {
	t.Helper()
	r, err := record.Parse(block)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestVectorsOfBundles(t *testing.T) {
	vectorstest.Run(t, "bundle", func(t *testing.T, c vectors.Case, in struct{ Payload vectors.Hex }) (any, string) {
		recs, err := record.DecodeBundle(in.Payload)
		if err != nil {
			return nil, codeOf(err)
		}
		var ids []string
		for _, r := range recs {
			ids = append(ids, r.ID().String())
		}
		return map[string]any{"records": ids, "about": ids[len(ids)-1]}, ""
	})
}

func TestVectorsOfFrames(t *testing.T) {
	type frameIn struct {
		Frame  vectors.Hex
		Market *string
	}
	// What depends on the market is judged in node/ingest.
	carried := func(in frameIn) bool { return in.Market == nil }
	vectorstest.RunSome(t, "frame", carried, func(t *testing.T, c vectors.Case, in frameIn) (any, string) {
		block, stamp, err := record.DecodeFrame(in.Frame)
		if err != nil {
			return nil, codeOf(err)
		}
		id, message := codec.Sum(block), sha256.Sum256(in.Frame)
		return map[string]any{
			"messageId": vectors.Hex(message[:]), "record": id.String(), "stampBits": record.StampBits(id, stamp),
		}, ""
	})
}

type dealOut struct {
	Deal      map[string]any `json:"deal"`
	ID        string         `json:"id"`
	Phase     deal.Phase     `json:"phase"`
	Agreement *string        `json:"agreement"`
	InForce   bool           `json:"inForce"`
}

func TestVectorsOfArchives(t *testing.T) {
	vectorstest.Run(t, "archive", func(t *testing.T, c vectors.Case, in struct{ Car vectors.Hex }) (any, string) {
		archive, err := proof.Read(bytes.NewReader(in.Car))
		if err != nil {
			return nil, codeOf(err)
		}
		report := proof.Verify(archive)
		for _, check := range report.Checks {
			if check.Status == proof.Failed {
				return nil, string(check.Code)
			}
		}
		ids, deals := []string{}, []dealOut{}
		for _, r := range archive.Records {
			ids = append(ids, r.ID().String())
		}
		for _, fact := range report.Deals {
			if fact.Phase == "" {
				continue // its intent isn't there
			}
			out := dealOut{
				Deal: map[string]any{"intent": fact.Intent.String(), "vendor": fact.Seller, "round": fact.Round},
				ID:   fact.ID.String(), Phase: fact.Phase, InForce: fact.InForce,
			}
			if fact.Agreement != nil {
				id := fact.Agreement.String()
				out.Agreement = &id
			}
			deals = append(deals, out)
		}
		slices.SortFunc(deals, func(a, b dealOut) int { return strings.Compare(a.ID, b.ID) })
		return map[string]any{"root": archive.Root.String(), "kind": archive.Manifest.Kind, "records": ids, "deals": deals}, ""
	})
}
