package api

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sort"

	"github.com/danielgtaylor/huma/v2"
	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/desk"
	"github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/node/space"
	"github.com/parley-protocol/parley/node/store"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/privacy"
	"github.com/parley-protocol/parley/protocol/record"
)

func (s *Server) routes() {
	const get, post, put, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	handle(s, get, "/v1/node", "node", "What the node tells of itself", s.getNode)
	handle(s, get, "/v1/doctor", "doctor", "What works and what doesn't", s.doctor)
	handle(s, post, "/v1/invites", "invite", "A link that lets another node join", s.invite)
	handle(s, post, "/v1/join", "join", "Connect to the node behind a link", s.join)
	handle(s, get, "/v1/contacts", "listContacts", "Names for others", s.listContacts)
	handle(s, put, "/v1/contacts", "setContact", "Name or block somebody; neither forgets them", s.setContact)
	handle(s, get, "/v1/profile", "getProfile", "How this node's seller presents itself", s.getProfile)
	handle(s, put, "/v1/profile", "setProfile", "Present this node's seller", s.setProfile)
	handle(s, get, "/v1/profiles/{id}", "showProfile", "How another seller presents itself", s.showProfile)
	handle(s, get, "/v1/markets", "listMarkets", "Markets that the node is in, and those of the registry", s.listMarkets)
	handle(s, post, "/v1/markets", "joinMarket", "Take part in a market", s.joinMarket)
	handle(s, del, "/v1/markets", "leaveMarket", "Leave a market", s.leaveMarket)
	s.termsRoutes()
	s.negotiationRoutes()
	s.unknownRoutes()
	s.backupRoutes()
	handle(s, post, "/v1/intents/draft", "draftIntent", "What publishing would make public", s.draftIntent)
	handle(s, post, "/v1/intents", "publishIntent", "Sign a request and send it out", s.publishIntent)
	handle(s, get, "/v1/intents", "listIntents", "Requests, newest first", s.listIntents)
	handle(s, get, "/v1/intents/{id}", "showIntent", "One request", s.showIntent)
	handle(s, post, "/v1/intents/{id}/withdraw", "withdrawIntent", "Take an own request back", s.withdrawIntent)
	handle(s, post, "/v1/intents/{id}/decline", "declineIntent", "Tell the customer that there will be no offer", s.declineIntent)
	handleFile(s, "/v1/intents/{id}/file", "shareIntent", "The request as a file", typeCAR, s.shareIntent)
	handle(s, get, "/v1/offers", "listOffers", "Offers, cheapest first", s.listOffers)
	handle(s, post, "/v1/offers", "makeOffer", "Make an offer on a request", s.makeOffer)
	handle(s, get, "/v1/offers/{id}", "showOffer", "One offer", s.showOffer)
	handle(s, post, "/v1/offers/{id}/accept", "acceptOffer", "Accept an offer", s.acceptOffer)
	handle(s, post, "/v1/offers/{id}/decline", "declineOffer", "Decline a seller's offers", s.declineOffer)
	handle(s, get, "/v1/deals", "listDeals", "Deals, newest first", s.listDeals)
	handle(s, get, "/v1/deals/{id}", "showDeal", "One deal with its records", s.showDeal)
	handle(s, post, "/v1/deals/{id}/cancel", "cancelDeal", "Ask the seller for a void", s.cancelDeal)
	s.eraseRoutes()
	s.orderRoutes()
	s.peopleRoutes()
	s.peerRoutes()
	handleFile(s, "/v1/deals/{id}/proof", "exportDeal", "The proof of one deal, a CAR file", typeCAR, s.exportDeal)
	handle(s, get, "/v1/records/{id}", "showRecord", "One record as JSON", s.showRecord)
	handleFile(s, "/v1/records/{id}/file", "sealRecord", "An own record, sealed for its recipient, as a file", typeMessage, s.sealRecord)
	handle(s, post, "/v1/import", "import", "Take in a file: an archive or a sealed message", s.importFile)
	handleStream(s, "/v1/store/archive", "exportAll", "Everything that the ledger holds, a CAR file", typeCAR, s.exportAll)
	handleStream(s, "/v1/events", "watch", "What happens, as it happens, a JSON object a line", typeEvents, s.watch)
}

