package deal_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/decimal"
	"github.com/parley-protocol/parley/protocol/record"
)

// follows are records about the agreement k of the first round.
type follows struct {
	c     *cast
	about record.Subject
}

func newFollows(c *cast) (follows, *record.Record) {
	_, _, k := c.agreement(1, 10, nil)
	return follows{c, record.Subject{Deal: c.key(0, 1), Agreement: k.ID()}}, k
}

func (f follows) event(by, status string, at int64) *record.Record {
	return f.say(by, at, &record.OrderEvent{Subject: f.about, OrderStatus: status})
}

func (f follows) outcome(by, result string, at int64) *record.Record {
	return f.say(by, at, &record.Outcome{Subject: f.about, Result: result})
}

func (f follows) receipt(by string, at int64) *record.Record {
	return f.say(by, at, &record.Receipt{Subject: f.about, OrderDate: t0, PriceCurrency: "EUR", TotalPrice: decimal.MustParse("100")})
}

func (f follows) say(by string, at int64, body record.Body) *record.Record {
	switch by {
	case "customer":
		return f.c.customerSays(at, body)
	case "vendor":
		return f.c.vendorSays(at, body)
	default:
		return f.c.sign(f.c.vendors[1], t0+at, body)
	}
}

func (f follows) follow(t testing.TB, recs ...*record.Record) deal.FollowUp {
	t.Helper()
	got, err := deal.Follow(f.c.customer.DID(), f.about.Deal, f.about.Agreement, recs)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// followDigest writes out all that a follow-up says.
func followDigest(f deal.FollowUp) (text string) {
	for _, e := range f.Events {
		text += fmt.Sprintf("%s %s %s\n", e.By, e.Status, shortID(e.Record.ID()))
	}
	for _, r := range f.Receipts {
		text += "receipt " + shortID(r.ID()) + "\n"
	}
	for side, w := range map[string]deal.Word{"customer": f.Customer, "vendor": f.Vendor} {
		var lines []string
		for status, r := range w.Statuses {
			lines = append(lines, side+" "+status+" "+shortID(r.ID()))
		}
		slices.Sort(lines)
		if w.Latest != nil {
			lines = append(lines, side+" latest "+w.Latest.Status)
		}
		if w.Outcome != nil {
			lines = append(lines, side+" outcome "+shortID(w.Outcome.ID()))
		}
		if side == "vendor" {
			text += fmt.Sprint(lines)
		} else {
			text = fmt.Sprint(lines) + text
		}
	}
	for _, m := range f.Misfits {
		text += fmt.Sprintf(" misfit %s=%s", shortID(m.Record.ID()), m.Code)
	}
	return text
}

// Who may say what, by the registry.
//
//spec:shows DEAL-46 DEAL-47
func TestFollowAuthors(t *testing.T) {
	c := newCast()
	f, _ := newFollows(c)
	for _, status := range append(protocol.OrderStatuses(), protocol.OrderStatus{Code: "of_later", SaidBy: "both"}) {
		for _, by := range []string{"customer", "vendor", "stranger"} {
			may := by != "stranger" && (status.SaidBy == "both" || status.SaidBy == by)
			got := f.follow(t, f.event(by, status.Code, 100))
			if may != (len(got.Events) == 1) || may == (len(got.Misfits) == 1) {
				t.Errorf("%s by %s: %+v", status.Code, by, got)
			}
			if !may && got.Misfits[0].Code != protocol.CodeWrongAuthor {
				t.Errorf("%s by %s: %s", status.Code, by, got.Misfits[0].Code)
			}
			if may && status.Code == "of_later" && got.Events[0].Status != deal.StatusOther {
				t.Errorf("an unknown status is shown as %s", got.Events[0].Status)
			}
		}
	}
	for by, want := range map[string]int{"vendor": 1, "customer": 0, "stranger": 0} {
		if got := f.follow(t, f.receipt(by, 100)); len(got.Receipts) != want || len(got.Misfits) != 1-want {
			t.Errorf("a receipt by %s: %+v", by, got)
		}
	}
	if got := f.follow(t, f.outcome("stranger", "fulfilled", 100)); len(got.Misfits) != 1 {
		t.Errorf("a stranger's outcome: %+v", got)
	}
}

// Both sides' words stand beside each other, the newest of each.
//
//spec:shows DEAL-48
func TestFollowShowsBoth(t *testing.T) {
	c := newCast()
	f, _ := newFollows(c)
	got := f.follow(t,
		f.event("vendor", "delivered", 110), f.event("vendor", "dispatched", 105), f.event("customer", "problem", 120), f.event("customer", "paid", 104),
		f.outcome("vendor", "fulfilled", 130), f.outcome("customer", "disputed", 131), f.outcome("customer", "partly", 125))
	if got.Vendor.Latest.Status != "delivered" || got.Customer.Latest.Status != "problem" || len(got.Events) != 4 || got.Events[0].Status != "paid" {
		t.Errorf("%s", followDigest(got))
	}
	if got.Vendor.Outcome.Body().(*record.Outcome).Result != "fulfilled" || got.Customer.Outcome.Body().(*record.Outcome).Result != "disputed" || len(got.Customer.Outcomes) != 2 {
		t.Errorf("%s", followDigest(got))
	}
	if got.Customer.Statuses["paid"] == nil || got.Vendor.Statuses["paid"] != nil {
		t.Errorf("%s", followDigest(got))
	}
}

// What is about something else, or isn't understood, has no part.
//
//spec:shows DEAL-45 DEAL-47
func TestFollowMisfits(t *testing.T) {
	c := newCast()
	f, k := newFollows(c)
	other, round := f, f
	other.about.Agreement = c.intent.ID()
	round.about.Deal = c.key(0, 2)
	critical := c.signWith(c.vendors[0], record.Header{At: t0 + 100, RetainUntil: t0 + 100_000, Ext: map[string]any{"x": int64(1)}, Crit: []string{"x"}},
		&record.OrderEvent{Subject: f.about, OrderStatus: "delivered"})
	tests := map[string]struct {
		rec  *record.Record
		code protocol.Code
	}{
		"another agreement":  {other.event("vendor", "delivered", 100), protocol.CodeDealMismatch},
		"another round":      {round.receipt("vendor", 100), protocol.CodeDealMismatch},
		"a record of a deal": {k, protocol.CodeDealMismatch},
		"crit":               {critical, protocol.CodeCriticalExtension},
	}
	for name, test := range tests {
		got := f.follow(t, test.rec)
		if len(got.Misfits) != 1 || got.Misfits[0].Code != test.code || len(got.Events)+len(got.Receipts) > 0 {
			t.Errorf("%s: %s", name, followDigest(got))
		}
	}
	if _, err := deal.Follow(c.customer.DID(), f.about.Deal, f.about.Agreement, recs{nil}); protocol.CodeOf(err) != protocol.CodeInternal {
		t.Errorf("a nil record: %v", err)
	}
}

// Follow-up records are of no deal: the fold puts them aside.
//
//spec:shows DEAL-45
func TestFollowUpsChangeNoDeal(t *testing.T) {
	c := newCast()
	f, _ := newFollows(c)
	o, a, k := c.agreement(1, 10, nil)
	for _, r := range []*record.Record{f.event("vendor", "problem", 100), f.receipt("vendor", 100), f.outcome("customer", "not_fulfilled", 100)} {
		s := c.fold(t, deal.Options{}, o, a, k, r)
		if s.Phase != deal.PhaseAgreed || s.Agreement != k.ID() || len(s.Misfits) != 1 || s.Misfits[0].Code != protocol.CodeDealMismatch {
			t.Errorf("%s: %s", r.Type(), digest(s))
		}
	}
}

// Order and repetition change nothing, and a record more takes none away.
//
//spec:shows DEAL-46
func TestFollowIsOfTheSet(t *testing.T) {
	c := newCast()
	f, k := newFollows(c)
	other := f
	other.about.Agreement = c.intent.ID()
	all := recs{k, f.receipt("vendor", 100), f.receipt("vendor", 101), f.receipt("customer", 100), f.outcome("vendor", "fulfilled", 99),
		f.outcome("customer", "fulfilled", 99), f.outcome("customer", "disputed", 99), other.event("vendor", "paid", 100)}
	for i, status := range []string{"delivered", "paid", "of_later", "refunded", "fulfilled"} {
		for _, by := range []string{"customer", "vendor", "stranger"} {
			all = append(all, f.event(by, status, 100+int64(i/2)))
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		set := rapid.SliceOfNDistinct(rapid.SampledFrom(all), 0, 12, (*record.Record).ID).Draw(rt, "set")
		got := f.follow(t, set...)
		again := rapid.Permutation(append(slices.Clone(set), set...)).Draw(rt, "order")
		if other := f.follow(t, again...); followDigest(other) != followDigest(got) {
			rt.Fatalf("in another order:\n%s\n%s", followDigest(got), followDigest(other))
		}
		outcomes := len(got.Customer.Outcomes) + len(got.Vendor.Outcomes)
		if len(got.Events)+len(got.Receipts)+outcomes+len(got.Misfits) != len(set) {
			rt.Fatalf("of %d records: %s", len(set), followDigest(got))
		}
		more := f.follow(t, append(slices.Clone(set), rapid.SampledFrom(all).Draw(rt, "more"))...)
		if len(more.Events) < len(got.Events) || len(more.Misfits) < len(got.Misfits) {
			rt.Fatalf("a record more took one away:\n%s\n%s", followDigest(got), followDigest(more))
		}
	})
}
