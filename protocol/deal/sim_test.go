package deal_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/record"
)

// scenario is one kind of world that a run plays in.
type scenario struct {
	name        string
	vendors     int
	rounds      int64
	awards      int64
	restoreC    bool // the customer comes back once from an old backup
	restoreV    bool // vendor 0 does
	badCustomer bool // signs whatever its key can sign
	badVendor   bool // vendor 0 does
}

// rules are what the players of a run go by. The tests of the tests put a
// mistake into one of them.
type rules struct {
	fold       func(intent *record.Record, key record.DealKey, recs []*record.Record, opts deal.Options) (deal.State, error)
	decide     func(deal.State, int64) deal.Decision
	mayOffer   func(deal.State) error
	mayDecline func(deal.State, int64) error
	mayAdopt   func(deal.State, cid.Cid) error
	mayAccept  func(deal.State, cid.Cid, int64) error
	mayAsk     func(deal.State) error

	mayNextRound func(deal.State) error
	answer       func(deal.State, int64) deal.Decision
	awardsLeft   func(awards int64, states []deal.State, now int64) int64

	awardRace   bool // awards are counted when the person chooses, not with the fsync
	sendFirst   bool // an acceptance is sent before it is persisted
	forgetful   bool // a crash forgets decisions that were sent
	freeRelease bool // personal data leaves with the acceptance
}

// trueRules are those of the package.
func trueRules() rules {
	return rules{
		fold:       deal.Fold,
		decide:     deal.State.Decide,
		mayOffer:   func(s deal.State) error { return s.MayOfferChange(s.Changing()) },
		mayDecline: deal.State.MayDecline,
		mayAdopt:   deal.State.MayAdopt,
		mayAccept:  deal.State.MayAccept,
		mayAsk:     deal.State.MayAsk,

		mayNextRound: deal.State.MayNextRound,
		answer:       deal.State.AnswerRestored,
		awardsLeft:   func(awards int64, states []deal.State, _ int64) int64 { return deal.AwardsLeft(awards, states) },
	}
}

// disk is what one side has of one deal.
type disk struct {
	recs     []*record.Record
	state    deal.State
	ram      deal.Decision // made and not yet persisted
	override bool          // the person allows ram to go beyond the awards
	final    deal.Phase    // the first final phase that this side was in
}

// table is one deal: a vendor and a round.
type table struct {
	vendor        int
	key           record.DealKey
	net           []*record.Record // all that was ever sent
	customer      disk
	seller        disk
	released      bool
	acceptances   map[cid.Cid]bool // ever persisted or sent by the customer
	confirmations map[cid.Cid]bool // ever persisted or sent by the seller
}

// run is one random history.
type run struct {
	c         *cast
	sc        scenario
	rules     rules
	rng       *rand.Rand
	tables    []*table
	now       int64
	skew      [2]int64 // of the sellers' clocks
	overrides int64

	backups   [][]*record.Record // of the side that will be restored, per table
	customerR bool               // the customer was restored
	sellerR   bool               // vendor 0 was restored

	weights [5]int // of the kinds of moves: time, people, programs, sending, delivery
	held    string // the type of record that the network keeps back to the end
	temper  int    // which moves the cheat makes
	crimes  int    // how many it has left
	cut     bool   // a crash comes after the first record that is sent
	met     tally
	logging bool
	log     []string
}

// tally counts what a history has met with.
type tally struct{ crashes, restores, lies, copies, losses, overrides, counters, rounds, changes int }

func (n *tally) add(m tally) {
	n.crashes += m.crashes
	n.restores += m.restores
	n.lies += m.lies
	n.copies += m.copies
	n.losses += m.losses
	n.overrides += m.overrides
	n.counters += m.counters
	n.rounds += m.rounds
	n.changes += m.changes
}

func (n tally) String() string {
	return fmt.Sprintf("%d crashes, %d restored backups, %d lies, %d copies and %d losses on the way, %d overrides, %d counters, %d further rounds, %d changes",
		n.crashes, n.restores, n.lies, n.copies, n.losses, n.overrides, n.counters, n.rounds, n.changes)
}

