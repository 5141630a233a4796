package api

import (
	"context"
	"net/http"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/node/desk"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
)

// Erasure is what erasing a deal or a request comes to.
type Erasure struct {
	Deals       []string   `json:"deals" doc:"All rounds with that seller; of a request, those with every seller"`
	Intent      string     `json:"intent"`
	Request     bool       `json:"request" doc:"The request itself goes too"`
	Records     int        `json:"records"`
	Undelivered int        `json:"undelivered" doc:"Own records that the other side has not said it has; they are not sent again"`
	Agreement   bool       `json:"agreement" doc:"An agreement, or evidence, is among them: it takes an explicit word"`
	KeepUntil   *time.Time `json:"keepUntil,omitempty" doc:"Until when that must be kept"`
	Allowed     bool       `json:"allowed"`
	Why         string     `json:"why,omitempty" doc:"Why it isn't allowed by now"`
	Hint        string     `json:"hint,omitempty"`
	Notice      string     `json:"notice,omitempty" doc:"The deletion notice that goes to the other side, once it is done"`
}

// Notice is a deletion notice: what one side says that it has erased.
type Notice struct {
	ID          string    `json:"id"`
	By          string    `json:"by" doc:"DID"`
	Own         bool      `json:"own"`
	At          time.Time `json:"at"`
	Deal        string    `json:"deal,omitempty"`
	Erased      []string  `json:"erased"`
	Kept        []Kept    `json:"kept"`
	Description string    `json:"description,omitempty"`
}

// Kept is a record that somebody keeps.
type Kept struct {
	Record string     `json:"record"`
	Reason string     `json:"reason"`
	Until  *time.Time `json:"until,omitempty"`
}

func (s *Server) eraseRoutes() {
	handle(s, http.MethodGet, "/v1/deals/{id}/erasure", "planEraseDeal", "What erasing a deal would do", s.planEraseDeal)
	handle(s, http.MethodPost, "/v1/deals/{id}/erase", "eraseDeal", "Erase a deal, and tell the other side", s.eraseDeal)
	handle(s, http.MethodGet, "/v1/intents/{id}/erasure", "planEraseIntent", "What erasing an own request would do", s.planEraseIntent)
	handle(s, http.MethodPost, "/v1/intents/{id}/erase", "eraseIntent", "Erase an own request with its deals, and tell the sellers", s.eraseIntent)
}

type erase struct {
	ID   string `path:"id"`
	Body struct {
		Agreement bool `json:"agreement,omitempty" doc:"An agreement may go too, once it need not be kept any longer"`
	}
}

func (s *Server) planEraseDeal(ctx context.Context, in *byID) (*with[Erasure], error) {
	d, err := s.deal(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return planned(s.desk().PlanErase(d.ID))
}

func (s *Server) planEraseIntent(ctx context.Context, in *byID) (*with[Erasure], error) {
	rec, err := s.typed(ctx, in.ID, protocol.TypeIntent, "a request")
	if err != nil {
		return nil, err
	}
	return planned(s.desk().PlanEraseIntent(rec.ID()))
}

// planned is a plan, also one that may not be carried out; without one there is
// nothing to show.
func planned(e desk.Erasure, err error) (*with[Erasure], error) {
	if err != nil && e.Intent == nil {
		return nil, err
	}
	v := erasureView(e)
	if v.Allowed = err == nil; err != nil {
		p := problemOf(err)
		v.Why, v.Hint = p.Detail, p.Hint
	}
	return body(v), nil
}

func (s *Server) eraseDeal(ctx context.Context, in *erase) (*with[Erasure], error) {
	d, err := s.deal(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return erased(s.desk().EraseDeal(ctx, d.ID, in.Body.Agreement))
}

func (s *Server) eraseIntent(ctx context.Context, in *erase) (*with[Erasure], error) {
	rec, err := s.typed(ctx, in.ID, protocol.TypeIntent, "a request")
	if err != nil {
		return nil, err
	}
	return erased(s.desk().EraseIntent(ctx, rec.ID(), in.Body.Agreement))
}

func erased(e desk.Erasure, err error) (*with[Erasure], error) {
	if err != nil {
		return nil, err
	}
	v := erasureView(e)
	v.Allowed = true
	return body(v), nil
}

func erasureView(e desk.Erasure) Erasure {
	v := Erasure{Intent: e.Intent.Record.ID().String(), Deals: []string{}, Request: e.Request, Records: len(e.Records),
		Undelivered: len(e.Undelivered), Agreement: e.Agreement, KeepUntil: instant(e.Keep)}
	for _, dl := range e.Deals {
		v.Deals = append(v.Deals, dl.ID.String())
	}
	if e.Notice != nil {
		v.Notice = e.Notice.ID().String()
	}
	return v
}

// noticesOf are the deletion notices about an intent, or about one of its deals.
func (s *Server) noticesOf(intent cid.Cid, vendor string) []Notice {
	var out []Notice
	for _, rec := range s.desk().Book().Notices(intent) {
		b := rec.Body().(*record.DeletionNotice)
		by := string(rec.Header().By)
		if vendor != "" && by != vendor && (b.Deal == nil || string(b.Deal.Vendor) != vendor) {
			continue
		}
		v := Notice{ID: rec.ID().String(), By: by, Own: s.desk().Book().Own(rec.ID()), At: when(rec.Header().At),
			Erased: []string{}, Kept: []Kept{}, Description: b.Description}
		if b.Deal != nil {
			v.Deal = b.Deal.ID().String()
		}
		for _, id := range b.Erased {
			v.Erased = append(v.Erased, id.String())
		}
		for _, k := range b.Kept {
			v.Kept = append(v.Kept, Kept{Record: k.Record.String(), Reason: k.Reason, Until: instant(k.Until)})
		}
		out = append(out, v)
	}
	return out
}

// gone is the error for a whole ID of what was erased here, nil for others.
func (s *Server) gone(text string) error {
	id, err := cid.Parse(text)
	if err != nil {
		return nil
	}
	if _, ok := s.desk().Book().Tombstone(id); !ok {
		return nil
	}
	_, err = s.desk().PlanErase(id)
	return err
}
