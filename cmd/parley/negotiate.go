package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/protocol"
)

// countering is what the flags of offer counter say.
type countering struct {
	in              api.NewCounter
	items, charges  []string
	price           string
	until, from, to string
	out             string
}

func (a *app) offerCounterCommand() *cobra.Command {
	c := &countering{}
	cmd := &cobra.Command{
		Use:   "counter ID",
		Short: "Say what you would accept instead of an offer",
		Long: `Say what you would accept instead of an offer.

A counter binds nobody: the offer stays firm for as long as it says, and you may
accept it still. The seller may answer with another offer, or not.`,
		Example: `  parley offer counter m3qzt --price 95
  parley offer counter m3qzt --item "Oak boards:10:MTR=80" --charge delivery=10 --until 2d
  parley offer counter m3qzt --description "Could you come on a Saturday?" --reason delivery`,
		Args: cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	f.StringVar(&c.price, "price", "", "`price` of everything that you would pay")
	f.StringVar(&c.in.PriceCurrency, "currency", "", "`currency`, three letters (the offer's by default)")
	f.StringArrayVar(&c.items, "item", nil, "one line as you would have it, `NAME[:QUANTITY[:UNIT]]=PRICE` (repeatable)")
	f.StringArrayVar(&c.charges, "charge", nil, "what would come on top of the lines, `KIND=PRICE[:NAME]` (repeatable)")
	f.StringVar(&c.in.Description, "description", "", "what you would rather have, in words")
	f.StringVar(&c.from, "from-date", "", "you would want it from this `date`")
	f.StringVar(&c.to, "to-date", "", "you would want it until this `date`")
	f.StringVar(&c.until, "until", "", "an answer is welcome until this `time`: 2d, a date, or RFC 3339 (as long as the offer is firm, 48h at least)")
	addReason(cmd, &c.in.Reason, protocol.ReasonOther, protocol.TypeCounter)
	f.StringVar(&c.out, "out", "", "also write it, sealed for the seller, to this `file`")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := c.read(time.Now()); err != nil {
			return err
		}
		var v api.Counter
		if err := a.call(cmd.Context(), http.MethodPost, api.Path("/v1/offers/%s/counter", args[0]), c.in, &v); err != nil {
			return err
		}
		if err := a.sealTo(cmd.Context(), v.ID, c.out); err != nil {
			return err
		}
		return a.print(v, func(w io.Writer) {
			fmt.Fprintln(w, "Sent: what you would accept instead. It binds nobody, and the offer stays as it is.")
			t := newTable(w)
			t.row("Counter", shortID(v.ID))
			t.row("Answer until", when(v.ValidUntil))
			t.flush()
			printDifferences(w, v.Differences)
		})
	}
	return cmd
}

// read makes the flags into lines, charges and times.
func (c *countering) read(now time.Time) (err error) {
	if c.in.Items, err = parseLines(c.items); err != nil {
		return err
	}
	if c.in.Charges, err = parseCharges(c.charges); err != nil {
		return err
	}
	if c.price != "" {
		if c.in.TotalPrice, err = parseAmount("--price", c.price); err != nil {
			return err
		}
	}
	if err := parseTimes(now,
		timeFlag{"--until", c.until, parseTime, &c.in.ValidUntil},
		timeFlag{"--from-date", c.from, parseDay, &c.in.AvailabilityStarts},
		timeFlag{"--to-date", c.to, parseTime, &c.in.AvailabilityEnds},
	); err != nil {
		return err
	}
	if len(c.in.Items) == 0 && c.in.TotalPrice == "" && c.in.Description == "" && c.in.AvailabilityStarts == nil && c.in.AvailabilityEnds == nil {
		return usagef("--price", "give --price AMOUNT, --item for each line, --description, --from-date or --to-date", "the counter says nothing")
	}
	return nil
}

func parseLines(items []string) ([]api.Line, error) {
	var out []api.Line
	for _, text := range items {
		what, amount, err := parsePriced("--item", text)
		if err != nil {
			return nil, err
		}
		name, q, err := parseItem("--item", what)
		if err != nil {
			return nil, err
		}
		out = append(out, api.Line{Name: name, Quantity: q, Price: amount})
	}
	return out, nil
}

