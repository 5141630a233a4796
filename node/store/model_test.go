package store

import (
	"bytes"
	"cmp"
	"maps"
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol/record"
)

// model is the store as a plain map: what it promises, without an index.
type model struct {
	quota   Quota
	entries map[string]*Entry // by the ID's bytes
	cites   map[string][]cid.Cid
}

func newModel(q Quota) *model {
	return &model{quota: q, entries: make(map[string]*Entry), cites: make(map[string][]cid.Cid)}
}

func idOf(r *record.Record) string { return r.ID().KeyString() }

// links remembers what a record links to: reading it takes its time.
func (m *model) links(r *record.Record) []cid.Cid {
	links, ok := m.cites[idOf(r)]
	if !ok {
		links = r.Links()
		m.cites[idOf(r)] = links
	}
	return links
}

func (m *model) put(items []Item) {
	for _, item := range items {
		m.putOne(item)
	}
	for m.quota.exceeded(m.stats().Foreign) {
		m.evict()
	}
}

func (m *model) putOne(item Item) {
	r := item.Record
	if item.Class == ClassOwn {
		for _, link := range m.links(r) {
			if e := m.entries[link.KeyString()]; e != nil {
				e.Class = max(e.Class, ClassDeal)
			}
		}
	}
	e := m.entries[idOf(r)]
	if e == nil {
		if w, ok := r.Body().(*record.Withdrawal); ok {
			if i := m.entries[w.Intent.KeyString()]; i != nil && i.Record.Header().By == r.Header().By {
				if _, ok := i.Record.Body().(*record.Intent); ok {
					i.Withdrawn = true
				}
			}
		}
		e = &Entry{Record: r, Class: item.Class, Expires: expiresOf(r)}
		if e.Class == ClassForeign && m.citedByOwn(r) {
			e.Class = ClassDeal
		}
		_, isIntent := r.Body().(*record.Intent)
		e.Withdrawn = isIntent && m.withdrawn(r)
		e.note(marketsOf(r)...)
		m.entries[idOf(r)] = e
	}
	e.Class = max(e.Class, item.Class)
	e.note(item.Market)
}

func (e *Entry) note(markets ...string) {
	all := slices.Concat(e.Markets, markets)
	all = slices.DeleteFunc(all, func(m string) bool { return m == "" })
	slices.Sort(all)
	e.Markets = slices.Compact(all)
}

func (m *model) withdrawn(intent *record.Record) bool {
	for _, e := range m.entries {
		if w, ok := e.Record.Body().(*record.Withdrawal); ok &&
			w.Intent == intent.ID() && e.Record.Header().By == intent.Header().By {
			return true
		}
	}
	return false
}

func (m *model) citedByOwn(r *record.Record) bool {
	for _, e := range m.entries {
		if e.Class == ClassOwn && slices.Contains(m.links(e.Record), r.ID()) {
			return true
		}
	}
	return false
}

func (m *model) dealOfOwn(r *record.Record) bool {
	key, ok := r.Deal()
	if !ok {
		return false
	}
	for _, e := range m.entries {
		if own, ok := e.Record.Deal(); ok && e.Class == ClassOwn && own == key {
			return true
		}
	}
	return false
}

func (m *model) evict() {
	var first *Entry
	for _, e := range m.entries {
		if e.Class == ClassForeign && (first == nil || compareAt(e.Record.Header().At, e, first.Record.Header().At, first) < 0) {
			first = e
		}
	}
	delete(m.entries, idOf(first.Record))
}

func (m *model) expire(now int64) (n int) {
	for id, e := range m.entries {
		gone := false
		switch e.Class {
		case ClassForeign:
			gone = dueOf(e.Record) <= now
		case ClassDeal:
			gone = e.Record.Header().RetainUntil <= now && !m.citedByOwn(e.Record) && !m.dealOfOwn(e.Record)
		}
		if gone {
			delete(m.entries, id)
			n++
		}
	}
	return n
}

