// Package api is the node's local interface: HTTP and JSON over a Unix socket
// that only its owner can open. The command line and every other program on the
// machine speak it. JSON only ever gains keys. Times are RFC 3339, IDs are
// CIDs, amounts are decimal strings.
package api

import (
	"encoding/json"
	"time"
)

// Node is what a node tells of itself.
type Node struct {
	Version   string    `json:"version"`
	Home      string    `json:"home"`
	DID       string    `json:"did" doc:"The public name of this node's seller"`
	PeerID    string    `json:"peerId"`
	Addrs     []string  `json:"addrs" doc:"Where other nodes reach this one"`
	Mailboxes []string  `json:"mailboxes" doc:"Where others leave replies"`
	Serves    bool      `json:"servesMailbox" doc:"Whether it keeps envelopes for others"`
	Markets   []string  `json:"markets"`
	Peers     int       `json:"peers" doc:"Connected nodes"`
	Started   time.Time `json:"started"`
	ReadyMS   int64     `json:"readyMs" doc:"How long the start took, in milliseconds"`
	Records   Counts    `json:"records"`
	Restored  time.Time `json:"restored,omitzero" doc:"When the node came back from a backup last"`
	Owed      int       `json:"owed" doc:"Deliveries that their recipients haven't acknowledged"`
	Syncs     uint64    `json:"fsyncRounds" doc:"Rounds of fsync of the ledger since the start"`
	Disk      Disk      `json:"disk"`
	Reach     Reach     `json:"reach" doc:"How others get to this node"`
}

// Disk is the room on the disk of the home.
type Disk struct {
	Free    uint64   `json:"free" doc:"Bytes"`
	Total   uint64   `json:"total" doc:"Bytes"`
	Refuses []string `json:"refuses" enum:"foreign,own,view" doc:"What isn't taken until there is room: records of others, one's own, the view's rows"`
}

// Counts are records by class.
type Counts struct {
	Own     int `json:"own"`
	Deal    int `json:"deal"`
	Foreign int `json:"foreign"`
}

// Check is one line of the doctor's report.
type Check struct {
	Name   string `json:"name"`
	Status string `json:"status" enum:"ok,warn,fail"`
	Text   string `json:"text"`
	Hint   string `json:"hint,omitempty"`
}

// Invite is a link that makes two nodes a network.
type Invite struct {
	Link    string   `json:"link"`
	Addrs   []string `json:"addrs,omitempty"`
	Markets []string `json:"markets,omitempty"`
}

// Contact is what the person knows of another author.
type Contact struct {
	DID     string `json:"did"`
	Name    string `json:"name,omitempty"`
	Blocked bool   `json:"blocked,omitempty"`
}

// Market is a market that this node is in, or that the registry has.
type Market struct {
	Name       string `json:"name"`
	Title      string `json:"title,omitempty"`
	Summary    string `json:"summary,omitempty"`
	Joined     bool   `json:"joined"`
	Registered bool   `json:"registered" doc:"Whether the registry of markets has it; others are allowed"`
	Peers      int    `json:"peers" doc:"Nodes of the market that this one is connected to"`
}

// Profile is how a seller presents itself.
type Profile struct {
	ID          string          `json:"id,omitempty"`
	DID         string          `json:"did,omitempty"`
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	URL         string          `json:"url,omitempty"`
	Category    []string        `json:"category,omitempty"`
	AreaServed  []Area          `json:"areaServed,omitempty"`
	Markets     []string        `json:"markets,omitempty"`
	Terms       []string        `json:"terms,omitempty" doc:"IDs of the terms that the seller agrees to"`
	Record      json.RawMessage `json:"record,omitempty"`
}

// Area is a place, no finer than its author wants it known.
type Area struct {
	AddressCountry  string `json:"addressCountry,omitempty"`
	AddressRegion   string `json:"addressRegion,omitempty"`
	AddressLocality string `json:"addressLocality,omitempty"`
	PostalCode      string `json:"postalCode,omitempty"`
}

// Quantity is an amount in a UN/CEFACT unit.
type Quantity struct {
	Value    string `json:"value"`
	UnitCode string `json:"unitCode,omitempty" doc:"UN/CEFACT Recommendation 20; C62 (one) when empty"`
}

