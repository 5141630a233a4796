package privacy

import (
	"regexp"
	"strings"
)

// A candidate is a run of digits with the separators that people put into
// telephone numbers; callable decides. A number next to a currency, a slash or
// a letter is something else.
var candidate = regexp.MustCompile(`(\+?\(?[0-9][0-9 ()./\x{00A0}–-]{5,24}[0-9])`)

func telephones(text string) []Finding {
	var found []Finding
	for _, at := range candidate.FindAllStringSubmatchIndex(text, -1) {
		start, end := at[2], at[3]
		// "0044 …, 2025": a run may swallow what follows a line's end; it has no newlines, so it can't.
		if embedded(text, start, end) {
			continue
		}
		if length := callable(text[start:end]); length > 0 {
			found = append(found, Finding{Kind: Telephone, Start: start, End: start + length})
		}
	}
	return found
}

// embedded reports whether a run of digits is a part of something longer, such
// as a reference number, or an amount of money.
func embedded(text string, start, end int) bool {
	before, after := text[:start], text[end:]
	for _, sign := range [...]string{"£", "$", "€", "£ ", "$ ", "€ ", "GBP ", "EUR ", "USD ", "CHF "} {
		if strings.HasSuffix(before, sign) {
			return true
		}
	}
	for _, sign := range [...]string{"£", "€", "%", " £", " €", " EUR", " GBP", " USD", " CHF", ",-"} {
		if strings.HasPrefix(after, sign) {
			return true
		}
	}
	if before != "" && (isWord(before[len(before)-1]) || strings.ContainsRune("-/.,#", rune(before[len(before)-1]))) {
		return true
	}
	return after != "" && (isWord(after[0]) || len(after) > 1 && (after[0] == ',' || after[0] == '.') && after[1] >= '0' && after[1] <= '9')
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
}

// The forms of numbers that can be called.
var callableForms = [...]*regexp.Regexp{
	// International: +44 (0)20 7946 0018, 0049 30 1234567, +1 (555) 010-9999.
	regexp.MustCompile(`^(?:\+|00[ -]?)[1-9][0-9]{0,2}(?:[ ./-]?\(?[0-9]{1,6}\)?){2,6}$`),
	// British: 020 7946 0018, (01632) 960 001, 07700 900123, 02079460018.
	regexp.MustCompile(`^\(?0[12378][0-9]{1,4}\)?[ -]?[0-9]{3,8}(?:[ -]?[0-9]{3,4})?$`),
	// German: 030/1234567, (030) 123 45 67, 0171 1234567, 089 123456-78.
	regexp.MustCompile(`^\(?0[1-9][0-9]{1,4}\)?(?: ?[/–-] ?| )[0-9]{2,8}(?:[ -][0-9]{1,5}){0,3}$`),
	// North American: (555) 010-9999, 555-010-9999, 1-800-555-0199.
	regexp.MustCompile(`^(?:1[ .-])?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[.-])[0-9]{3}[ .-][0-9]{4}$`),
}

// callable is the length of the telephone number at the start of a run of
// digits and separators, 0 if there is none. The run may have swallowed another
// number after a space.
func callable(run string) int {
	for {
		trimmed := strings.TrimRight(run, " ().-/–\u00a0")
		if strings.Count(trimmed, "(") == 1 && strings.Count(trimmed, ")") == 0 {
			return 0
		}
		plain := strings.ReplaceAll(trimmed, "\u00a0", " ")
		if n := countDigits(plain); n >= 7 && n <= 15 && !isDate(plain) {
			for i, form := range callableForms {
				if form.MatchString(plain) && (i == 3 || i == 0 && n >= 9 || n >= 8 && n <= 13) {
					return len(trimmed)
				}
			}
		}
		cut := strings.LastIndexAny(trimmed, " ")
		if cut < 0 {
			return 0
		}
		run = trimmed[:cut]
	}
}

func countDigits(text string) int {
	n := 0
	for i := range len(text) {
		if text[i] >= '0' && text[i] <= '9' {
			n++
		}
	}
	return n
}

// A date or a span of dates or times: 01/02/2025, 01.02.2025 10.00, 2025-01-30,
// 01-02-2025.
var datePattern = regexp.MustCompile(`(?:^|[^0-9])(?:[0-3]?[0-9][./-][01]?[0-9][./-](?:19|20)?[0-9]{2}|(?:19|20)[0-9]{2}[./-][01]?[0-9][./-][0-3]?[0-9])(?:[^0-9]|$)`)

func isDate(text string) bool { return datePattern.MatchString(text) }
