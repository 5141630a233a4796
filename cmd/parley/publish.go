package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/protocol"
)

// publishing is what the flags of intent publish say.
type publishing struct {
	in                     api.NewIntent
	area                   api.Area
	items                  []string
	budget, until          string
	from, to               string
	yes, dryRun, showBytes bool
}

func (a *app) intentPublishCommand() *cobra.Command {
	p := &publishing{}
	cmd := &cobra.Command{
		Use:   "publish [FILE]",
		Short: "Ask a market, or some sellers, for something",
		Long: `Ask a market, or some sellers, for something.

The request comes from flags, or from a FILE (- for the standard input): a
Demand of schema.org as JSON-LD, or a tender in the Open Contracting Data
Standard; flags that are given win over the file. What becomes public is shown
first, and nothing is sent before you say yes.

The request is signed with a key made for it alone: two requests can't be
linked by their keys. Sellers answer privately.`,
		Example: `  parley intent publish --name "Gas boiler service" --market repair --country GB --postcode LS6 --until 7d
  parley intent publish --name Shelves --item "Oak boards:12:MTR" --item Brackets:8 --budget "GBP 100..200" --market home
  parley intent publish --name "Gas boiler service" --category cpv:50 --to corner-shop
  parley intent publish tender.json --market public-tenders --until 14d --yes`,
		Args: cobra.MaximumNArgs(1),
	}
	f := cmd.Flags()
	f.StringVar(&p.in.Market, "market", "", "`market` to ask")
	f.BoolVar(&p.in.Introduce, "introduce", false, "with --to: let these sellers know that it is you, who has dealt with them before")
	f.StringArrayVar(&p.in.To, "to", nil, "`seller` to ask, sealed to these alone: a contact's name or an ID (repeatable)")
	f.StringVar(&p.in.Name, "name", "", "what you want, in a few words")
	f.StringVar(&p.in.Description, "description", "", "what a seller must know, in public")
	f.StringVar(&p.in.InLanguage, "language", "", "`language` of the texts, such as en")
	f.StringArrayVar(&p.items, "item", nil, "one thing that you want, `NAME[:QUANTITY[:UNIT]]` (repeatable; units of UN/CEFACT)")
	f.StringArrayVar(&p.in.Category, "category", nil, "what kind of thing it is, a `code` such as cpv:50 (repeatable; the market's by default)")
	addArea(f, &p.area)
	f.StringVar(&p.budget, "budget", "", "what you would spend, `MONEY` such as \"200 GBP\" or \"GBP 100..200\"")
	f.StringVar(&p.until, "until", "", "offers are welcome until this `time`: 7d, 48h, a date, or RFC 3339 (default 7d)")
	f.StringVar(&p.from, "from-date", "", "you want it from this `date`")
	f.StringVar(&p.to, "to-date", "", "you want it until this `date`")
	f.Int64Var(&p.in.Awards, "awards", 0, "from how many sellers you may buy (default 1)")
	f.StringArrayVar(&p.in.Terms, "terms", nil, "`terms` that sellers may agree to, most preferred first: of parley terms list, or a text of yours (repeatable; PDC-INTENT by default)")
	f.StringVar(&p.in.Format, "format", "", "`format` of FILE: schema.org or ocds (guessed by default)")
	f.BoolVar(&p.in.AsRequest, "as-request", false, "take a notice that doesn't ask for offers as if it did")
	f.BoolVar(&p.yes, "yes", false, "publish without asking")
	f.BoolVar(&p.dryRun, "dry-run", false, "only show what would become public")
	f.BoolVar(&p.showBytes, "show-record", false, "show the record as JSON too")
	cmd.MarkFlagsMutuallyExclusive("market", "to")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		file := ""
		if len(args) > 0 {
			file = args[0]
		}
		return a.publish(cmd.Context(), p, file)
	}
	return cmd
}

func (a *app) publish(ctx context.Context, p *publishing, file string) error {
	if err := a.fill(p, file); err != nil {
		return err
	}
	var d api.Draft
	if err := a.call(ctx, http.MethodPost, "/v1/intents/draft", p.in, &d); err != nil {
		return err
	}
	if p.dryRun {
		return a.print(d, func(w io.Writer) { a.preview(w, d, p) })
	}
	if !a.json {
		a.preview(a.stderr, d, p)
	}
	if !p.yes {
		if err := a.confirm(file, "Publish this?", "Nothing was published."); err != nil {
			return err
		}
	}
	var v api.Intent
	if err := a.call(ctx, http.MethodPost, "/v1/intents", p.in, &v); err != nil {
		return err
	}
	return a.print(v, func(w io.Writer) {
		fmt.Fprintf(w, "Published: %s  %s\n", shortID(v.ID), v.Name)
		if v.OnItsWay {
			a.note("It is on its way: it takes some seconds, and goes on when the node is started again.")
		}
	})
}