func (s *Server) getNode(ctx context.Context, _ *none) (*with[Node], error) {
	n := s.node
	stats := n.Store.Stats()
	v := Node{
		Version: s.version, Home: n.Home().Dir, DID: string(n.Keys.Identity().Persona().DID()), PeerID: n.Network.ID().String(),
		Addrs: n.Network.Addrs(), Mailboxes: n.Mailboxes(), Serves: n.Config().ServeMailbox, Markets: s.desk().Markets(),
		Peers: len(n.Network.Host().Network().Peers()), Started: n.Started.UTC(), ReadyMS: n.Ready.Sub(n.Started).Milliseconds(),
		Records: Counts{Own: stats.Own.Count, Deal: stats.Deal.Count, Foreign: stats.Foreign.Count},
		Owed:    len(s.desk().Outbox().Pending()), Syncs: n.Ledger.Syncs(), Disk: diskView(n.Space.State()),
		Reach: reachView(n.Network.Reach()),
	}
	if v.Markets == nil {
		v.Markets = []string{}
	}
	if at := s.desk().Book().RestoredAt(); at != 0 {
		v.Restored = when(at)
	}
	return body(v), nil
}

func diskView(st space.State) Disk {
	d := Disk{Free: st.Free, Total: st.Total, Refuses: []string{}}
	for _, use := range []space.Use{space.Foreign, space.Own, space.View} {
		if st.Refuses(use) {
			d.Refuses = append(d.Refuses, use.String())
		}
	}
	return d
}

func (s *Server) invite(_ context.Context, in *with[struct {
	Markets []string `json:"markets,omitempty" doc:"Those that the other node is to join; the node's own when empty"`
}]) (*with[Invite], error) {
	markets := in.Body.Markets
	if len(markets) == 0 {
		markets = s.desk().Markets()
	}
	addrs := s.node.Network.Addrs()
	inv := network.Invite{Addrs: addrs[:min(len(addrs), network.MaxInviteAddrs)], Markets: markets}
	link, err := network.EncodeInvite(inv)
	if err != nil {
		return nil, err
	}
	return body(Invite{Link: link, Addrs: inv.Addrs, Markets: inv.Markets}), nil
}

func (s *Server) join(ctx context.Context, in *with[struct {
	Link string `json:"link"`
}]) (*with[Invite], error) {
	inv, err := network.DecodeInvite(in.Body.Link)
	if err != nil {
		return nil, err
	}
	if err := s.node.JoinPeers(ctx, inv.Addrs); err != nil {
		return nil, err
	}
	for _, m := range inv.Markets {
		if err := s.desk().JoinMarket(ctx, m); err != nil {
			return nil, err
		}
	}
	return body(Invite{Link: in.Body.Link, Addrs: inv.Addrs, Markets: inv.Markets}), nil
}

func (s *Server) listContacts(context.Context, *none) (*with[list[Contact]], error) {
	var out []Contact
	for _, c := range s.desk().Contacts() {
		out = append(out, Contact{DID: string(c.DID), Name: c.Name, Blocked: c.Blocked})
	}
	return items(out), nil
}

func (s *Server) setContact(ctx context.Context, in *with[Contact]) (*with[Contact], error) {
	c := in.Body
	if did, err := s.did(c.DID); err == nil {
		c.DID = string(did)
	}
	return body(c), s.desk().SetContact(ctx, desk.Contact{DID: crypto.DID(c.DID), Name: c.Name, Blocked: c.Blocked})
}

func profileView(rec *record.Record) Profile {
	p := rec.Body().(*record.Profile)
	v := Profile{ID: rec.ID().String(), DID: string(rec.Header().By), Name: p.Name, Description: p.Description, URL: p.URL,
		Category: p.Category, Markets: p.Markets, Record: raw(rec)}
	for _, a := range p.AreaServed {
		v.AreaServed = append(v.AreaServed, Area(a))
	}
	for _, t := range p.Terms {
		v.Terms = append(v.Terms, termsID(t))
	}
	return v
}

func (s *Server) getProfile(context.Context, *none) (*with[Profile], error) {
	rec := s.desk().Book().Profile()
	if rec == nil {
		return nil, &protocol.Error{Code: protocol.CodeNotFound, Field: "profile", Detail: "this node's seller hasn't presented itself", Hint: "parley profile set --name NAME"}
	}
	return body(profileView(rec)), nil
}

func (s *Server) setProfile(ctx context.Context, in *with[Profile]) (*with[Profile], error) {
	p, err := profileOf(in.Body)
	if err != nil {
		return nil, err
	}
	rec, err := s.desk().SetProfile(ctx, p)
	if err != nil {
		return nil, err
	}
	return body(profileView(rec)), nil
}

