package api

import (
	"context"
	"net/http"
	"slices"
	"sort"
	"time"

	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/deal"
	"github.com/parley-protocol/parley/protocol/decimal"
	"github.com/parley-protocol/parley/protocol/record"
)

// Order is an agreement and what both sides have said since.
type Order struct {
	Deal          string    `json:"deal"`
	Agreement     string    `json:"agreement"`
	Intent        string    `json:"intent"`
	IntentName    string    `json:"intentName"`
	Role          string    `json:"role" enum:"customer,vendor"`
	Seller        string    `json:"seller" doc:"DID"`
	SellerName    string    `json:"sellerName,omitempty"`
	PriceTotal    string    `json:"totalPrice,omitempty"`
	PriceCurrency string    `json:"priceCurrency,omitempty"`
	AgreedAt      time.Time `json:"agreedAt"`
	SellerSays    string    `json:"sellerSays,omitempty" doc:"The newest order status that the seller has told"`
	CustomerSays  string    `json:"customerSays,omitempty" doc:"The newest that the customer has told"`
	Updated       time.Time `json:"updated"`

	Events   []OrderEvent `json:"events,omitempty"`
	Receipts []Receipt    `json:"receipts,omitempty"`
	Outcomes []Outcome    `json:"outcomes,omitempty"`
}

// Said is what every statement about an agreement has.
type Said struct {
	ID       string    `json:"id"`
	By       string    `json:"by" enum:"customer,vendor"`
	Own      bool      `json:"own"`
	At       time.Time `json:"at"`
	Unknown  []string  `json:"unknown,omitempty" doc:"Fields that this version doesn't know"`
	Delivery *Delivery `json:"delivery,omitempty"`
}

// Payment is money that one side speaks of. Parley moves none.
type Payment struct {
	PriceCurrency string `json:"priceCurrency"`
	Price         string `json:"price"`
	Method        string `json:"method,omitempty"`
}

// OrderEvent is what one side says has happened.
type OrderEvent struct {
	Said
	OrderStatus string     `json:"orderStatus"`
	Text        string     `json:"text" doc:"The status in a sentence"`
	Occurred    *time.Time `json:"occurred,omitempty"`
	Description string     `json:"description,omitempty"`
	TrackingURL string     `json:"trackingUrl,omitempty"`
	Payment     *Payment   `json:"payment,omitempty"`
	Items       []int64    `json:"items,omitempty" doc:"Lines of the offer, from 0; all when empty"`
}

// NewOrderEvent is something to say about an order.
type NewOrderEvent struct {
	OrderStatus string     `json:"orderStatus" doc:"A code of spec/registry/order-statuses.csv"`
	Occurred    *time.Time `json:"occurred,omitempty"`
	Description string     `json:"description,omitempty"`
	TrackingURL string     `json:"trackingUrl,omitempty"`
	Payment     *Payment   `json:"payment,omitempty"`
	Items       []int64    `json:"items,omitempty"`
}

// Seller is who sold, as the law may want it on a receipt.
type Seller struct {
	LegalName string `json:"legalName,omitempty"`
	TaxID     string `json:"taxID,omitempty"`
	Address   string `json:"address,omitempty"`
}

// Receipt is a seller's proof of purchase.
type Receipt struct {
	Said
	NewReceipt
}

// NewReceipt is a receipt to give; what it doesn't say is the agreement's.
type NewReceipt struct {
	OrderDate     *time.Time `json:"orderDate,omitempty"`
	PriceCurrency string     `json:"priceCurrency,omitempty"`
	TotalPrice    string     `json:"totalPrice,omitempty"`
	Items         []Line     `json:"items,omitempty"`
	Charges       []Charge   `json:"charges,omitempty"`
	Identifier    string     `json:"identifier,omitempty" doc:"Such as an invoice's number"`
	PaymentMethod string     `json:"paymentMethod,omitempty"`
	Seller        *Seller    `json:"seller,omitempty"`
}

// Outcome is what came of an agreement, in the words of one side.
type Outcome struct {
	Said
	Text string `json:"text" doc:"The result in a sentence"`
	NewOutcome
}

// NewOutcome is an outcome to tell.
type NewOutcome struct {
	Result      string    `json:"result" doc:"A code of spec/registry/outcomes.csv"`
	Description string    `json:"description,omitempty"`
	Measure     []Measure `json:"measure,omitempty"`
}

// Measure is one figure of an outcome.
type Measure struct {
	Name     string `json:"name"`
	Value    string `json:"value"`
	UnitCode string `json:"unitCode,omitempty"`
}

