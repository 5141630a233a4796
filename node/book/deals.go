package book

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ipfs/go-cid"
)

// Deals are all deals, ordered by their IDs as text.
func (b *Book) Deals() []*Deal {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.known(b.byText)
}

// DealsBeginning are the deals whose ID, as text, begins so, ordered by it.
func (b *Book) DealsBeginning(prefix string) []*Deal {
	b.mu.RLock()
	defer b.mu.RUnlock()
	from, _ := b.place(prefix)
	to := from
	for to < len(b.byText) && strings.HasPrefix(b.byText[to].String(), prefix) {
		to++
	}
	return b.known(b.byText[from:to])
}

// known are those of the deals whose intent is here.
func (b *Book) known(ids []cid.Cid) []*Deal {
	out := make([]*Deal, 0, len(ids))
	for _, id := range ids {
		if d := b.deals[id]; d.Intent != nil {
			out = append(out, d)
		}
	}
	return out
}

// place is where a text stands among the IDs, or would.
func (b *Book) place(text string) (at int, there bool) {
	return slices.BinarySearchFunc(b.byText, text, func(id cid.Cid, text string) int { return cmp.Compare(id.String(), text) })
}

// sortDeals begins the list of the IDs.
func (b *Book) sortDeals() {
	type name struct {
		text string
		id   cid.Cid
	}
	names := make([]name, 0, len(b.deals))
	for id := range b.deals {
		names = append(names, name{id.String(), id})
	}
	slices.SortFunc(names, func(x, y name) int { return cmp.Compare(x.text, y.text) })
	b.byText = make([]cid.Cid, len(names))
	for i, n := range names {
		b.byText[i] = n.id
	}
}

// list adds a new deal to the list; the caller holds mu or is alone.
func (b *Book) list(id cid.Cid) {
	if b.byText == nil {
		return // they are sorted when all are here
	}
	if at, there := b.place(id.String()); !there {
		b.byText = slices.Insert(b.byText, at, id)
	}
}

// forget drops a deal; the caller holds mu.
func (b *Book) forget(d *Deal) {
	delete(b.deals, d.ID)
	if at, there := b.place(d.ID.String()); there {
		b.byText = slices.Delete(b.byText, at, at+1)
	}
	rest := slices.DeleteFunc(slices.Clone(b.ofIntent[d.Key.Intent]), func(id cid.Cid) bool { return id == d.ID })
	if b.ofIntent[d.Key.Intent] = rest; len(rest) == 0 {
		delete(b.ofIntent, d.Key.Intent)
	}
}