func (m *model) stats() (s Stats) {
	for _, e := range m.entries {
		u := s.of(e.Class)
		u.Count++
		u.Bytes += int64(len(e.Record.Raw()))
	}
	return s
}

func compareAt(a int64, ea *Entry, b int64, eb *Entry) int {
	return cmp.Or(cmp.Compare(a, b), bytes.Compare(ea.Record.ID().Bytes(), eb.Record.ID().Bytes()))
}

// query is the naive filter over a slice.
func (m *model) query(f Filter) (out []Entry) {
	for _, e := range m.entries {
		if m.wants(&f, e) {
			out = append(out, *e)
		}
	}
	slices.SortFunc(out, func(a, b Entry) int {
		switch f.Order {
		case Newest:
			return compareAt(b.Record.Header().At, &b, a.Record.Header().At, &a)
		case ByExpiry:
			return compareAt(a.Expires, &a, b.Expires, &b)
		default:
			return compareAt(a.Record.Header().At, &a, b.Record.Header().At, &b)
		}
	})
	return out
}

func (m *model) wants(f *Filter, e *Entry) bool {
	r, h := e.Record, e.Record.Header()
	if len(f.Types) > 0 && !slices.Contains(f.Types, r.Type()) {
		return false
	}
	if f.Author != "" && f.Author != h.By {
		return false
	}
	if f.Market != "" && !slices.Contains(e.Markets, f.Market) {
		return false
	}
	if f.Category != "" && !slices.Contains(categoriesOf(r), f.Category) {
		return false
	}
	if f.Deal.Defined() {
		if key, ok := r.Deal(); !ok || key.ID() != f.Deal {
			return false
		}
	}
	if f.Cites.Defined() && !slices.Contains(m.links(r), f.Cites) {
		return false
	}
	if len(f.Classes) > 0 && !slices.Contains(f.Classes, e.Class) {
		return false
	}
	if h.At < f.AtFrom || f.AtTo != 0 && h.At >= f.AtTo {
		return false
	}
	if f.ExpiresBefore != 0 && e.Expires >= f.ExpiresBefore {
		return false
	}
	return !f.Live || !e.Withdrawn && e.Expires > f.Now && h.RetainUntil > f.Now
}

// filter is a random filter about the world.
func (w *world) filter() Filter {
	rng := w.rng
	f := Filter{Order: Order(rng.IntN(3))}
	maybe := func() bool { return rng.IntN(4) == 0 }
	if maybe() {
		types := []string{"intent", "withdrawal", "profile", "offer", "acceptance", "delivery-receipt", "wanted-poster"}
		rng.Shuffle(len(types), func(i, j int) { types[i], types[j] = types[j], types[i] })
		f.Types = types[:1+rng.IntN(3)]
	}
	if maybe() {
		f.Author = crypto.DID(pick(rng, w.parties))
	}
	if maybe() {
		f.Market = pick(rng, []string{"vehicles", "food", "services/repair", "elsewhere", "nowhere"})
	}
	if maybe() {
		f.Category = pick(rng, worldCategories)
	}
	if rng.IntN(8) == 0 && len(w.intents) > 0 {
		f.Deal = w.dealKey().ID()
	}
	if rng.IntN(8) == 0 {
		f.Cites = pick(rng, w.all).ID()
	}
	if maybe() {
		classes := []Class{ClassForeign, ClassDeal, ClassOwn}
		rng.Shuffle(3, func(i, j int) { classes[i], classes[j] = classes[j], classes[i] })
		f.Classes = classes[:1+rng.IntN(2)]
	}
	if maybe() {
		f.AtFrom = now - int64(rng.IntN(45))
	}
	if maybe() {
		f.AtTo = now - int64(rng.IntN(45))
	}
	if maybe() {
		f.ExpiresBefore = now + int64(rng.IntN(60)) - 10
	}
	if maybe() {
		f.Live, f.Now = true, now+int64(rng.IntN(60))-30
	}
	return f
}

func (m *model) sorted() []string { return slices.Sorted(maps.Keys(m.entries)) }