func (s *Server) showProfile(ctx context.Context, in *byID) (*with[Profile], error) {
	did, err := s.did(in.ID)
	if err != nil {
		return nil, err
	}
	for e, err := range s.node.Store.Query(ctx, store.Filter{Types: []string{protocol.TypeProfile}, Author: did, Order: store.Newest, Limit: 1}) {
		if err != nil {
			return nil, err
		}
		return body(profileView(e.Record)), nil
	}
	return nil, notFound("no profile of %s has come by yet", did)
}

func (s *Server) listMarkets(context.Context, *none) (*with[list[Market]], error) {
	joined := map[string]bool{}
	var out []Market
	add := func(name string, in bool) {
		m := marketView(name)
		m.Joined = in
		if in {
			m.Peers = len(s.node.Gossip.Peers(name))
		}
		out = append(out, m)
	}
	for _, name := range s.desk().Markets() {
		joined[name] = true
		add(name, true)
	}
	for _, r := range protocol.Markets() {
		if !joined[r.Name] {
			add(r.Name, false)
		}
	}
	return items(out), nil
}

type marketName struct {
	Name string `json:"name"`
}

func (s *Server) joinMarket(ctx context.Context, in *with[marketName]) (*with[Market], error) {
	if err := s.desk().JoinMarket(ctx, in.Body.Name); err != nil {
		return nil, err
	}
	m := marketView(in.Body.Name)
	m.Joined = true
	return body(m), nil
}

func (s *Server) leaveMarket(ctx context.Context, in *struct {
	Name string `query:"name"`
}) (*with[Market], error) {
	return body(marketView(in.Name)), s.desk().LeaveMarket(ctx, in.Name)
}

// intentRequest makes what was asked for into what the desk takes.
func (s *Server) intentRequest(in NewIntent) (desk.IntentRequest, []Note, error) {
	d, err := draftOf(in, s.now())
	if err != nil {
		return desk.IntentRequest{}, nil, err
	}
	req := desk.IntentRequest{Intent: *d.Intent, Ext: d.Ext, Introduce: in.Introduce}
	for _, to := range in.To {
		did, err := s.did(to)
		if err != nil {
			return req, nil, err
		}
		req.To = append(req.To, did)
	}
	if len(req.To) > 0 && in.Market == "" {
		req.Intent.Market = ""
	}
	if len(req.Intent.Category) == 0 && (req.Intent.Market != "" || len(req.To) > 0) {
		return req, nil, &protocol.Error{Code: protocol.CodeMissingField, Field: "category", Detail: "nothing says what kind of thing this is", Hint: "give --category, such as cpv:50 for repairs"}
	}
	notes := []Note{}
	for _, n := range d.Notes {
		notes = append(notes, Note{n.Field, n.Text})
	}
	return req, notes, nil
}

func (s *Server) draftIntent(ctx context.Context, in *with[NewIntent]) (*with[Draft], error) {
	req, notes, err := s.intentRequest(in.Body)
	if err != nil {
		return nil, err
	}
	return s.draft(ctx, req, notes)
}

// draft shows what publishing a request would send.
func (s *Server) draft(ctx context.Context, req desk.IntentRequest, notes []Note) (*with[Draft], error) {
	rec, own, err := s.desk().DraftIntent(ctx, req)
	if err != nil {
		return nil, err
	}
	intent := rec.Body().(*record.Intent)
	v := Draft{Record: raw(rec), Size: rec.Size(), Notes: notes, Terms: s.termsViews(ctx, intent.Terms, own...), Warnings: []Warning{}}
	if intent.Market != "" {
		m := marketView(intent.Market)
		v.Market = &m
	}
	for _, w := range privacy.Check(intent) {
		v.Warnings = append(v.Warnings, Warning{Field: w.Field, Kind: string(w.Kind), Excerpt: w.Excerpt, Text: w.Kind.Sentence()})
	}
	v.Warnings = append(v.Warnings, s.linkable(ctx, intent.Terms, own)...)
	if len(s.node.Config().Mailboxes)+len(s.node.FoundMailboxes()) == 0 {
		v.Warnings = append(v.Warnings, Warning{Field: "replyTo.mailboxes", Kind: "address",
			Text: "Replies come straight to this machine: whoever reads the request sees its network address. A mailbox on another node hides it."})
	}
	return body(v), nil
}

func (s *Server) publishIntent(ctx context.Context, in *with[NewIntent]) (*with[Intent], error) {
	req, _, err := s.intentRequest(in.Body)
	if err != nil {
		return nil, err
	}
	rec, err := s.desk().PublishIntent(ctx, req)
	if err != nil {
		return nil, err
	}
	return body(s.intentView(ctx, rec, true)), nil
}