// holdAgainst fails a test whose histories met with less than they should.
func (n tally) holdAgainst(t *testing.T, sc scenario, seeds int) {
	t.Helper()
	cheats, restores := sc.badCustomer || sc.badVendor, sc.restoreC || sc.restoreV
	if n.crashes < seeds/4 || n.copies < seeds || n.losses < seeds/8 ||
		cheats != (n.lies >= seeds/2) || restores != (n.restores >= seeds/8) ||
		!sc.badCustomer && (n.counters < seeds/20 || sc.rounds > 1 && n.rounds < seeds/20) ||
		sc.rounds > 1 && !cheats && !restores && n.changes == 0 {
		t.Errorf("%d histories met with too little: %v", seeds, n)
	}
}

// violation is a property that didn't hold.
type violation struct {
	property string
	detail   string
}

func (v *violation) Error() string { return v.property + ": " + v.detail }

// play runs one history and checks the properties P1 to P8 of spec/model after
// each step and, where nothing moves any more, P6 and P8.
func play(c *cast, sc scenario, rs rules, seed uint64) (*run, error) {
	r, err := playOnce(c, sc, rs, seed, false)
	if err == nil {
		return r, nil
	}
	r, err = playOnce(c, sc, rs, seed, true)
	v, ok := err.(*violation)
	if !ok {
		return r, fmt.Errorf("seed %d: the second time, it went differently: %w", seed, err)
	}
	v.detail += fmt.Sprintf("\nscenario %q, seed %d", sc.name, seed)
	for _, line := range r.log {
		v.detail += "\n  " + line
	}
	for _, t := range r.tables {
		v.detail += fmt.Sprintf("\n  customer: %s\n  seller:   %s", digest(t.customer.state), digest(t.seller.state))
	}
	return r, v
}

func playOnce(c *cast, sc scenario, rs rules, seed uint64, logging bool) (*run, error) {
	r := &run{c: c, sc: sc, rules: rs, rng: rand.New(rand.NewPCG(seed, 7)), now: t0 + 1, logging: logging}
	for i := range r.weights {
		r.weights[i] = 1 + r.rng.IntN(8)
	}
	types := []string{"", protocol.TypeOffer, protocol.TypeAcceptance, protocol.TypeConfirmation, protocol.TypeConfirmation,
		protocol.TypeVoid, protocol.TypeCancel, protocol.TypeRestored, protocol.TypeHeld, protocol.TypeCustomerVoid}
	r.held = types[r.rng.IntN(len(types))]
	r.temper, r.crimes = r.rng.IntN(64), 1+r.rng.IntN(6)
	for round := int64(1); round <= sc.rounds; round++ {
		for v := range sc.vendors {
			r.tables = append(r.tables, &table{vendor: v, key: c.key(v, round), acceptances: map[cid.Cid]bool{}, confirmations: map[cid.Cid]bool{}})
		}
	}
	r.skew = [2]int64{r.rng.Int64N(5) - 2, r.rng.Int64N(5) - 2}
	for _, t := range r.tables {
		r.refold(t, true)
		r.refold(t, false)
	}
	if r.rng.IntN(3) > 0 {
		r.backup() // one from before everything
	}
	for range sc.rounds { // a further round begins when the one before is decided
		for range 30 + r.rng.IntN(60*len(r.tables)) {
			r.step(r.tables[r.rng.IntN(len(r.tables))])
			if err := r.check(); err != nil {
				return r, err
			}
		}
		if err := r.rest(); err != nil {
			return r, err
		}
	}
	return r, r.checkAtRest()
}

// rest lets everything arrive and every program do what it can.
func (r *run) rest() error {
	const enough = 200 // far more turns than there are records to sign
	for range enough {
		moved := false
		for _, t := range r.tables {
			moved = r.settle(t) || moved
			if err := r.check(); err != nil {
				return err
			}
		}
		if !moved {
			return nil
		}
	}
	return &violation{"P6", "it never comes to rest"}
}

func (r *run) honestVendor(t *table) bool { return !r.sc.badVendor || t.vendor != 0 }
func (r *run) bothHonest(t *table) bool   { return !r.sc.badCustomer && r.honestVendor(t) }
func (r *run) cheats() bool               { return r.sc.badCustomer || r.sc.badVendor }
func (r *run) vendorNow(t *table) int64   { return max(r.now+r.skew[t.vendor], t0+1) }
func (r *run) vendorKey(t *table) *crypto.SigningKey {
	return r.c.vendors[t.vendor]
}
func (r *run) restoredSeller(t *table) bool { return r.sellerR && t.vendor == 0 }