func (s *Server) orderRoutes() {
	const get, post = http.MethodGet, http.MethodPost
	handle(s, get, "/v1/orders", "listOrders", "Agreements and how far they have come, newest first", s.listOrders)
	handle(s, get, "/v1/orders/{id}", "showOrder", "One agreement and what both sides have said since", s.showOrder)
	handle(s, post, "/v1/orders/{id}/events", "sayOrder", "Say what has happened", s.sayOrder)
	handle(s, post, "/v1/orders/{id}/receipts", "giveReceipt", "Give the customer a receipt", s.giveReceipt)
	handle(s, post, "/v1/orders/{id}/outcomes", "sayOutcome", "Say what came of the agreement", s.sayOutcome)
}

func (s *Server) listOrders(ctx context.Context, _ *none) (*with[list[Order]], error) {
	var out []Order
	for _, d := range s.desk().Book().Deals() {
		if d.State.Phase == deal.PhaseAgreed {
			out = append(out, s.orderView(ctx, d, false))
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Updated.After(out[j].Updated) })
	return items(out), nil
}

// order is the view of a deal's order, or of why there is none.
func (s *Server) order(ctx context.Context, id string) (*with[Order], error) {
	d, err := s.deal(ctx, id)
	if err != nil {
		return nil, err
	}
	if d.State.Phase != deal.PhaseAgreed {
		return nil, &protocol.Error{Code: protocol.CodeNotFound, Field: "deal", Detail: "there is no agreement in this deal: " + sentence(d, s.now()), Hint: "parley deal show " + id}
	}
	return body(s.orderView(ctx, d, true)), nil
}

func (s *Server) showOrder(ctx context.Context, in *byID) (*with[Order], error) {
	return s.order(ctx, in.ID)
}

func (s *Server) orderView(ctx context.Context, d *book.Deal, full bool) Order {
	v := Order{
		Deal: d.ID.String(), Agreement: d.State.Agreement.String(), Intent: d.Key.Intent.String(), IntentName: d.Intent.Body().Name,
		Role: string(d.Role), Seller: string(d.Key.Vendor), SellerName: s.sellerName(ctx, d.Key.Vendor),
		AgreedAt: when(d.State.Confirmation.Header().At),
	}
	v.Updated = v.AgreedAt
	if rec := d.Find(d.State.Acceptance.Body().(*record.Acceptance).Offer); rec != nil {
		o := rec.Body().(*record.Offer)
		v.PriceTotal, v.PriceCurrency = o.TotalPrice.String(), o.PriceCurrency
	}
	for _, rec := range d.After {
		if at := when(rec.Header().At); at.After(v.Updated) {
			v.Updated = at
		}
	}
	// It fails only for a record that isn't there.
	after, _ := deal.Follow(d.State.Customer, d.Key, d.State.Agreement, d.After)
	v.SellerSays, v.CustomerSays = says(after.Vendor), says(after.Customer)
	if !full {
		return v
	}
	for _, e := range after.Events {
		v.Events = append(v.Events, eventView(s.saidView(d, e.Record), e.Record.Body().(*record.OrderEvent)))
	}
	for _, rec := range after.Receipts {
		v.Receipts = append(v.Receipts, receiptView(s.saidView(d, rec), rec.Body().(*record.Receipt)))
	}
	for _, rec := range slices.Concat(after.Vendor.Outcomes, after.Customer.Outcomes) {
		v.Outcomes = append(v.Outcomes, outcomeView(s.saidView(d, rec), rec.Body().(*record.Outcome)))
	}
	return v
}

// says is the newest status of a side.
func says(w deal.Word) string {
	if w.Latest == nil {
		return ""
	}
	return w.Latest.Status
}

func (s *Server) saidView(d *book.Deal, rec *record.Record) Said {
	v := Said{ID: rec.ID().String(), By: string(deal.SideCustomer), Own: s.desk().Book().Own(rec.ID()), At: when(rec.Header().At), Unknown: rec.Unknown()}
	other := d.Key.Vendor
	if rec.Header().By == d.Key.Vendor {
		v.By, other = string(deal.SideVendor), d.State.Customer
	}
	if v.Own {
		v.Delivery = s.deliveryOf(rec.ID(), other)
	}
	return v
}

