package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/protocol"
)

func (a *app) orderCommand() *cobra.Command {
	noun := &cobra.Command{Use: "order", Short: "What happens after an agreement", Example: "  parley order list"}
	noun.AddCommand(a.orderListCommand(), a.orderShowCommand(), a.orderSayCommand(), a.orderReceiptCommand(), a.orderOutcomeCommand())
	return noun
}

func (a *app) orderListCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List your agreements and how far they have come",
		Example: "  parley order list --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			orders, err := getList[api.Order](cmd.Context(), a, "/v1/orders")
			if err != nil {
				return err
			}
			return printList(a, orders, "No agreements.", func(t *table) {
				prices := []string{"PRICE"}
				for _, o := range orders {
					prices = append(prices, o.PriceTotal+" "+o.PriceCurrency)
				}
				prices = right(prices)
				t.row("DEAL", "YOU ARE", "SELLER", prices[0], "SELLER SAYS", "CUSTOMER SAYS", "CHANGED", "WHAT")
				for i, o := range orders {
					t.row(shortID(o.Deal), roleText(api.Deal{Role: o.Role}), sellerText(o.SellerName, o.Seller), prices[i+1],
						codeText(o.SellerSays), codeText(o.CustomerSays), when(o.Updated), clip(o.IntentName, 40))
				}
			})
		},
	}
}

// codeText is a code as people read it.
func codeText(code string) string { return strings.ReplaceAll(clean(code), "_", " ") }

func (a *app) orderShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "show DEAL",
		Short:   "Show an agreement and what both sides have said since",
		Example: "  parley order show t6wa7",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var o api.Order
			if err := a.call(cmd.Context(), http.MethodGet, api.Path("/v1/orders/%s", args[0]), nil, &o); err != nil {
				return err
			}
			return a.printOrder(o)
		},
	}
}

// sideText is who says something.
func sideText(s api.Said) string {
	if s.Own {
		return "you"
	}
	if s.By == "vendor" {
		return "the seller"
	}
	return "the customer"
}

func (a *app) printOrder(o api.Order) error {
	return a.print(o, func(w io.Writer) {
		t := newTable(w)
		t.row("Deal", shortID(o.Deal))
		t.row("Request", shortID(o.Intent)+"  "+clip(o.IntentName, 60))
		t.row("You are", "the "+roleText(api.Deal{Role: o.Role}))
		t.row("Seller", sellerText(o.SellerName, o.Seller))
		if o.PriceTotal != "" {
			t.row("Price", o.PriceTotal+" "+o.PriceCurrency)
		}
		t.row("Agreed", when(o.AgreedAt))
		t.row("Agreement", o.Agreement)
		t.flush()
		printEvents(w, o.Events)
		for _, r := range o.Receipts {
			printReceipt(w, r)
		}
		for _, r := range o.Outcomes {
			printOutcome(w, r)
		}
	})
}

func printEvents(w io.Writer, events []api.OrderEvent) {
	if len(events) == 0 {
		return
	}
	fmt.Fprintln(w)
	t := newTable(w)
	t.row("WHEN", "SAYS", "WHAT", "", "")
	for _, e := range events {
		at := e.At
		if e.Occurred != nil {
			at = *e.Occurred
		}
		var more []string
		if p := e.Payment; p != nil {
			more = append(more, strings.TrimSpace(p.Price+" "+p.PriceCurrency+" "+clip(p.Method, 30)))
		}
		for _, i := range e.Items {
			more = append(more, fmt.Sprint("line ", i+1))
		}
		if e.TrackingURL != "" {
			more = append(more, clean(e.TrackingURL))
		}
		if e.Description != "" {
			more = append(more, clip(e.Description, 80))
		}
		note := ""
		if e.Delivery != nil {
			note = deliveryText(*e.Delivery)
		}
		t.row(when(at), sideText(e.Said), codeText(e.OrderStatus), strings.Join(more, ", "), note)
	}
	t.flush()
}