// recovering: a restored seller that hasn't got its decision back.
func (r *run) recovering(t *table) bool {
	return r.restoredSeller(t) && count[*record.Confirmation](t.seller.recs)+count[*record.Void](t.seller.recs) == 0 && t.seller.state.CustomerVoid == nil
}

// refold folds a side's disk, and that of the next round, which looks at it.
func (r *run) refold(t *table, customer bool) {
	side, opts := &t.seller, deal.Options{Restored: r.restoredSeller(t)}
	if customer {
		side, opts = &t.customer, deal.Options{Restored: r.customerR}
	}
	for _, other := range r.tables {
		if other.vendor == t.vendor && other.key.Round == t.key.Round-1 {
			opts.Previous = &other.seller.state
			if customer {
				opts.Previous = &other.customer.state
			}
		}
	}
	state, err := r.rules.fold(r.c.intent, t.key, side.recs, opts)
	if err != nil {
		panic(err)
	}
	side.state = state
	for _, other := range r.tables {
		if other.vendor == t.vendor && other.key.Round == t.key.Round+1 {
			r.refold(other, customer)
		}
	}
}

// put persists a record on a side's disk.
func (r *run) put(t *table, customer bool, recs ...*record.Record) {
	side := &t.seller
	if customer {
		side = &t.customer
	}
	for _, rec := range recs {
		if !slices.Contains(side.recs, rec) {
			side.recs = append(side.recs, rec)
		}
	}
	r.refold(t, customer)
}

// send puts a side's own records into the world.
func (r *run) send(t *table, by crypto.DID, recs []*record.Record) (sent bool) {
	for _, rec := range recs {
		if rec.Header().By == by && !slices.Contains(t.net, rec) {
			t.net = append(t.net, rec)
			r.note(t, "%s sent", rec.Type())
			sent = true
			if r.cut {
				break
			}
		}
	}
	return sent
}

func (r *run) note(t *table, format string, args ...any) {
	if !r.logging {
		return
	}
	r.log = append(r.log, fmt.Sprintf("%d seller %d round %d: ", r.now-t0, t.vendor, t.key.Round)+fmt.Sprintf(format, args...))
}

// step is one move of somebody.
func (r *run) step(t *table) {
	if r.decisionInFlight() && r.rng.IntN(4) == 0 {
		r.backup()
		return
	}
	total := 0
	for _, w := range r.weights {
		total += w
	}
	kind, n := 0, r.rng.IntN(total)
	for n >= r.weights[kind] {
		n -= r.weights[kind]
		kind++
	}
	atCustomer := r.rng.IntN(2) == 0
	switch {
	case kind == 0 && r.rng.IntN(3) > 0:
		if r.rng.IntN(len(r.tables)) == 0 {
			r.now++
		}
	case kind == 0 && r.rng.IntN(2) > 0:
		if r.backups == nil || r.rng.IntN(8) == 0 {
			r.backup()
		}
	case kind == 0 && r.rng.IntN(2) > 0:
		r.crash(t)
	case kind == 0:
		r.skew[t.vendor] += r.rng.Int64N(13) - 6
	case kind == 3:
		r.cut = r.rng.IntN(4) == 0
		r.sendAll(t)
		if r.cut {
			r.cut = false
			r.crash(t)
		}
	case kind == 4:
		if len(t.net) > 0 {
			if rec := t.net[r.rng.IntN(len(t.net))]; rec.Type() != r.held {
				r.deliver(t, rec, r.rng.IntN(4) == 0)
			}
		}
	case atCustomer && r.sc.badCustomer:
		r.customerCheats(t)
	case atCustomer && kind == 1:
		r.customerPeople(t)
	case atCustomer:
		r.customerProgram(t)
	case !r.honestVendor(t):
		r.vendorCheats(t)
	case kind == 1:
		r.vendorPeople(t)
	default:
		r.vendorProgram(t)
	}
}