func eventView(head Said, b *record.OrderEvent) OrderEvent {
	v := OrderEvent{Said: head, OrderStatus: b.OrderStatus, Text: statusSentence(b.OrderStatus), Description: b.Description,
		TrackingURL: b.TrackingURL, Items: b.Items}
	if b.Occurred != 0 {
		at := when(b.Occurred)
		v.Occurred = &at
	}
	if p := b.Payment; p != nil {
		v.Payment = &Payment{PriceCurrency: p.PriceCurrency, Price: p.Price.String(), Method: p.Method}
	}
	return v
}

func statusSentence(code string) string {
	for _, st := range protocol.OrderStatuses() {
		if st.Code == code {
			return st.Summary
		}
	}
	return "Something that this version has no word for."
}

func receiptView(head Said, b *record.Receipt) Receipt {
	date := when(b.OrderDate)
	v := Receipt{head, NewReceipt{
		OrderDate: &date, PriceCurrency: b.PriceCurrency, TotalPrice: b.TotalPrice.String(),
		Items: linesView(b.Items), Charges: chargesView(b.Charges), Identifier: b.Identifier, PaymentMethod: b.PaymentMethod,
	}}
	if b.Seller != nil {
		seller := Seller(*b.Seller)
		v.Seller = &seller
	}
	return v
}

func outcomeView(head Said, b *record.Outcome) Outcome {
	v := Outcome{Said: head, NewOutcome: NewOutcome{Result: b.Result, Description: b.Description}}
	for _, o := range protocol.Outcomes() {
		if o.Code == b.Result {
			v.Text = o.Summary
		}
	}
	for _, m := range b.Measure {
		v.Measure = append(v.Measure, Measure{m.Name, m.Value.String(), m.UnitCode})
	}
	return v
}

func (s *Server) sayOrder(ctx context.Context, in *struct {
	ID   string `path:"id"`
	Body NewOrderEvent
}) (*with[Order], error) {
	d, err := s.deal(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	e := record.OrderEvent{OrderStatus: in.Body.OrderStatus, Occurred: unix(in.Body.Occurred), Description: in.Body.Description,
		TrackingURL: in.Body.TrackingURL, Items: in.Body.Items}
	if p := in.Body.Payment; p != nil {
		amount, err := decimal.Parse(p.Price)
		if err != nil {
			return nil, protocol.Errorf(protocol.CodeBadField, "payment.price", "%w", err)
		}
		e.Payment = &record.Payment{PriceCurrency: p.PriceCurrency, Price: amount, Method: p.Method}
	}
	if _, err := s.desk().SayOrder(ctx, d.ID, e); err != nil {
		return nil, err
	}
	return s.order(ctx, in.ID)
}

func (s *Server) giveReceipt(ctx context.Context, in *struct {
	ID   string `path:"id"`
	Body NewReceipt
}) (*with[Order], error) {
	d, err := s.deal(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	r := record.Receipt{OrderDate: unix(in.Body.OrderDate), PriceCurrency: in.Body.PriceCurrency, Identifier: in.Body.Identifier,
		PaymentMethod: in.Body.PaymentMethod}
	if r.Items, err = offerLines(in.Body.Items); err != nil {
		return nil, err
	}
	if r.Charges, err = offerCharges(in.Body.Charges); err != nil {
		return nil, err
	}
	if in.Body.TotalPrice != "" {
		if r.TotalPrice, err = decimal.Parse(in.Body.TotalPrice); err != nil {
			return nil, protocol.Errorf(protocol.CodeBadField, "totalPrice", "%w", err)
		}
	}
	if in.Body.Seller != nil {
		seller := record.Seller(*in.Body.Seller)
		r.Seller = &seller
	}
	if _, err := s.desk().GiveReceipt(ctx, d.ID, r); err != nil {
		return nil, err
	}
	return s.order(ctx, in.ID)
}

func (s *Server) sayOutcome(ctx context.Context, in *struct {
	ID   string `path:"id"`
	Body NewOutcome
}) (*with[Order], error) {
	d, err := s.deal(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	o := record.Outcome{Result: in.Body.Result, Description: in.Body.Description}
	for _, m := range in.Body.Measure {
		value, err := decimal.Parse(m.Value)
		if err != nil {
			return nil, protocol.Errorf(protocol.CodeBadField, "measure.value", "%w", err)
		}
		o.Measure = append(o.Measure, record.Measure{Name: m.Name, Value: value, UnitCode: m.UnitCode})
	}
	if _, err := s.desk().SayOutcome(ctx, d.ID, o); err != nil {
		return nil, err
	}
	return s.order(ctx, in.ID)
}