func printReceipt(w io.Writer, r api.Receipt) {
	fmt.Fprintln(w)
	t := newTable(w)
	t.row("Receipt", shortID(r.ID))
	if r.Identifier != "" {
		t.row("Number", clip(r.Identifier, 64))
	}
	if r.OrderDate != nil {
		t.row("Ordered", when(*r.OrderDate))
	}
	if s := r.Seller; s != nil {
		t.row("Seller", clip(strings.Join(notEmpty(s.LegalName, s.TaxID, s.Address), ", "), 120))
	}
	if r.PaymentMethod != "" {
		t.row("Paid by", clip(r.PaymentMethod, 64))
	}
	t.flush()
	printPrices(w, api.Offer{Items: r.Items, Charges: r.Charges, TotalPrice: r.TotalPrice, PriceCurrency: r.PriceCurrency})
}

func notEmpty(texts ...string) (out []string) {
	for _, t := range texts {
		if t != "" {
			out = append(out, t)
		}
	}
	return out
}

func printOutcome(w io.Writer, o api.Outcome) {
	fmt.Fprintln(w)
	t := newTable(w)
	t.row("Outcome", codeText(o.Result)+", says "+sideText(o.Said)+" ("+when(o.At)+")")
	for _, m := range o.Measure {
		t.row("  "+clip(m.Name, 60), strings.TrimSpace(m.Value+" "+m.UnitCode))
	}
	t.flush()
	if o.Description != "" {
		fmt.Fprintln(w, clean(o.Description))
	}
}

// statusHelp lists the statuses with who may say them.
func statusHelp() string {
	var b strings.Builder
	for _, s := range protocol.OrderStatuses() {
		who := map[string]string{"both": "either", "vendor": "seller", "customer": "customer"}[s.SaidBy]
		fmt.Fprintf(&b, "  %-17s %-9s %s\n", s.Code, who, s.Summary)
	}
	return b.String()
}

func (a *app) orderSayCommand() *cobra.Command {
	var in api.NewOrderEvent
	var paid, occurred string
	var lines []int64
	cmd := &cobra.Command{
		Use:   "say DEAL STATUS",
		Short: "Tell the other side what has happened",
		Long: `Tell the other side what has happened.

It is your signed word and no more: the other side sees who says it, and says
what it sees. Parley moves no money; "paid" is a statement.

` + statusHelp(),
		Example: `  parley order say t6wa7 dispatched --tracking https://post.example/1Z9
  parley order say t6wa7 paid --amount "128.5 GBP" --method "bank transfer"
  parley order say t6wa7 problem --line 2 --description "One board is split."`,
		Args: cobra.ExactArgs(2),
	}
	f := cmd.Flags()
	f.StringVar(&in.Description, "description", "", "what there is to add")
	f.StringVar(&in.TrackingURL, "tracking", "", "`address` of a page that follows the goods")
	f.StringVar(&occurred, "occurred", "", "when it happened, if not now: a date, or RFC 3339 `time`")
	f.StringVar(&paid, "amount", "", "`amount` of money that it is about, as in \"12.5 EUR\"")
	var method string
	f.StringVar(&method, "method", "", "how it was paid")
	f.Int64SliceVar(&lines, "line", nil, "`number` of the offer's line that it is about, from 1 (repeatable; all by default)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		in.OrderStatus = strings.ReplaceAll(args[1], " ", "_")
		if err := knownStatus(in.OrderStatus); err != nil {
			return err
		}
		for _, n := range lines {
			in.Items = append(in.Items, n-1)
		}
		if occurred != "" {
			at, err := parseDay("--occurred", occurred, time.Now())
			if err != nil {
				return err
			}
			in.Occurred = &at
		}
		if paid != "" {
			b, err := parseBudget("--amount", paid)
			if err != nil || b.MinPrice != "" {
				return usagef("--amount", `write "12.5 EUR"`, "%q is no amount of money", paid)
			}
			in.Payment = &api.Payment{PriceCurrency: b.PriceCurrency, Price: b.MaxPrice, Method: method}
		} else if method != "" {
			return usagef("--method", `give --amount "12.5 EUR" too`, "there is no amount")
		}
		return a.say(cmd.Context(), args[0], "events", in)
	}
	return cmd
}

func knownStatus(code string) error {
	var all []string
	for _, s := range protocol.OrderStatuses() {
		if s.Code == code {
			return nil
		}
		all = append(all, s.Code)
	}
	return usagef("STATUS", strings.Join(all, ", "), "%q is no status", code)
}