// decisionInFlight reports whether a side that can come back from a backup would
// lose something that is still on its way: the moment that matters.
func (r *run) decisionInFlight() bool {
	for _, t := range r.tables {
		for _, rec := range t.net {
			switch rec.Body().(type) {
			case *record.Confirmation:
				if r.sc.restoreV && t.vendor == 0 && !slices.Contains(t.customer.recs, rec) {
					return true
				}
			case *record.Acceptance:
				if r.sc.restoreC && !slices.Contains(t.seller.recs, rec) {
					return true
				}
			}
		}
	}
	return false
}

// sendAll sends, and after a crash resends, the stored bytes.
func (r *run) sendAll(t *table) bool {
	sent := false
	if !r.sc.badCustomer {
		sent = r.send(t, r.c.customer.DID(), t.customer.recs)
	}
	if r.honestVendor(t) {
		sent = r.send(t, r.vendorKey(t).DID(), t.seller.recs) || sent
	}
	return sent
}

// deliver brings a record to the other side, with the records that it cites
// unless they are lost.
func (r *run) deliver(t *table, rec *record.Record, alone bool) (news bool) {
	bundle := []*record.Record{rec}
	if alone {
		r.met.losses++
	} else {
		bundle = r.withCited(t, rec)
	}
	toCustomer := rec.Header().By != r.c.customer.DID()
	side, honest := &t.seller, r.honestVendor(t)
	if toCustomer {
		side, honest = &t.customer, !r.sc.badCustomer
	}
	if !honest {
		return false
	}
	for i := len(bundle) - 1; i >= 0; i-- { // the citing record first: held before the decision
		b := bundle[i]
		if slices.Contains(side.recs, b) {
			r.met.copies++
			continue
		}
		if !toCustomer && r.restoredSeller(t) && isDecision(b) && r.rules.mayAdopt(t.seller.state, b.ID()) != nil {
			continue
		}
		r.put(t, toCustomer, b)
		r.note(t, "%s arrives", b.Type())
		news = true
	}
	return news
}

// withCited is the record after all that it cites.
func (r *run) withCited(t *table, rec *record.Record) []*record.Record {
	var bundle []*record.Record
	for _, link := range r.c.linksOf(rec) {
		for _, list := range [][]*record.Record{t.net, t.customer.recs, t.seller.recs} {
			at := slices.IndexFunc(list, func(x *record.Record) bool { return x.ID() == link })
			if at >= 0 {
				bundle = append(bundle, r.withCited(t, list[at])...)
				break
			}
		}
	}
	return append(bundle, rec)
}

func isDecision(rec *record.Record) bool {
	return rec.Type() == protocol.TypeConfirmation || rec.Type() == protocol.TypeVoid
}

// settle lets the programs do all that they can by themselves.
func (r *run) settle(t *table) (moved bool) {
	moved = r.customerProgram(t)
	moved = r.vendorProgram(t) || moved
	moved = r.sendAll(t) || moved
	late := slices.Clone(t.net)
	r.rng.Shuffle(len(late), func(i, j int) { late[i], late[j] = late[j], late[i] })
	for _, rec := range late {
		if rec.Type() != r.held {
			moved = r.deliver(t, rec, false) || moved
		}
	}
	for _, rec := range late {
		if rec.Type() == r.held && !moved {
			moved = r.deliver(t, rec, false)
		}
	}
	return moved
}

// customerPeople is what the customer's person does, or doesn't.
func (r *run) customerPeople(t *table) {
	s := t.customer.state
	if prev := r.before(t); prev != nil && len(t.customer.recs) == 0 {
		r.nextRound(t, prev)
		return
	}
	if len(t.customer.recs) == 0 {
		return
	}
	switch r.rng.IntN(7) {
	case 6:
		r.counter(t)
	case 0:
		if r.rules.mayAsk(s) == nil && r.rng.IntN(2) == 0 {
			ask := record.Ask{Deal: t.key, Reason: protocol.ReasonPrice}
			body := []record.Body{&record.Cancel{Ask: ask}, &record.Decline{Ask: ask}, &record.AwardNotice{Ask: ask}}[r.rng.IntN(3)]
			r.put(t, true, r.c.sign(r.c.customer, r.now, body))
			r.note(t, "customer signs a %s", body.Type())
		}
	default:
		if len(s.Offers) == 0 || !t.customer.ram.None() {
			return
		}
		offer := s.Offers[r.rng.IntN(len(s.Offers))].ID()
		if r.rules.mayAccept(s, offer, r.now) != nil {
			return
		}
		override := r.rng.IntN(8) == 0
		if r.rules.awardRace && !override && !changesAgreement(s, offer) && r.awardsLeft() <= 0 {
			return
		}
		t.customer.ram = deal.Decision{At: r.now, Body: &record.Acceptance{Deal: t.key, Offer: offer, ReplyTo: r.c.replyTo}}
		t.customer.override = override
		r.note(t, "customer chooses an offer")
	}
}