func parseCharges(charges []string) ([]api.Charge, error) {
	var out []api.Charge
	for _, text := range charges {
		c, err := parseCharge("--charge", text)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// requestArg is the request that offer make names, or that of the deal which the
// offer changes.
func (a *app) requestArg(ctx context.Context, in api.NewOffer, args []string) (string, error) {
	if len(args) > 0 {
		return args[0], nil
	}
	about := in.Changes
	if about == "" {
		about = in.Answers
	}
	if about == "" {
		return "", usagef("REQUEST", "parley offer make REQUEST, or --changes DEAL, or --answers COUNTER", "no request is named")
	}
	var d api.Deal
	if err := a.call(ctx, http.MethodGet, api.Path("/v1/deals/%s", about), nil, &d); err != nil {
		return "", err
	}
	return d.Intent, nil
}

// offerNumber is an offer's number in its deal, with the round after the first.
func offerNumber(o api.Offer) string {
	if o.Round > 1 {
		return fmt.Sprintf("%d.%d", o.Round, o.Number)
	}
	return fmt.Sprint(o.Number)
}

// haggling shows where an offer stands among the others of its deal, and when what
// it offers is to be had.
func haggling(t *table, o api.Offer) {
	if o.Round > 1 || o.Number > 1 {
		text := fmt.Sprint(o.Number)
		if o.Round > 1 {
			text += fmt.Sprintf(" of round %d", o.Round)
		}
		t.row("Number", text)
	}
	if o.Answers != "" {
		t.row("Answers", "the counter "+shortID(o.Answers))
	}
	if o.AvailabilityStarts != nil {
		t.row("From", when(*o.AvailabilityStarts))
	}
	if o.AvailabilityEnds != nil {
		t.row("Until", when(*o.AvailabilityEnds))
	}
	if o.Changes != "" {
		t.row("Changes", "the agreement "+o.Changes+", which stays in force until this is agreed")
	}
}

// printDifferences shows what has changed, a line for each field.
func printDifferences(w io.Writer, differences []api.Difference) {
	t := newTable(w)
	for _, d := range differences {
		t.row("  "+differenceField(d.Field), differenceText(d))
	}
	t.flush()
}

func differenceText(d api.Difference) string {
	from, to := saidText(d.From), saidText(d.To)
	switch {
	case d.From == "":
		return "new: " + to
	case d.To == "":
		return "no longer: " + from
	}
	return from + " → " + to
}

func saidText(text string) string {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return when(t)
	}
	return clip(text, 120)
}

// differenceField is what people call what has changed.
func differenceField(field string) string {
	names := map[string]string{"totalPrice": "In all", "terms": "Terms", "availabilityStarts": "From", "availabilityEnds": "Until", "validUntil": "Firm until",
		"description": "Description", "deliveryWindow.starts": "Delivery from", "deliveryWindow.ends": "Delivery until", "returnPolicy": "Returns", "taxIncluded": "Tax included"}
	if name := names[field]; name != "" {
		return name
	}
	for _, prefix := range []string{"itemOffered: ", "charges: "} {
		field = strings.TrimPrefix(field, prefix)
	}
	return clip(field, 60)
}

// changedText is what has changed, in short, for a list.
func changedText(o api.Offer) string {
	var parts []string
	for _, d := range o.Differences {
		if d.Field == "validUntil" {
			continue
		}
		parts = append(parts, differenceField(d.Field)+": "+differenceText(d))
	}
	return clip(strings.Join(parts, "; "), 70)
}

// printNegotiation shows what was said in a deal beside offers and decisions.
func printNegotiation(w io.Writer, d api.Deal) {
	for _, c := range d.Counters {
		who, answered := "The customer", ""
		if c.Own {
			who = "You"
		}
		if c.AnsweredBy != "" {
			answered = ", answered by the offer " + shortID(c.AnsweredBy)
		}
		fmt.Fprintf(w, "\n%s would accept instead of offer %d (counter %s, answer until %s%s):\n", who, c.Number, shortID(c.ID), when(c.ValidUntil), answered)
		if c.Description != "" {
			fmt.Fprintf(w, "  “%s”\n", clip(c.Description, 300))
		}
		if c.Reason != "" && c.Reason != protocol.ReasonOther {
			fmt.Fprintf(w, "  %s\n", reasonText(c.Reason))
		}
		printDifferences(w, c.Differences)
		for _, field := range c.Unknown {
			fmt.Fprintf(w, "  Not understood: %s. This program is too old for all of this counter.\n", clean(field))
		}
	}
	if d.Proposal != nil {
		fmt.Fprintln(w)
		printProposal(w, *d.Proposal)
	}
	if len(d.Rounds) == 0 {
		return
	}
	fmt.Fprintln(w)
	t := newTable(w)
	t.row("ROUND", "DEAL", "PHASE", "PRICE", "AGREEMENT", "")
	for _, r := range d.Rounds {
		note, price := "", ""
		switch {
		case r.InForce:
			note = "in force"
		case r.Agreement != "":
			note = "replaced"
		}
		if r.TotalPrice != "" {
			price = r.TotalPrice + " " + r.PriceCurrency
		}
		t.row(fmt.Sprintf("%5d", r.Round), shortID(r.Deal), r.Phase, price, shortID(r.Agreement), note)
	}
	t.flush()
}

// rounds are the rows of a deal that say what round it is.
func roundRows(t *table, d api.Deal) {
	if d.Round > 1 {
		t.row("Round", fmt.Sprint(d.Round))
	}
	if q := d.Asked; q != nil {
		text := "another round"
		if q.Change {
			text = "a change of the agreement"
		}
		if q.Description != "" {
			text += ": “" + clip(q.Description, 300) + "”"
		}
		t.row("Asked for", text)
	}
	switch {
	case d.Replaces != "":
		t.row("Replaces", d.Replaces)
	case d.Changing != "":
		t.row("Changes", d.Changing)
	}
	if d.InForce != "" && d.InForce != d.Agreement {
		t.row("In force", d.InForce)
	}
}

func (a *app) dealNextCommand() *cobra.Command {
	return a.askRoundCommand("next", &cobra.Command{
		Use:   "next DEAL",
		Short: "Ask a seller for another offer after a deal that came to nothing",
		Long: `Ask a seller for another offer after a deal that came to nothing.

The seller may make offers in a new round then, or not. Each round is decided by
itself; the old one stays as it is.`,
		Example: "  parley deal next t6wa7 --description \"Would you do it in March?\"",
	})
}

func (a *app) dealChangeCommand() *cobra.Command {
	return a.askRoundCommand("change", &cobra.Command{
		Use:   "change DEAL",
		Short: "Ask a seller to change an agreement",
		Long: `Ask a seller to change an agreement.

The seller may offer what you ask for, or something else, or nothing. The
agreement stays in force until you accept such an offer and the seller confirms;
then the new agreement takes its place, on both sides.`,
		Example: "  parley deal change t6wa7 --description \"Two chairs more, please\"",
	})
}

// askRoundCommand is a command that asks for a round.
func (a *app) askRoundCommand(verb string, cmd *cobra.Command) *cobra.Command {
	var reason, description, out string
	cmd.Args = cobra.ExactArgs(1)
	addReason(cmd, &reason, protocol.ReasonOther, protocol.TypeNextRound)
	cmd.Flags().StringVar(&description, "description", "", "what you would like, in words")
	cmd.Flags().StringVar(&out, "out", "", "also write it, sealed for the seller, to this `file`")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if verb == "change" && description == "" {
			return usagef("--description", "give --description WORDS", "it isn't said what is to be changed")
		}
		in := map[string]string{"reason": reason, "description": description}
		var d api.Deal
		if err := a.call(cmd.Context(), http.MethodPost, api.Path("/v1/deals/%s/"+verb, args[0]), in, &d); err != nil {
			return err
		}
		if err := a.sealTo(cmd.Context(), ownRecord(d, protocol.TypeNextRound), out); err != nil {
			return err
		}
		return a.printDealState(d)
	}
	return cmd
}