func (s *Server) listIntents(ctx context.Context, in *struct {
	Own      bool   `query:"own" doc:"One's own only"`
	All      bool   `query:"all" doc:"Expired and withdrawn ones too"`
	Market   string `query:"market"`
	Category string `query:"category"`
	Limit    int    `query:"limit" default:"100" minimum:"1" maximum:"1000"`
	Cursor   string `query:"cursor"`
}) (*with[list[Intent]], error) {
	var out []Intent
	var cursor string
	if in.Cursor == "" && !in.Own && in.Market == "" {
		// Sealed requests wait in the inbox: the view doesn't have them.
		for _, i := range s.desk().Book().WaitingIntents() {
			out = append(out, s.intentView(ctx, i.Record, false))
		}
	}
	f := store.Filter{Types: []string{protocol.TypeIntent}, Market: in.Market, Category: in.Category, Live: !in.All, Now: s.now(),
		Order: store.Newest, Limit: in.Limit, Cursor: in.Cursor}
	if in.Own {
		f.Classes = []store.Class{store.ClassOwn}
	}
	n := 0
	for e, err := range s.node.Store.Query(ctx, f) {
		if err != nil {
			return nil, err
		}
		if s.desk().Blocked(e.Record.Header().By) {
			continue
		}
		out = append(out, s.intentView(ctx, e.Record, false))
		if n++; n == in.Limit {
			cursor = e.Cursor()
		}
	}
	res := items(out)
	res.Body.Cursor = cursor
	return res, nil
}

func (s *Server) showIntent(ctx context.Context, in *byID) (*with[Intent], error) {
	rec, err := s.typed(ctx, in.ID, protocol.TypeIntent, "a request")
	if err != nil {
		return nil, err
	}
	return body(s.intentView(ctx, rec, true)), nil
}

type reason struct {
	ID   string `path:"id"`
	Body struct {
		Reason string `json:"reason" doc:"A code of spec/registry/reasons.csv"`
	}
}

func (s *Server) withdrawIntent(ctx context.Context, in *reason) (*with[Intent], error) {
	rec, err := s.typed(ctx, in.ID, protocol.TypeIntent, "a request")
	if err != nil {
		return nil, err
	}
	if _, err := s.desk().WithdrawIntent(ctx, rec.ID(), in.Body.Reason); err != nil {
		return nil, err
	}
	return body(s.intentView(ctx, rec, true)), nil
}