func changesAgreement(s deal.State, offer cid.Cid) bool {
	for _, o := range s.Offers {
		if o.ID() == offer {
			return o.Body().(*record.Offer).Changes.Defined()
		}
	}
	return false
}

// before is the table of the round before, nil for the first round.
func (r *run) before(t *table) *table {
	for _, other := range r.tables {
		if other.vendor == t.vendor && other.key.Round == t.key.Round-1 {
			return other
		}
	}
	return nil
}

// nextRound asks for a round, after a void or to change an agreement.
func (r *run) nextRound(t, prev *table) {
	s := prev.customer.state
	if r.rules.mayNextRound(s) != nil {
		return
	}
	cited := s.Agreement
	if s.Void != nil {
		cited = s.Void.ID()
	}
	if !cited.Defined() {
		return
	}
	r.put(t, true, r.c.sign(r.c.customer, r.now, &record.NextRound{Deal: t.key, Previous: cited}))
	r.met.rounds++
	r.note(t, "customer asks for round %d", t.key.Round)
}

// counter says what the customer would rather have.
func (r *run) counter(t *table) {
	s := t.customer.state
	if len(s.Offers) == 0 || len(s.Counters) > 1 {
		return
	}
	offer := s.Offers[r.rng.IntN(len(s.Offers))].ID()
	if s.MayCounter(offer) != nil {
		return
	}
	r.put(t, true, r.c.sign(r.c.customer, r.now, &record.Counter{Deal: t.key, Offer: offer, Description: "Cheaper", ValidUntil: r.now + 10}))
	r.met.counters++
	r.note(t, "customer counters")
}

func (r *run) awardsLeft() int64 {
	var states []deal.State
	for _, t := range r.tables {
		states = append(states, t.customer.state)
	}
	return r.rules.awardsLeft(r.sc.awards, states, r.now)
}

// customerProgram persists what was chosen, answers a restored seller, asks
// after a restore of its own, and releases data.
func (r *run) customerProgram(t *table) (moved bool) {
	if r.sc.badCustomer {
		return false
	}
	if ram := t.customer.ram; !ram.None() {
		t.customer.ram = deal.Decision{}
		offer := ram.Body.(*record.Acceptance).Offer
		left := r.awardsLeft()
		if changesAgreement(t.customer.state, offer) {
			left = 1 // it has the award of the agreement that it changes
		}
		switch {
		case r.rules.mayAccept(t.customer.state, offer, ram.At) != nil:
		case left <= 0 && !t.customer.override && !r.rules.awardRace:
		default:
			if left <= 0 && t.customer.override {
				r.met.overrides++
				r.overrides++
			}
			rec := r.c.sign(r.c.customer, ram.At, ram.Body)
			t.acceptances[rec.ID()] = true
			r.note(t, "customer persists an acceptance")
			if r.rules.sendFirst {
				t.net = append(t.net, rec)
				if r.rng.IntN(4) == 0 {
					r.note(t, "and crashes before that")
					return true
				}
			}
			r.put(t, true, rec)
		}
		return true
	}
	if d := r.rules.answer(t.customer.state, r.now); !d.None() && (len(t.customer.recs) > 0) {
		r.put(t, true, r.c.sign(r.c.customer, d.At, d.Body))
		r.note(t, "customer answers with %s", d.Body.Type())
		return true
	}
	phase := t.customer.state.Phase
	if !t.released && (phase == deal.PhaseAgreed || r.rules.freeRelease && phase == deal.PhasePending) {
		t.released = true
		r.note(t, "customer releases data")
		return true
	}
	return false
}

