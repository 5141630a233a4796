package book_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

// Deals are found by the beginning of their IDs, those of before a start and those
// of after it, and not any more once they are dropped.
func TestDealsBeginning(t *testing.T) {
	l, in := &memory{}, &box{}
	b := open(t, l, in)
	var all []string
	receiveOffers := func(b *book.Book, from, to int) {
		for i := from; i < to; i++ {
			d := recordtest.NewDeal(t, fmt.Sprint("deal ", i))
			keep(t, b, d.Intent, d.Intent)
			receive(t, b, d.Offer)
			all = append(all, d.Key.ID().String())
		}
		slices.Sort(all)
	}
	check := func(b *book.Book) {
		t.Helper()
		text := func(deals []*book.Deal) (out []string) {
			for _, d := range deals {
				out = append(out, d.ID.String())
			}
			return out
		}
		if got := text(b.Deals()); !slices.Equal(got, all) {
			t.Fatalf("%d deals, want %d in order", len(got), len(all))
		}
		for _, id := range all {
			for _, prefix := range []string{id[:9], id[:10], id[:12], id, id + "a", id[:11] + "!", "c"} {
				var want []string
				for _, other := range all {
					if strings.HasPrefix(other, prefix) {
						want = append(want, other)
					}
				}
				if got := text(b.DealsBeginning(prefix)); !slices.Equal(got, want) {
					t.Errorf("%s: %v, want %v", prefix, got, want)
				}
			}
		}
	}
	check(b)
	receiveOffers(b, 0, 40)
	check(b)
	b = open(t, l, in)
	check(b)
	receiveOffers(b, 40, 60)
	check(b)
	if len(b.DealsBeginning("")) != 60 {
		t.Error("not all begin with nothing")
	}
	gone := map[string]bool{}
	b.Expire(func(r *record.Record) bool {
		key, _ := r.Deal()
		id := key.ID().String()
		gone[id] = id < all[20]
		return !gone[id]
	})
	all = slices.DeleteFunc(all, func(id string) bool { return gone[id] })
	if len(all) != 40 {
		t.Fatalf("%d are left", len(all))
	}
	check(b)
}