// fill makes flags and file into what the node takes.
func (a *app) fill(p *publishing, file string) error {
	now := time.Now()
	for _, text := range p.items {
		name, q, err := parseItem("--item", text)
		if err != nil {
			return err
		}
		p.in.ItemOffered = append(p.in.ItemOffered, api.Wanted{Name: name, Quantity: q})
	}
	if p.area != (api.Area{}) {
		p.in.AreaServed = &p.area
	}
	if p.budget != "" {
		b, err := parseBudget("--budget", p.budget)
		if err != nil {
			return err
		}
		p.in.PriceSpecification = b
	}
	if p.until == "" && file == "" {
		p.until = defaultLife.String()
	}
	if err := parseTimes(now,
		timeFlag{"--until", p.until, parseTime, &p.in.ValidUntil},
		timeFlag{"--from-date", p.from, parseDay, &p.in.AvailabilityStarts},
		timeFlag{"--to-date", p.to, parseTime, &p.in.AvailabilityEnds},
	); err != nil {
		return err
	}
	if file == "" {
		switch {
		case p.in.Format != "":
			return usagef("--format", "give the FILE too", "a format without a file")
		case p.in.Name == "":
			return usagef("--name", `parley intent publish --name "What you want" --market MARKET`, "a request needs a name")
		}
		return nil
	}
	data, err := a.readInput(file)
	if err != nil {
		return err
	}
	if p.in.Format == "" {
		if p.in.Format, err = guessFormat(data); err != nil {
			return err
		}
	}
	p.in.Document = data
	return nil
}

// guessFormat tells a document's format from the keys that it starts with.
func guessFormat(data []byte) (string, error) {
	var top map[string]json.RawMessage
	if err := json.Unmarshal(data, &top); err != nil {
		return "", &protocol.Error{Code: protocol.CodeUnsupportedFormat, Field: "file", Detail: "the file isn't a JSON object", Hint: "schema.org JSON-LD or OCDS, in JSON", Err: err}
	}
	for _, key := range []string{"ocid", "releases", "records", "compiledRelease"} {
		if _, ok := top[key]; ok {
			return "ocds", nil
		}
	}
	for _, key := range []string{"@context", "@type", "@graph"} {
		if _, ok := top[key]; ok {
			return "schema.org", nil
		}
	}
	return "", &protocol.Error{Code: protocol.CodeUnsupportedFormat, Field: "file", Detail: "the file's format isn't recognized", Hint: "name it with --format schema.org or --format ocds"}
}

// preview shows what becomes public, and what to think of first.
func (a *app) preview(w io.Writer, d api.Draft, p *publishing) {
	if len(p.in.To) > 0 && d.Market == nil {
		fmt.Fprintf(w, "This goes, sealed, to %s alone:\n\n", strings.Join(p.in.To, " and "))
	} else {
		fmt.Fprint(w, "This becomes public:\n\n")
	}
	printRequest(w, d.Record, d.Terms)
	if p.showBytes {
		fmt.Fprintf(w, "\nThe record (%d bytes):\n%s", d.Size, indent(d.Record))
	}
	if len(d.Notes) > 0 {
		fmt.Fprintln(w, "\nChanged on the way from the file:")
		for _, n := range d.Notes {
			fmt.Fprintf(w, "  %s\n", clip(n.Text, 300))
		}
	}
	if d.Market != nil && !d.Market.Registered {
		fmt.Fprintf(w, "\nThe market %q isn't in the registry: only those who know its name see it (parley market list).\n", d.Market.Name)
	}
	for i, warning := range d.Warnings {
		if i == 0 {
			fmt.Fprintln(w)
		}
		if warning.Excerpt != "" {
			fmt.Fprintf(w, "Warning: %s, in %s: %s\n", warning.Text, fieldName(warning.Field), clip(warning.Excerpt, 80))
		} else {
			fmt.Fprintf(w, "Warning: %s\n", warning.Text)
		}
	}
	fmt.Fprintln(w)
}

