package record

import (
	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/decimal"
)

// Preference is a preference that its author shares with whom it likes.
type Preference struct {
	Salt       [32]byte        // salt, optional: public salt of the author's key derivation
	Name       string          // name: 1..200
	Category   []string        // category, optional: 1..8
	Value      PreferenceValue // value
	Supersedes cid.Cid         // supersedes, optional: the author's assertion that this one follows
}

// PreferenceValue is text, or a map of free form. Exactly one of the two is set.
type PreferenceValue struct {
	Text   string         // as text: 1..4000
	Fields map[string]any // as a map, not empty
}

// Membership says that somebody is a member. Its author is the organisation, or
// the member itself: then Member is empty or the author.
type Membership struct {
	Salt                [32]byte   // salt, optional
	Member              crypto.DID // member, optional
	ProgramName         string     // programName: 1..200
	HostingOrganization crypto.DID // hostingOrganization, optional
	MembershipNumber    string     // membershipNumber, optional: ..64
	ValidFrom           int64      // validFrom, optional
	ValidThrough        int64      // validThrough, optional: >= validFrom
	Supersedes          cid.Cid    // supersedes, optional
}

// TransactionHistory is purchases that their author shares with whom it likes.
type TransactionHistory struct {
	Salt         [32]byte      // salt, optional
	Transactions []Transaction // transactions: 1..256
	PeriodStarts int64         // periodStarts, optional
	PeriodEnds   int64         // periodEnds, optional: >= periodStarts
	Supersedes   cid.Cid       // supersedes, optional
}

// Transaction is one purchase.
type Transaction struct {
	Agreement     cid.Cid          // agreement
	Seller        crypto.DID       // seller, optional
	OrderDate     int64            // orderDate, optional
	Name          string           // name, optional: ..200
	Category      []string         // category, optional: 1..8
	PriceCurrency string           // priceCurrency, optional: with totalPrice
	TotalPrice    *decimal.Decimal // totalPrice, optional: >= 0, with priceCurrency
	Receipt       cid.Cid          // receipt, optional
}

// Type is "preference".
func (*Preference) Type() string { return protocol.TypePreference }

// Type is "membership".
func (*Membership) Type() string { return protocol.TypeMembership }

// Type is "transaction-history".
func (*TransactionHistory) Type() string { return protocol.TypeTransactionHistory }

func (b *Preference) fields(f *form) {
	optional(f, "salt", &b.Salt, digest{})
	field(f, "name", &b.Name, text{200})
	optionalList(f, "category", &b.Category, setOf(1, protocol.MaxCategories, categoryToken))
	field(f, "value", &b.Value, preferenceValue{})
	optional(f, "supersedes", &b.Supersedes, link{})
}

// preferenceValue is text or a map without a description.
type preferenceValue struct{}

func (preferenceValue) read(at spot, value any) (v PreferenceValue) {
	switch value.(type) {
	case string:
		v.Text = longText{4000}.read(at, value)
	case map[string]any:
		v.Fields = free{}.read(at, value)
	default:
		at.wants("text or a map", value)
	}
	return v
}

func (preferenceValue) write(at spot, value PreferenceValue) any {
	switch {
	case value.Text != "" && len(value.Fields) > 0:
		at.fail(protocol.CodeBadField, "a preference is text or a map, not both")
		return nil
	case len(value.Fields) > 0:
		return free{}.write(at, value.Fields)
	default:
		return value.Text
	}
}

func (b *Membership) fields(f *form) {
	optional(f, "salt", &b.Salt, digest{})
	optional(f, "member", &b.Member, author{})
	field(f, "programName", &b.ProgramName, text{200})
	optional(f, "hostingOrganization", &b.HostingOrganization, author{})
	optional(f, "membershipNumber", &b.MembershipNumber, text{64})
	optional(f, "validFrom", &b.ValidFrom, instant{})
	optional(f, "validThrough", &b.ValidThrough, instant{})
	optional(f, "supersedes", &b.Supersedes, link{})

	f.require(b.ValidThrough == 0 || b.ValidThrough >= b.ValidFrom, "validThrough", "lies before validFrom")
}

func (b *TransactionHistory) fields(f *form) {
	optional(f, "salt", &b.Salt, digest{})
	field(f, "transactions", &b.Transactions, listOf(1, protocol.MaxTransactions, objectOf((*Transaction).fields)))
	optional(f, "periodStarts", &b.PeriodStarts, instant{})
	optional(f, "periodEnds", &b.PeriodEnds, instant{})
	optional(f, "supersedes", &b.Supersedes, link{})

	f.require(b.PeriodEnds == 0 || b.PeriodEnds >= b.PeriodStarts, "periodEnds", "lies before periodStarts")
}

func (b *Transaction) fields(f *form) {
	field(f, "agreement", &b.Agreement, link{})
	optional(f, "seller", &b.Seller, author{})
	optional(f, "orderDate", &b.OrderDate, instant{})
	optional(f, "name", &b.Name, text{200})
	optionalList(f, "category", &b.Category, setOf(1, protocol.MaxCategories, categoryToken))
	optional(f, "priceCurrency", &b.PriceCurrency, currencyToken)
	pointer(f, "totalPrice", &b.TotalPrice, amount{})
	optional(f, "receipt", &b.Receipt, link{})

	moneyPair(f, b.PriceCurrency, b.TotalPrice)
}