// say posts a statement about an agreement and shows what both sides say then.
func (a *app) say(ctx context.Context, deal, what string, in any) error {
	var o api.Order
	if err := a.call(ctx, http.MethodPost, api.Path("/v1/orders/%s/", deal)+what, in, &o); err != nil {
		return err
	}
	return a.printOrder(o)
}

func (a *app) orderReceiptCommand() *cobra.Command {
	var in api.NewReceipt
	var seller api.Seller
	var items, charges []string
	cmd := &cobra.Command{
		Use:   "receipt DEAL",
		Short: "As a seller: give the customer a receipt",
		Long: `As a seller: give the customer a receipt.

Lines, charges and the total are those of the agreement, unless you name the
lines of a part.`,
		Example: `  parley order receipt t6wa7 --number 2026-117 --name "Boards Ltd" --tax-id GB123456789
  parley order receipt t6wa7 --item "Oak boards:6:MTR=48"`,
		Args: cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.StringVar(&in.Identifier, "number", "", "the receipt's or invoice's `number`")
	f.StringVar(&in.PaymentMethod, "method", "", "how it was paid")
	f.StringVar(&seller.LegalName, "name", "", "the seller's legal `name`")
	f.StringVar(&seller.TaxID, "tax-id", "", "the seller's tax `ID`")
	f.StringVar(&seller.Address, "address", "", "the seller's `address`")
	f.StringArrayVar(&items, "item", nil, "one line, `NAME[:QUANTITY[:UNIT]]=PRICE`, instead of the agreement's (repeatable)")
	f.StringArrayVar(&charges, "charge", nil, "what comes on top, `KIND=PRICE[:NAME]`, with --item (repeatable)")
	f.StringVar(&in.TotalPrice, "total", "", "the sum of the lines that are named")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o := &offering{items: items, charges: charges, valid: defaultFirm, in: api.NewOffer{TotalPrice: in.TotalPrice}}
		if len(items) > 0 {
			if err := o.read(); err != nil {
				return err
			}
			in.Items, in.Charges, in.TotalPrice = o.in.Items, o.in.Charges, o.in.TotalPrice
		} else if len(charges) > 0 || in.TotalPrice != "" {
			return usagef("--item", "name the lines with --item", "a total or charges without lines")
		}
		if seller != (api.Seller{}) {
			in.Seller = &seller
		}
		return a.say(cmd.Context(), args[0], "receipts", in)
	}
	return cmd
}

var measureForm = regexp.MustCompile(`^(.+)=(-?[0-9.]+)(?: ?([A-Z0-9]{2,3}))?$`)

func (a *app) orderOutcomeCommand() *cobra.Command {
	var in api.NewOutcome
	var measures []string
	var codes []string
	for _, o := range protocol.Outcomes() {
		codes = append(codes, o.Code)
	}
	cmd := &cobra.Command{
		Use:   "outcome DEAL RESULT",
		Short: "Say what came of an agreement, with money or without",
		Long: `Say what came of an agreement, with money or without.

RESULT is one of ` + strings.Join(codes, ", ") + `.`,
		Example: `  parley order outcome t6wa7 fulfilled --description "The course took place."
  parley order outcome t6wa7 partly --measure "hours of teaching=12 HUR"`,
		Args: cobra.ExactArgs(2),
	}
	f := cmd.Flags()
	f.StringVar(&in.Description, "description", "", "what came of it")
	f.StringArrayVar(&measures, "measure", nil, "one figure, `NAME=VALUE [UNIT]` (repeatable)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		in.Result = strings.ReplaceAll(args[1], " ", "_")
		for _, text := range measures {
			m := measureForm.FindStringSubmatch(text)
			if m == nil {
				return usagef("--measure", `write "hours of teaching=12 HUR"`, "%q is no figure", text)
			}
			value, err := parseAmount("--measure", m[2])
			if err != nil {
				return err
			}
			in.Measure = append(in.Measure, api.Measure{Name: strings.TrimSpace(m[1]), Value: value, UnitCode: m[3]})
		}
		known := false
		for _, c := range codes {
			known = known || c == in.Result
		}
		if !known {
			return usagef("RESULT", strings.Join(codes, ", "), "%q is no result", args[1])
		}
		return a.say(cmd.Context(), args[0], "outcomes", in)
	}
	return cmd
}