func (s *Server) declineIntent(ctx context.Context, in *reason) (*with[Deal], error) {
	rec, err := s.typed(ctx, in.ID, protocol.TypeIntent, "a request")
	if err != nil {
		return nil, err
	}
	d, err := s.desk().DeclineIntent(ctx, rec.ID(), in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return body(s.dealView(ctx, d, true)), nil
}

// onlyIntent is the request that a list is confined to, undefined for all.
func (s *Server) onlyIntent(ctx context.Context, text string) (cid.Cid, error) {
	if text == "" {
		return cid.Undef, nil
	}
	rec, err := s.typed(ctx, text, protocol.TypeIntent, "a request")
	if err != nil {
		return cid.Undef, err
	}
	return rec.ID(), nil
}

// dealsOn are the deals on one request, on all if it is undefined, ordered by ID.
func (s *Server) dealsOn(only cid.Cid) []*book.Deal {
	if !only.Defined() {
		return s.desk().Book().Deals()
	}
	deals := s.desk().Book().DealsOf(only)
	slices.SortFunc(deals, func(x, y *book.Deal) int { return cmp.Compare(x.ID.String(), y.ID.String()) })
	return deals
}

func (s *Server) listOffers(ctx context.Context, in *struct {
	Intent string `query:"intent"`
	Own    bool   `query:"own" doc:"Those made here; otherwise those received"`
}) (*with[list[Offer]], error) {
	only, err := s.onlyIntent(ctx, in.Intent)
	if err != nil {
		return nil, err
	}
	type priced struct {
		v Offer
		o *record.Offer
	}
	var found []priced
	for _, d := range s.dealsOn(only) {
		if in.Own != (d.Role == book.Vendor) {
			continue
		}
		for _, rec := range d.State.Offers {
			found = append(found, priced{s.offerView(ctx, d, rec, false), rec.Body().(*record.Offer)})
		}
	}
	// The same order everywhere: by request, then by price within a currency,
	// then by time and ID. Nothing else ranks.
	sort.Slice(found, func(i, j int) bool {
		a, b := found[i], found[j]
		if a.v.Intent != b.v.Intent {
			return a.v.Intent < b.v.Intent
		}
		if a.v.PriceCurrency != b.v.PriceCurrency {
			return a.v.PriceCurrency < b.v.PriceCurrency
		}
		if c := a.o.TotalPrice.Cmp(b.o.TotalPrice); c != 0 {
			return c < 0
		}
		if !a.v.At.Equal(b.v.At) {
			return a.v.At.Before(b.v.At)
		}
		return a.v.ID < b.v.ID
	})
	var out []Offer
	for _, p := range found {
		out = append(out, p.v)
	}
	return items(out), nil
}

func (s *Server) makeOffer(ctx context.Context, in *with[NewOffer]) (*with[Offer], error) {
	o, err := offerOf(in.Body)
	if err != nil {
		return nil, err
	}
	request, err := s.changing(ctx, in.Body, &o)
	if err != nil {
		return nil, err
	}
	intent, err := s.typed(ctx, request, protocol.TypeIntent, "a request")
	if err != nil {
		return nil, err
	}
	rec, err := s.desk().MakeOffer(ctx, desk.OfferRequest{Intent: intent.ID(), Round: in.Body.Round, Offer: o})
	if err != nil {
		return nil, err
	}
	return s.offerOut(ctx, rec)
}

func (s *Server) offerOut(ctx context.Context, rec *record.Record) (*with[Offer], error) {
	key, _ := rec.Deal()
	d, ok := s.desk().Book().Deal(key.ID())
	if !ok {
		return nil, notFound("the deal of the offer %s isn't known", rec.ID())
	}
	return body(s.offerView(ctx, d, rec, true)), nil
}

func (s *Server) showOffer(ctx context.Context, in *byID) (*with[Offer], error) {
	rec, err := s.typed(ctx, in.ID, protocol.TypeOffer, "an offer")
	if err != nil {
		return nil, err
	}
	return s.offerOut(ctx, rec)
}

func (s *Server) acceptOffer(ctx context.Context, in *struct {
	ID   string `path:"id"`
	Body struct {
		Override bool `json:"override,omitempty" doc:"Accept beyond the number of sellers that the request is for, and perhaps buy twice"`
	}
}) (*with[Deal], error) {
	rec, err := s.typed(ctx, in.ID, protocol.TypeOffer, "an offer")
	if err != nil {
		return nil, err
	}
	d, err := s.desk().AcceptOffer(ctx, rec.ID(), in.Body.Override)
	if err != nil {
		return nil, err
	}
	return body(s.dealView(ctx, d, true)), nil
}

func (s *Server) declineOffer(ctx context.Context, in *reason) (*with[Deal], error) {
	rec, err := s.typed(ctx, in.ID, protocol.TypeOffer, "an offer")
	if err != nil {
		return nil, err
	}
	d, err := s.desk().DeclineOffer(ctx, rec.ID(), in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return body(s.dealView(ctx, d, true)), nil
}

func (s *Server) listDeals(ctx context.Context, in *struct {
	Intent string `query:"intent"`
	Phase  string `query:"phase"`
}) (*with[list[Deal]], error) {
	only, err := s.onlyIntent(ctx, in.Intent)
	if err != nil {
		return nil, err
	}
	var out []Deal
	for _, d := range s.dealsOn(only) {
		if in.Phase != "" && in.Phase != string(d.State.Phase) {
			continue
		}
		out = append(out, s.dealView(ctx, d, false))
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Updated.After(out[j].Updated) })
	return items(out), nil
}

func (s *Server) showDeal(ctx context.Context, in *byID) (*with[Deal], error) {
	d, err := s.deal(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return body(s.dealView(ctx, d, true)), nil
}

func (s *Server) cancelDeal(ctx context.Context, in *reason) (*with[Deal], error) {
	d, err := s.deal(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if d, err = s.desk().CancelDeal(ctx, d.ID, in.Body.Reason); err != nil {
		return nil, err
	}
	return body(s.dealView(ctx, d, true)), nil
}

func (s *Server) showRecord(ctx context.Context, in *byID) (*with[json.RawMessage], error) {
	rec, err := s.record(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return body(raw(rec)), nil
}

func (s *Server) watch(ctx huma.Context) {
	events, stop := s.desk().Watch()
	defer stop()
	ctx.SetHeader("Content-Type", typeEvents)
	w := ctx.BodyWriter()
	flush := func() {
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
	}
	flush() // the watcher knows that it misses nothing from here on
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out)
	for {
		select {
		case <-ctx.Context().Done():
			return
		case e := <-events:
			if enc.Encode(e) != nil || out.Flush() != nil {
				return
			}
			flush()
		}
	}
}
