package api

import (
	"context"
	"encoding/hex"
	"slices"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/store"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/record"
)

func when(unix int64) time.Time { return time.Unix(unix, 0).UTC() }

func quantityView(q *record.QuantitativeValue) *Quantity {
	if q == nil {
		return nil
	}
	return &Quantity{Value: q.Value.String(), UnitCode: q.UnitCode}
}

func marketView(name string) Market {
	m := Market{Name: name}
	for _, r := range protocol.Markets() {
		if r.Name == name {
			m.Title, m.Summary, m.Registered = r.Title, r.Summary, true
		}
	}
	return m
}

// intentView shows an intent; full adds the record itself.
func (s *Server) intentView(ctx context.Context, rec *record.Record, full bool) Intent {
	body := rec.Body().(*record.Intent)
	v := Intent{
		ID: rec.ID().String(), Market: body.Market, Name: body.Name, Description: body.Description, Category: body.Category,
		At: when(rec.Header().At), ValidUntil: when(body.ValidUntil), Awards: body.Awards, Terms: s.termsViews(ctx, body.Terms),
		Unknown: rec.Unknown(), Size: rec.Size(), Deals: []string{}, Status: "live",
	}
	for _, item := range body.ItemOffered {
		v.ItemOffered = append(v.ItemOffered, Wanted{Name: item.Name, Description: item.Description, Category: item.Category, Quantity: quantityView(item.Quantity)})
	}
	if body.AreaServed != nil {
		a := Area(*body.AreaServed)
		v.AreaServed = &a
	}
	if p := body.PriceSpecification; p != nil {
		v.Budget = &Budget{PriceCurrency: p.PriceCurrency}
		if p.MinPrice != nil {
			v.Budget.MinPrice = p.MinPrice.String()
		}
		if p.MaxPrice != nil {
			v.Budget.MaxPrice = p.MaxPrice.String()
		}
	}
	withdrawn := false
	if in, ok := s.desk().Book().Intent(rec.ID()); ok {
		v.Own = in.Own
		withdrawn = in.Withdrawal != nil
		for _, did := range in.To {
			v.To = append(v.To, string(did))
		}
	}
	if !withdrawn {
		withdrawn, _ = s.node.Store.Withdrawn(ctx, rec.ID(), rec.Header().By)
	}
	switch {
	case withdrawn:
		v.Status = "withdrawn"
	case s.now() >= body.ValidUntil:
		v.Status = "expired"
	default:
		v.OnItsWay = s.desk().OnItsWay(rec)
	}
	v.Known = s.known(rec.ID())
	for _, d := range s.desk().Book().DealsOf(rec.ID()) {
		v.Deals = append(v.Deals, d.ID.String())
		v.Offers += len(d.State.Offers)
	}
	if why := s.desk().Book().Recovering(rec); why != "" && (v.Own || len(v.Deals) > 0) {
		v.Recovering, v.Text = string(why), recoveringText(why)
	}
	if full {
		v.Record = raw(rec)
		v.Notices = s.noticesOf(rec.ID(), "")
	}
	return v
}

// recoveringText says why nothing new is signed on a request.
func recoveringText(why book.Why) string {
	switch why {
	case book.WhyRestored:
		return "This node was restored from a backup: more may have been signed on this request than it knows. Nothing new is signed on it."
	case book.WhyFound:
		return "This request of yours was found again: the node had lost it. Nothing can be accepted on it here; it can be withdrawn."
	case book.WhyWriter:
		return "Something signed with your key came that this node doesn't know: another node writes with it. Nothing new is signed on this request."
	}
	return ""
}

// moved tells what a seller says of the key that it had before.
func (s *Server) moved(did crypto.DID) *Moved {
	m, ok := s.desk().MoveOf(did)
	if !ok {
		return nil
	}
	v := &Moved{From: string(m.From), At: when(m.At), Proven: m.Proven, Text: "moved to a new key on " + when(m.At).Format(time.DateOnly)}
	if !m.Proven {
		v.Text = "says that it is a seller with another key, which had not promised this one: take it for a different seller"
	}
	return v
}

// sellerName is what the person calls a seller, else what it calls itself.
func (s *Server) sellerName(ctx context.Context, did crypto.DID) string {
	for _, c := range s.desk().Contacts() {
		if c.DID == did && c.Name != "" {
			return c.Name
		}
	}
	for e, err := range s.node.Store.Query(ctx, store.Filter{Types: []string{protocol.TypeProfile}, Author: did, Order: store.Newest, Limit: 1}) {
		if err == nil {
			return e.Record.Body().(*record.Profile).Name
		}
	}
	return ""
}