// Wanted is one thing asked for.
type Wanted struct {
	Name        string    `json:"name"`
	Description string    `json:"description,omitempty"`
	Category    []string  `json:"category,omitempty"`
	Quantity    *Quantity `json:"eligibleQuantity,omitempty"`
}

// Budget is what the customer would spend.
type Budget struct {
	PriceCurrency string `json:"priceCurrency"`
	MinPrice      string `json:"minPrice,omitempty"`
	MaxPrice      string `json:"maxPrice,omitempty"`
}

// NewIntent is a request to publish: from its own fields, or from a document in
// another format, in which case the fields that are set here win.
type NewIntent struct {
	Format    string          `json:"format,omitempty" enum:"schema.org,ocds" doc:"Format of document"`
	Document  json.RawMessage `json:"document,omitempty"`
	AsRequest bool            `json:"asRequest,omitempty" doc:"Take an OCDS notice that isn't a call for offers as one"`

	Market             string     `json:"market,omitempty"`
	To                 []string   `json:"to,omitempty" doc:"Names or DIDs of sellers; the request is sealed to them alone"`
	Name               string     `json:"name,omitempty"`
	Description        string     `json:"description,omitempty"`
	InLanguage         string     `json:"inLanguage,omitempty"`
	Category           []string   `json:"category,omitempty"`
	ItemOffered        []Wanted   `json:"itemOffered,omitempty"`
	AreaServed         *Area      `json:"areaServed,omitempty"`
	PriceSpecification *Budget    `json:"priceSpecification,omitempty"`
	AvailabilityStarts *time.Time `json:"availabilityStarts,omitempty"`
	AvailabilityEnds   *time.Time `json:"availabilityEnds,omitempty"`
	ValidUntil         *time.Time `json:"validUntil,omitempty"`
	Terms              []string   `json:"terms,omitempty"`
	Awards             int64      `json:"awards,omitempty"`
	Introduce          bool       `json:"introduce,omitempty" doc:"Tell each seller of to under which name it knows this customer"`
}

// Draft is what publishing would make public, and what to think of first.
type Draft struct {
	Record   json.RawMessage `json:"record" doc:"The record, signed with a key that is thrown away"`
	Size     int             `json:"size" doc:"Bytes"`
	Warnings []Warning       `json:"warnings"`
	Notes    []Note          `json:"notes" doc:"What was changed on the way from the document"`
	Terms    []Terms         `json:"terms"`
	Market   *Market         `json:"market,omitempty"`
}

// Warning points at something in the text that may say more than was meant.
type Warning struct {
	Field   string `json:"field"`
	Kind    string `json:"kind"`
	Excerpt string `json:"excerpt,omitempty"`
	Text    string `json:"text"`
}

// Note tells of a change on the way from a document.
type Note struct {
	Field string `json:"field,omitempty"`
	Text  string `json:"text"`
}

// Intent is a request, one's own or another's.
type Intent struct {
	ID          string          `json:"id"`
	Own         bool            `json:"own"`
	Status      string          `json:"status" enum:"live,expired,withdrawn"`
	Market      string          `json:"market,omitempty"`
	OnItsWay    bool            `json:"onItsWay,omitempty" doc:"Own, and no market has shown it to others yet"`
	To          []string        `json:"to,omitempty"`
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Category    []string        `json:"category"`
	ItemOffered []Wanted        `json:"itemOffered"`
	AreaServed  *Area           `json:"areaServed,omitempty"`
	Budget      *Budget         `json:"priceSpecification,omitempty"`
	At          time.Time       `json:"at"`
	ValidUntil  time.Time       `json:"validUntil"`
	Awards      int64           `json:"awards"`
	Terms       []Terms         `json:"terms"`
	Offers      int             `json:"offers" doc:"Offers in hand"`
	Recovering  string          `json:"recovering,omitempty" doc:"Why nothing new is signed on it here: restored, found or writer"`
	Text        string          `json:"text,omitempty" doc:"The same in a sentence"`
	Deals       []string        `json:"deals"`
	Known       *Known          `json:"customer,omitempty" doc:"Who asks, if the customer has introduced itself"`
	Unknown     []string        `json:"unknown,omitempty" doc:"Fields that this version doesn't know"`
	Record      json.RawMessage `json:"record,omitempty"`
	Size        int             `json:"size"`
	Notices     []Notice        `json:"notices,omitempty" doc:"What sellers, or the customer, say that they have erased"`
}