// confirm asks the person, and says what otherwise; without one it is a usage
// error.
func (a *app) confirm(input, question, otherwise string) error {
	if input == "-" || !isTerminal(a.stdin) {
		return usagef("--yes", "look at what is shown, then give --yes (or --dry-run to only look)", "nobody can be asked here")
	}
	fmt.Fprintf(a.stderr, "%s [y/N] ", question)
	line, err := bufio.NewReader(a.stdin).ReadString('\n')
	if err != nil && line == "" {
		line = "n"
	}
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return nil
	}
	a.note("%s", otherwise)
	return exitError(exitFailed)
}

// printRequest shows every field of an intent's record: those that it knows in
// words, all others as they are.
func printRequest(w io.Writer, raw json.RawMessage, terms []api.Terms) {
	var rec map[string]json.RawMessage
	if json.Unmarshal(raw, &rec) != nil {
		fmt.Fprintf(w, "%s\n", raw)
		return
	}
	t := newTable(w)
	text := func(key string) string {
		var s string
		if json.Unmarshal(rec[key], &s) == nil {
			delete(rec, key)
		}
		return s
	}
	row := func(label, value string) {
		if value != "" {
			t.row(label, value)
		}
	}
	row("What", clip(text("name"), 200))
	printItems(t, take[[]api.Wanted](rec, "itemOffered"))
	if area := take[*api.Area](rec, "areaServed"); area != nil {
		row("Where", areaText(*area))
	}
	row("Budget", budgetText(take[*api.Budget](rec, "priceSpecification")))
	row("Wanted from", timeText(text("availabilityStarts")))
	row("Wanted until", timeText(text("availabilityEnds")))
	row("Offers until", timeText(text("validUntil")))
	row("Market", clean(text("market")))
	t.list("Category", take[[]string](rec, "category"))
	row("Language", clean(text("inLanguage")))
	if awards := take[int64](rec, "awards"); awards > 1 {
		row("Sellers", fmt.Sprintf("up to %d may win", awards))
	}
	delete(rec, "terms")
	for i, v := range terms {
		label := ""
		if i == 0 {
			label = "Terms"
		}
		t.row(label, termsText(v))
	}
	reply := take[struct {
		Mailboxes []string `json:"mailboxes"`
	}](rec, "replyTo")
	t.list("Replies go to", reply.Mailboxes)
	row("Signed", timeText(text("at")))
	row("Others keep it", "until "+timeText(text("retainUntil")))
	row("Signed by", clean(text("by"))+", a key for this request alone")
	description := text("description")
	for _, known := range []string{"id", "type", "v", "salt"} {
		delete(rec, known)
	}
	for _, key := range sortedKeys(rec) {
		t.row(fieldName(key), clip(string(rec[key]), 300))
	}
	t.flush()
	if description != "" {
		fmt.Fprintf(w, "\n%s\n", strings.TrimSpace(clean(description)))
	}
	for _, v := range terms {
		if v.Text != "" {
			fmt.Fprintln(w)
			printText(w, v)
		}
	}
}

func printItems(t *table, items []api.Wanted) {
	for i, item := range items {
		label := ""
		if i == 0 {
			label = "Items"
		}
		text := clip(item.Name, 200)
		if q := item.Quantity; q != nil {
			text = quantityText(q) + " " + text
		}
		if item.Description != "" {
			text += ": " + clip(item.Description, 300)
		}
		t.row(label, text)
	}
}

// quantityText leaves out the unit of plain pieces.
func quantityText(q *api.Quantity) string {
	if q.UnitCode == "" || q.UnitCode == "C62" {
		return q.Value + " ×"
	}
	return q.Value + " " + q.UnitCode
}

// take reads a key into a value and removes it, if it is of that form.
func take[T any](rec map[string]json.RawMessage, key string) T {
	var v, zero T
	if len(rec[key]) == 0 {
		return zero
	}
	if json.NewDecoder(bytes.NewReader(rec[key])).Decode(&v) != nil {
		return zero
	}
	delete(rec, key)
	return v
}

func timeText(text string) string {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return clean(text)
	}
	return when(t)
}

// fieldName is what people call a field of a record.
func fieldName(field string) string {
	switch field {
	case "name":
		return "the name"
	case "description":
		return "the description"
	}
	return field
}