func (s *Server) offerView(ctx context.Context, d *book.Deal, rec *record.Record, full bool) Offer {
	o := rec.Body().(*record.Offer)
	v := Offer{
		ID: rec.ID().String(), Deal: d.ID.String(), Intent: d.Key.Intent.String(), Round: d.Key.Round, Number: o.Number,
		Own: d.Role == book.Vendor, Seller: string(d.Key.Vendor), SellerName: s.sellerName(ctx, d.Key.Vendor),
		Description: o.Description, PriceCurrency: o.PriceCurrency, TotalPrice: o.TotalPrice.String(), Terms: s.termsView(ctx, o.Terms),
		At: when(rec.Header().At), ValidUntil: when(o.ValidUntil), Phase: string(d.State.Phase), Unknown: rec.Unknown(),
	}
	v.Items, v.Charges, v.Conditions = linesView(o.ItemOffered), chargesView(o.Charges), conditionsView(o)
	v.AvailabilityStarts, v.AvailabilityEnds = instant(o.AvailabilityStarts), instant(o.AvailabilityEnds)
	v.Haggling = s.hagglingView(d, rec)
	if acc := d.State.Acceptance; acc != nil {
		v.Accepted = acc.Body().(*record.Acceptance).Offer == rec.ID()
	}
	v.Moved = s.moved(d.Key.Vendor)
	if d.Role == book.Customer {
		if err := d.State.MayAccept(rec.ID(), s.now()); err != nil {
			v.WhyNot = problemOf(err)
		} else {
			v.Acceptable = true
		}
	} else {
		v.Delivery = s.deliveryOf(rec.ID(), d.Intent.Record.Header().By)
	}
	if full {
		v.Record = raw(rec)
	}
	return v
}

// deliveryOf tells how far an own record has come.
func (s *Server) deliveryOf(id cid.Cid, to crypto.DID) *Delivery {
	del := book.Delivery{Record: id, To: to}
	if s.desk().Book().Receipted(del) {
		return &Delivery{State: "persisted"}
	}
	st, ok := s.desk().Outbox().Status(del)
	if !ok {
		return &Delivery{State: "pending"}
	}
	v := &Delivery{State: "pending", Attempts: st.Attempts}
	if !st.Next.IsZero() {
		next := st.Next.UTC()
		v.Next = &next
	}
	if !st.Stored.IsZero() {
		v.State = "stored"
	}
	if st.Err != nil {
		v.Error = st.Err.Error()
	}
	for _, k := range st.Custody {
		v.Custody = append(v.Custody, Custody{Mailbox: k.Mailbox, Token: hex.EncodeToString(k.Token[:]), Envelope: hex.EncodeToString(k.Envelope[:]), Until: k.Until.UTC(), Receipt: hex.EncodeToString(k.Proof)})
	}
	return v
}

func (s *Server) dealView(ctx context.Context, d *book.Deal, full bool) Deal {
	v := Deal{
		ID: d.ID.String(), Intent: d.Key.Intent.String(), IntentName: d.Intent.Body().Name, Round: d.Key.Round, Role: string(d.Role),
		Customer: string(d.State.Customer), Seller: string(d.Key.Vendor), SellerName: s.sellerName(ctx, d.Key.Vendor),
		Phase: string(d.State.Phase), InDoubt: d.State.InDoubt(s.now()), Text: sentence(d, s.now()),
	}
	v.Known = s.known(d.Key.Intent)
	v.Negotiation = s.negotiationView(ctx, d, full)
	if d.Options.Restored {
		v.Recovering = string(s.desk().Book().Recovering(d.Intent.Record))
	}
	if full {
		v.Notices = s.noticesOf(d.Key.Intent, string(d.Key.Vendor))
	}
	if d.State.Agreement.Defined() {
		v.Agreement = d.State.Agreement.String()
		if v.Agreement != v.InForce && v.InForce != "" {
			v.Text = "Agreed, and replaced since: another agreement with the same seller is in force."
		}
	}
	if o := accepted(d); o != nil {
		v.PriceTotal, v.PriceCurrency = o.TotalPrice.String(), o.PriceCurrency
	}
	other := d.Key.Vendor
	if d.Role == book.Vendor {
		other = d.State.Customer
	}
	for _, rec := range d.All() {
		if at := when(rec.Header().At); at.After(v.Updated) {
			v.Updated = at
		}
		reason := reasonOf(rec)
		if reason != "" && rec.Type() != protocol.TypeCounter && rec.Type() != protocol.TypeNextRound {
			v.Reason = reason // those end nothing
		}
		if !full {
			continue
		}
		own := s.desk().Book().Own(rec.ID())
		byUs := own || d.Role == book.Vendor == (rec.Header().By == d.Key.Vendor)
		r := DealRecord{ID: rec.ID().String(), Type: rec.Type(), By: string(rec.Header().By), Own: byUs, At: when(rec.Header().At), Reason: reason}
		if own {
			r.Delivery = s.deliveryOf(rec.ID(), other)
		}
		for _, m := range d.State.Misfits {
			if m.Record.ID() == rec.ID() {
				r.Misfit = string(m.Code)
			}
		}
		for _, w := range d.State.Waiting {
			if w.Record.ID() == rec.ID() {
				r.Waiting = w.Missing.String()
			}
		}
		for _, e := range d.State.Evidence {
			r.Evidence = r.Evidence || e.ID() == rec.ID()
		}
		v.Records = append(v.Records, r)
	}
	if full {
		for _, rec := range d.State.Offers {
			v.Offers = append(v.Offers, s.offerView(ctx, d, rec, false))
		}
	}
	// The award notice says why; the void that answers it only that it was asked for.
	for _, ask := range d.State.Asks {
		v.Reason = reasonOf(ask)
	}
	return v
}