// vendorPeople is what a seller's person does, or doesn't.
func (r *run) vendorPeople(t *table) {
	s, now := t.seller.state, r.vendorNow(t)
	switch n := int64(len(s.Offers)); {
	case n < 2 && r.rules.mayOffer(s) == nil && r.rng.IntN(2) == 0:
		offer := r.c.offerBody(t.key, n+1, now+2+r.rng.Int64N(12))
		offer.Changes = s.Changing()
		r.put(t, false, r.c.sign(r.vendorKey(t), now, offer))
		r.note(t, "seller offers %d", n+1)
	case r.rules.mayDecline(s, now) == nil && r.rng.IntN(4) == 0 && t.seller.ram.None():
		t.seller.ram = deal.Decision{At: now, Body: &record.Void{Deal: t.key, Reason: protocol.ReasonOutOfStock}}
		r.note(t, "seller declines")
	}
}

// vendorProgram decides, and persists the decision if it is still the one.
func (r *run) vendorProgram(t *table) (moved bool) {
	if !r.honestVendor(t) {
		return false
	}
	if ram := t.seller.ram; !ram.None() {
		t.seller.ram = deal.Decision{}
		still := r.rules.decide(t.seller.state, ram.At)
		if void, ok := ram.Body.(*record.Void); ok && !void.Cites.Defined() {
			if r.rules.mayDecline(t.seller.state, ram.At) != nil {
				return true
			}
		} else if !reflect.DeepEqual(still, ram) {
			return true
		}
		if restored, ok := ram.Body.(*record.Restored); ok {
			restored.ReplyTo = r.c.replyTo
		}
		rec := r.c.sign(r.vendorKey(t), ram.At, ram.Body)
		if rec.Type() == protocol.TypeConfirmation {
			t.confirmations[rec.ID()] = true
		}
		r.put(t, false, rec)
		r.note(t, "seller persists %s %+v", rec.Type(), rec)
		return true
	}
	t.seller.ram = r.rules.decide(t.seller.state, r.vendorNow(t))
	return !t.seller.ram.None()
}

// crash loses what wasn't persisted.
func (r *run) crash(t *table) {
	r.met.crashes++
	for _, other := range r.tables {
		other.customer.ram = deal.Decision{}
	}
	t.seller.ram = deal.Decision{}
	if r.rules.forgetful {
		t.seller.recs = slices.DeleteFunc(slices.Clone(t.seller.recs), isDecision)
		r.refold(t, false)
	}
}

// backup takes the one backup, or comes back from it.
func (r *run) backup() {
	if !r.sc.restoreC && !r.sc.restoreV || r.customerR || r.sellerR {
		return
	}
	if r.backups == nil || r.rng.IntN(8) == 0 {
		r.backups = nil
		for _, t := range r.tables {
			side := &t.seller
			if r.sc.restoreC {
				side = &t.customer
			}
			r.backups = append(r.backups, slices.Clone(side.recs))
		}
		return
	}
	r.customerR, r.sellerR = r.sc.restoreC, r.sc.restoreV
	r.met.restores++
	for i, t := range r.tables {
		switch {
		case r.sc.restoreC:
			t.customer.recs, t.customer.ram = r.backups[i], deal.Decision{}
			if r.cheats() { // what a cheat did before may be gone for good
				t.customer.final = ""
			}
			r.refold(t, true)
			r.note(t, "customer RESTORED")
		case t.vendor == 0:
			t.seller.recs, t.seller.ram = r.backups[i], deal.Decision{}
			r.refold(t, false)
			// A decision that is lost and never left binds nobody.
			if r.cheats() || r.recovering(t) && !slices.ContainsFunc(t.net, isDecision) {
				t.seller.final = ""
			}
			r.note(t, "seller RESTORED")
		}
	}
}

