package main

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/protocol/decimal"
)

var itemForm = regexp.MustCompile(`^(.+?)(?::([0-9]+(?:\.[0-9]+)?)(?::([A-Z0-9]{2,3}))?)?$`)

// parseItem reads NAME[:QUANTITY[:UNIT]].
func parseItem(flag, text string) (name string, q *api.Quantity, err error) {
	m := itemForm.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return "", nil, usagef(flag, `write "NAME", "NAME:QUANTITY" or "NAME:QUANTITY:UNIT", as in "Oak boards:12:MTR"`, "%q names nothing", text)
	}
	if m[2] != "" {
		v, err := decimal.Parse(m[2])
		if err != nil {
			return "", nil, usagef(flag, "no zeros at the end, four decimals at most", "%q is no quantity: %v", m[2], err)
		}
		q = &api.Quantity{Value: v.String(), UnitCode: m[3]}
	}
	return strings.TrimSpace(m[1]), q, nil
}

// parseAmount reads a decimal number of money; trailing zeros are dropped, as
// people write 12.50.
func parseAmount(flag, text string) (string, error) {
	text = strings.TrimSpace(text)
	if strings.Contains(text, ".") {
		text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	}
	v, err := decimal.Parse(text)
	if err != nil {
		return "", usagef(flag, "write amounts as 1234.5", "%q is no amount: %v", text, err)
	}
	return v.String(), nil
}

// parsePriced reads WHAT=PRICE; what may hold a = itself.
func parsePriced(flag, text string) (what, amount string, err error) {
	at := strings.LastIndex(text, "=")
	if at < 1 {
		return "", "", usagef(flag, `write what it is, =, and the price, as in "Oak boards:12:MTR=96"`, "%q has no price", text)
	}
	amount, err = parseAmount(flag, text[at+1:])
	return strings.TrimSpace(text[:at]), amount, err
}

// parseCharge reads KIND=PRICE[:NAME].
func parseCharge(flag, text string) (api.Charge, error) {
	kind, rest, ok := strings.Cut(text, "=")
	if !ok {
		return api.Charge{}, usagef(flag, `write KIND=PRICE or KIND=PRICE:NAME, as in delivery=12.50:"By van"`, "%q has no price", text)
	}
	amount, name, _ := strings.Cut(rest, ":")
	amount, err := parseAmount(flag, amount)
	return api.Charge{Kind: strings.TrimSpace(kind), Price: amount, Name: strings.TrimSpace(name)}, err
}

var currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)

// parseBudget reads "GBP 100..200", "100..200 GBP", "200 GBP" (at most), and
// "GBP 100.." (at least).
func parseBudget(flag, text string) (*api.Budget, error) {
	bad := usagef(flag, `write "200 GBP" for at most, or "GBP 100..200"`, "%q is no budget", text)
	words := strings.Fields(text)
	if len(words) != 2 {
		return nil, bad
	}
	currency, amounts := words[0], words[1]
	if !currencyForm.MatchString(currency) {
		currency, amounts = amounts, currency
	}
	if !currencyForm.MatchString(currency) {
		return nil, bad
	}
	low, high, isRange := strings.Cut(amounts, "..")
	if !isRange { // one number: the most
		low, high = "", amounts
	}
	if low == "" && high == "" || strings.Contains(amounts, "-") {
		return nil, bad
	}
	b := &api.Budget{PriceCurrency: currency}
	for _, part := range []struct {
		text string
		to   *string
	}{{low, &b.MinPrice}, {high, &b.MaxPrice}} {
		if part.text == "" {
			continue
		}
		var err error
		if *part.to, err = parseAmount(flag, part.text); err != nil {
			return nil, err
		}
	}
	return b, nil
}

var daysForm = regexp.MustCompile(`^([0-9]{1,4})([dw])$`)

// parseTime reads a time to come: RFC 3339, a date (its last second here), or
// how long from now, such as 7d, 2w or 48h.
func parseTime(flag, text string, now time.Time) (time.Time, error) {
	t, err := readTime(flag, text, now)
	if err == nil && !t.After(now) {
		return t, usagef(flag, timeHint, "%s is past", text)
	}
	return t, err
}

// timeFlag is a flag with a time, left alone when it wasn't given.
type timeFlag struct {
	flag, text string
	parse      func(flag, text string, now time.Time) (time.Time, error)
	to         **time.Time
}

func parseTimes(now time.Time, flags ...timeFlag) error {
	for _, f := range flags {
		if f.text == "" {
			continue
		}
		at, err := f.parse(f.flag, f.text, now)
		if err != nil {
			return err
		}
		*f.to = &at
	}
	return nil
}

const timeHint = "write 7d, 48h, 2026-12-24 or 2026-12-24T18:00:00Z"

func readTime(flag, text string, now time.Time) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, text, time.Local); err == nil {
		return t.AddDate(0, 0, 1).Add(-time.Second), nil
	}
	if m := daysForm.FindStringSubmatch(text); m != nil {
		n, _ := strconv.Atoi(m[1]) // four digits
		if m[2] == "w" {
			n *= 7
		}
		return now.Add(time.Duration(n) * 24 * time.Hour), nil
	}
	if d, err := time.ParseDuration(text); err == nil {
		return now.Add(d), nil
	}
	return time.Time{}, usagef(flag, timeHint, "%q is no time", text)
}

// parseDay reads the first second of a date, or what parseTime reads.
func parseDay(flag, text string, now time.Time) (time.Time, error) {
	if t, err := time.ParseInLocation(time.DateOnly, text, time.Local); err == nil {
		return t, nil
	}
	return readTime(flag, text, now)
}