// Known is a customer that has introduced itself.
type Known struct {
	DID  string `json:"did" doc:"As this seller alone knows it"`
	Name string `json:"name,omitempty" doc:"What the person calls it"`
}

// NewOffer is an offer to make.
type NewOffer struct {
	Intent             string     `json:"intent,omitempty" doc:"May be left out with answers or changes"`
	Round              int64      `json:"round,omitempty" doc:"The last when absent, or with changes the one after the agreement"`
	Answers            string     `json:"answers,omitempty" doc:"The counter that it answers; the newest that no offer answers when absent"`
	Changes            string     `json:"changes,omitempty" doc:"A deal whose agreement it would replace"`
	Description        string     `json:"description,omitempty"`
	Items              []Line     `json:"itemOffered"`
	Charges            []Charge   `json:"charges,omitempty"`
	PriceCurrency      string     `json:"priceCurrency"`
	TotalPrice         string     `json:"totalPrice,omitempty" doc:"Computed when empty; otherwise it must be the exact sum"`
	Terms              string     `json:"terms,omitempty"`
	ValidUntil         time.Time  `json:"validUntil"`
	AvailabilityStarts *time.Time `json:"availabilityStarts,omitempty"`
	AvailabilityEnds   *time.Time `json:"availabilityEnds,omitempty"`
	Conditions
}

// Line is one line of an offer.
type Line struct {
	Name        string    `json:"name"`
	Description string    `json:"description,omitempty"`
	Item        *int64    `json:"item,omitempty" doc:"Index in the request's itemOffered, from 0"`
	Quantity    *Quantity `json:"eligibleQuantity,omitempty"`
	UnitPrice   string    `json:"unitPrice,omitempty"`
	Price       string    `json:"price" doc:"Of the whole line"`
	TaxRate     string    `json:"taxRate,omitempty" doc:"Percent"`
}

// Charge is what comes on top of the lines.
type Charge struct {
	Kind    string `json:"kind" enum:"tax,delivery,fee,discount,other"`
	Name    string `json:"name,omitempty"`
	Price   string `json:"price"`
	TaxRate string `json:"taxRate,omitempty" doc:"Percent"`
}

// Offer is an offer, made or received.
type Offer struct {
	ID            string   `json:"id"`
	Deal          string   `json:"deal"`
	Intent        string   `json:"intent"`
	Round         int64    `json:"round"`
	Number        int64    `json:"number"`
	Own           bool     `json:"own"`
	Seller        string   `json:"seller" doc:"DID"`
	SellerName    string   `json:"sellerName,omitempty" doc:"The local name, else the one of its profile"`
	Moved         *Moved   `json:"moved,omitempty" doc:"What the seller says of its key before"`
	Description   string   `json:"description,omitempty"`
	Items         []Line   `json:"itemOffered"`
	Charges       []Charge `json:"charges,omitempty"`
	PriceCurrency string   `json:"priceCurrency"`
	TotalPrice    string   `json:"totalPrice"`
	Conditions
	Haggling
	Terms              Terms           `json:"terms"`
	At                 time.Time       `json:"at"`
	ValidUntil         time.Time       `json:"validUntil"`
	AvailabilityStarts *time.Time      `json:"availabilityStarts,omitempty"`
	AvailabilityEnds   *time.Time      `json:"availabilityEnds,omitempty"`
	Phase              string          `json:"phase" doc:"The deal's"`
	Accepted           bool            `json:"accepted"`
	Acceptable         bool            `json:"acceptable" doc:"Whether it could be accepted now"`
	WhyNot             *Problem        `json:"whyNot,omitempty"`
	Unknown            []string        `json:"unknown,omitempty" doc:"Fields that this version doesn't know; they block acceptance"`
	Delivery           *Delivery       `json:"delivery,omitempty"`
	Record             json.RawMessage `json:"record,omitempty"`
}

// Moved is what a seller's profile says of the key before.
type Moved struct {
	From   string    `json:"from" doc:"DID"`
	At     time.Time `json:"at"`
	Proven bool      `json:"proven" doc:"The old key had promised this one; else take it for a different seller"`
	Text   string    `json:"text"`
}