// vendorCheats signs what vendor 0's key can sign, for any time.
func (r *run) vendorCheats(t *table) {
	at := r.now // of a cheat the time is a choice
	if r.rng.IntN(3) == 0 {
		at = t0 + 1 + r.rng.Int64N(40)
	}
	void := &record.Void{Deal: t.key, Reason: protocol.ReasonOutOfStock}
	var body record.Body
	move := r.rng.IntN(6)
	if move > 0 && (r.crimes == 0 || r.temper>>move&1 == 0 || count[*record.Acceptance](t.net) == 0 && r.rng.IntN(8) > 0) {
		return
	}
	switch move {
	case 0:
		if count[*record.Offer](t.net) > 1 {
			return
		}
		offer := r.c.offerBody(t.key, 1+r.rng.Int64N(2), at+3+r.rng.Int64N(20))
		if t.key.Round > 1 && r.rng.IntN(4) > 0 {
			offer.Changes = t.customer.state.Changing()
		}
		body = offer
	case 1, 2:
		cited := t.key.Intent // a confirmation of nothing
		if acceptance := r.pick(t, protocol.TypeAcceptance); acceptance != nil && (move == 1 || r.rng.IntN(4) > 0) {
			cited = acceptance.ID()
		}
		body = &record.Confirmation{Deal: t.key, Acceptance: cited}
	case 3:
		body = void
	case 4:
		if len(t.net) == 0 {
			return
		}
		void.Cites = t.net[r.rng.IntN(len(t.net))].ID()
		body = void
	default:
		body = &record.Restored{Deal: t.key, ReplyTo: r.c.replyTo}
	}
	if move > 0 {
		r.met.lies++
		r.crimes--
	}
	r.send(t, r.vendorKey(t).DID(), []*record.Record{r.c.sign(r.vendorKey(t), at, body)})
}

// customerCheats signs what the customer's key can sign, for any time.
func (r *run) customerCheats(t *table) {
	at := r.now // of a cheat the time is a choice
	if r.rng.IntN(3) == 0 {
		at = t0 + 1 + r.rng.Int64N(40)
	}
	var body record.Body
	restored := r.pick(t, protocol.TypeRestored)
	if r.restoredSeller(t) && r.rng.IntN(2) == 0 { // shows the seller its decision without being bound to it
		if restored == nil && r.rng.IntN(8) > 0 {
			return // before it has said that it is lost, there is less to be had
		}
		decision := r.pick(t, protocol.TypeConfirmation)
		if decision != nil && r.rules.mayAdopt(t.seller.state, decision.ID()) == nil {
			r.put(t, false, r.withCited(t, decision)...)
			r.met.lies++
			r.note(t, "the confirmation comes back")
		}
		return
	}
	move := r.rng.IntN(5)
	if move > 0 && (r.crimes == 0 || r.temper>>move&1 == 0) {
		return
	}
	switch move {
	case 0, 1:
		offer := r.pick(t, protocol.TypeOffer)
		if offer == nil || move == 0 && count[*record.Acceptance](t.net) > 0 {
			return
		}
		body = &record.Acceptance{Deal: t.key, Offer: offer.ID(), ReplyTo: r.c.replyTo}
	case 2:
		body = &record.Cancel{Ask: record.Ask{Deal: t.key, Reason: protocol.ReasonOther}}
	case 3:
		if restored == nil {
			return
		}
		body = &record.CustomerVoid{Deal: t.key, Restored: restored.ID()}
	default:
		decision := r.pick(t, protocol.TypeConfirmation)
		if decision == nil || r.rng.IntN(3) == 0 {
			decision = r.pick(t, protocol.TypeVoid)
		}
		if restored == nil || decision == nil {
			return
		}
		body = &record.Held{Deal: t.key, Restored: restored.ID(), Decision: decision.ID()}
	}
	if move > 0 {
		r.met.lies++
		r.crimes--
	}
	rec := r.c.sign(r.c.customer, at, body)
	r.send(t, r.c.customer.DID(), []*record.Record{rec})
}

// pick is any record of that type that was ever sent.
func (r *run) pick(t *table, typ string) *record.Record {
	var found []*record.Record
	for _, rec := range t.net {
		if rec.Type() == typ {
			found = append(found, rec)
		}
	}
	if len(found) == 0 {
		return nil
	}
	return found[r.rng.IntN(len(found))]
}

// count is how many records have that body.
func count[B record.Body](recs []*record.Record) (n int) {
	for _, rec := range recs {
		if _, ok := rec.Body().(B); ok {
			n++
		}
	}
	return n
}