func reasonOf(rec *record.Record) string {
	switch b := rec.Body().(type) {
	case *record.Void:
		return b.Reason
	case *record.Cancel:
		return b.Reason
	case *record.Decline:
		return b.Reason
	case *record.AwardNotice:
		return b.Reason
	case *record.Counter:
		return b.Reason
	case *record.NextRound:
		return b.Reason
	}
	return ""
}

// sentence says where a deal stands, in words that promise nothing too much.
func sentence(d *book.Deal, now int64) string {
	customer := d.Role == book.Customer
	if d.Options.Restored && !d.State.Phase.Final() {
		switch {
		case customer && len(d.State.Asks) > 0:
			return "This node doesn't know all that was signed here: the seller is asked what it decided. You may already have bought."
		case customer:
			return "This node doesn't know all that was signed here: nothing can be accepted. You may already have bought."
		}
		return "This node doesn't know all that was signed here: the customer is asked what you decided, and nothing else is signed. You may already have sold."
	}
	switch d.State.Phase {
	case deal.PhaseOpen:
		switch {
		case len(d.State.Asks) > 0 && customer:
			return "You said no; the seller hasn't confirmed that the deal is over."
		case len(d.State.Asks) > 0:
			return "The customer said no."
		}
		return openSentence(d, customer)
	case deal.PhasePending:
		switch {
		case !customer:
			return "The customer accepted; your node hasn't decided."
		case d.State.InDoubt(now):
			return "Sent; the seller hasn't confirmed. You may already have bought."
		}
		return "Sent; it is pending until the seller confirms."
	case deal.PhaseAgreed:
		if d.State.Changes.Defined() {
			return "Agreed: this agreement replaces the one before it, on both sides."
		}
		return "Agreed: both sides hold the same signed agreement."
	case deal.PhaseVoided:
		if d.State.Changing().Defined() {
			return "Over, without a change: the agreement of before is in force."
		}
		return "Over, without an agreement."
	case deal.PhaseConflict:
		return "One side signed things that contradict each other; the records prove it."
	}
	return ""
}

// openSentence says whose turn it is while nothing is accepted.
func openSentence(d *book.Deal, customer bool) string {
	st := d.State
	say := func(toCustomer, toSeller string) string {
		if customer {
			return toCustomer
		}
		return toSeller
	}
	answered := func() bool {
		newest := st.Counters[len(st.Counters)-1].ID()
		return slices.ContainsFunc(st.Offers, func(o *record.Record) bool { return o.Body().(*record.Offer).Counter == newest })
	}
	switch {
	case len(st.Counters) > 0 && !answered():
		return say("You said what you would accept; the seller hasn't made another offer.", "The customer would accept something else: there is a counter to answer.")
	case len(st.Offers) > 0 && st.Changing().Defined():
		return say("There is a change of the agreement to accept or decline; until then the agreement is in force.", "Your change of the agreement stands; the customer hasn't answered.")
	case len(st.Offers) > 0:
		return say("There is an offer to accept or decline.", "Your offer stands; the customer hasn't answered.")
	case st.TermsCounter != nil:
		return say("The seller would make an offer under other terms than those of your request.", "You proposed other terms; the customer hasn't answered.")
	case len(st.NextRounds) > 0 && st.Changing().Defined():
		return say("You asked the seller to change the agreement; until then it is in force.", "The customer asks for a change of the agreement.")
	case len(st.NextRounds) > 0:
		return say("You asked the seller for another round.", "The customer asks for another round.")
	}
	return say("There is nothing to accept yet.", "You haven't made an offer.")
}