// Delivery is how far an own record has come.
type Delivery struct {
	State    string     `json:"state" enum:"persisted,stored,pending" doc:"persisted: the recipient has it; stored: a mailbox has it; pending: it is being sent"`
	Attempts int        `json:"attempts,omitempty"`
	Next     *time.Time `json:"next,omitempty"`
	Error    string     `json:"error,omitempty" doc:"Of the last attempt"`
	Custody  []Custody  `json:"custody,omitempty" doc:"Mailboxes that have signed for it"`
}

// Custody is a mailbox's signed word that it keeps an envelope, as the
// specification's document 4 has it.
type Custody struct {
	Mailbox  string    `json:"mailbox" doc:"Its peer ID, whose key the signature is by"`
	Token    string    `json:"token" doc:"Hexadecimal"`
	Envelope string    `json:"envelope" doc:"SHA-256 of the sealed envelope, hexadecimal"`
	Until    time.Time `json:"until" doc:"How long it is to be kept there"`
	Receipt  string    `json:"receipt" doc:"The signature, hexadecimal; empty for one's own mailbox"`
}

// Deal is one customer, one seller and one request.
type Deal struct {
	ID            string       `json:"id"`
	Intent        string       `json:"intent"`
	IntentName    string       `json:"intentName"`
	Round         int64        `json:"round"`
	Role          string       `json:"role" enum:"customer,vendor"`
	Customer      string       `json:"customer" doc:"DID, made for this request alone"`
	Seller        string       `json:"seller" doc:"DID"`
	SellerName    string       `json:"sellerName,omitempty"`
	Known         *Known       `json:"knownCustomer,omitempty" doc:"Who that is, if the customer has introduced itself"`
	Phase         string       `json:"phase" enum:"open,pending,agreed,voided,conflict"`
	Recovering    string       `json:"recovering,omitempty" doc:"Why this side doesn't trust its memory of the deal: restored, found or writer"`
	InDoubt       bool         `json:"inDoubt" doc:"Accepted, past its deadline, and no answer: it may have been bought"`
	Text          string       `json:"text" doc:"The state in a sentence"`
	Agreement     string       `json:"agreement,omitempty" doc:"The CID that names the agreement, the same on both sides"`
	Reason        string       `json:"reason,omitempty" doc:"Code, when it was voided or an award notice says why"`
	PriceTotal    string       `json:"totalPrice,omitempty" doc:"Of the accepted offer"`
	PriceCurrency string       `json:"priceCurrency,omitempty"`
	Updated       time.Time    `json:"updated"`
	Offers        []Offer      `json:"offers,omitempty"`
	Records       []DealRecord `json:"records,omitempty"`
	Notices       []Notice     `json:"notices,omitempty" doc:"What either side says that it has erased"`
	Negotiation
}

// DealRecord is one record of a deal.
type DealRecord struct {
	ID       string    `json:"id"`
	Type     string    `json:"type"`
	By       string    `json:"by"`
	Own      bool      `json:"own"`
	At       time.Time `json:"at"`
	Reason   string    `json:"reason,omitempty"`
	Misfit   string    `json:"misfit,omitempty" doc:"Code, when it has no part in the deal"`
	Evidence bool      `json:"evidence,omitempty" doc:"Part of the proof of a conflict"`
	Waiting  string    `json:"waitsFor,omitempty" doc:"The record that must come first"`
	Delivery *Delivery `json:"delivery,omitempty"`
}

// Imported tells what an import brought.
type Imported struct {
	Kind    string   `json:"kind" enum:"archive,message"`
	Records int      `json:"records"`
	Added   int      `json:"added"`
	IDs     []string `json:"ids"`
	Deal    string   `json:"deal,omitempty" doc:"The deal that a message belongs to"`
	Reply   string   `json:"reply,omitempty" doc:"An own record that answers and can be brought back as a file"`
}

// Problem is an error, after RFC 9457. Its code is of spec/registry/codes.csv.
type Problem struct {
	Status int    `json:"status,omitempty"`
	Title  string `json:"title,omitempty"`
	Code   string `json:"code"`
	Field  string `json:"field,omitempty"`
	Detail string `json:"detail"`
	Hint   string `json:"hint,omitempty"`
}
