package privacy

import (
	"math/big"
	"regexp"
	"strings"
)

// matches are the places of a pattern's first group.
func matches(pattern *regexp.Regexp, kind Kind, text string, keep func(string) bool) []Finding {
	var found []Finding
	for _, at := range pattern.FindAllStringSubmatchIndex(text, -1) {
		if start, end := at[2], at[3]; start >= 0 && (keep == nil || keep(text[start:end])) {
			found = append(found, Finding{Kind: kind, Start: start, End: end})
		}
	}
	return found
}

var (
	urlPattern   = regexp.MustCompile(`(?i)\b((?:https?://|www\.)[^\s<>"')\]]*[^\s<>"')\].,;:!?])`)
	emailPattern = regexp.MustCompile(`(?i)\b([a-z0-9][a-z0-9._%+-]{0,63}(?:@| ?\[at\] ?| ?\(at\) ?)(?:[a-z0-9-]+\.)+[a-z]{2,24})\b`)
)

func urls(text string) []Finding   { return matches(urlPattern, URL, text, nil) }
func emails(text string) []Finding { return matches(emailPattern, Email, text, nil) }

var ibanPattern = regexp.MustCompile(`\b([A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{2,4}){3,8})\b`)

func ibans(text string) []Finding { return matches(ibanPattern, IBAN, text, isIBAN) }

// isIBAN checks the length and the check digits of ISO 13616.
func isIBAN(text string) bool {
	text = strings.ReplaceAll(text, " ", "")
	if len(text) < 15 || len(text) > 34 {
		return false
	}
	var digits strings.Builder
	for _, c := range text[4:] + text[:4] {
		if c >= 'A' && c <= 'Z' {
			digits.WriteByte('1' + byte(c-'A')/10)
			digits.WriteByte('0' + byte(c-'A')%10)
		} else {
			digits.WriteRune(c)
		}
	}
	number, ok := new(big.Int).SetString(digits.String(), 10)
	return ok && new(big.Int).Mod(number, big.NewInt(97)).Int64() == 1
}

var cardPattern = regexp.MustCompile(`\b([2-6][0-9]{3}([ -]?)[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}|3[47][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{5})\b`)

func cards(text string) []Finding { return matches(cardPattern, PaymentCard, text, isCard) }

// isCard checks the Luhn digit.
func isCard(text string) bool {
	sum, double := 0, false
	for i := len(text) - 1; i >= 0; i-- {
		if text[i] < '0' || text[i] > '9' {
			continue
		}
		d := int(text[i] - '0')
		if double {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum, double = sum+d, !double
	}
	return sum%10 == 0
}

// A British postcode: a postal area that exists, district, sector and unit.
var postcodePattern = regexp.MustCompile(`\b((?:` + postalAreas + `)[0-9][0-9A-HJKPR-Y]? ?[0-9][ABD-HJLNP-UW-Z]{2}|GIR ?0AA` +
	`|(?:D|DE|A|AT|CH)-[0-9]{4,5} [A-ZÄÖÜ][a-zäöüß]+` +
	`|(?:` + states + `) [0-9]{5}(?:-[0-9]{4})?)\b`)

const (
	postalAreas = `AB|AL|BA|BB|BD|BH|BL|BN|BR|BS|BT|CA|CB|CF|CH|CM|CO|CR|CT|CV|CW|DA|DD|DE|DG|DH|DL|DN|DT|DY|EC|EH|EN|EX|FK|FY|` +
		`GL|GU|GY|HA|HD|HG|HP|HR|HS|HU|HX|IG|IM|IP|IV|JE|KA|KT|KW|KY|LA|LD|LE|LL|LN|LS|LU|ME|MK|ML|NE|NG|NN|NP|NR|NW|OL|OX|` +
		`PA|PE|PH|PL|PO|PR|RG|RH|RM|SA|SE|SG|SK|SL|SM|SN|SO|SP|SR|SS|ST|SW|SY|TA|TD|TF|TN|TQ|TR|TS|TW|UB|WA|WC|WD|WF|WN|WR|WS|WV|` +
		`YO|ZE|B|E|G|L|M|N|S|W`
	states = `AL|AK|AZ|AR|CA|CO|CT|DE|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|NY|NC|ND|OH|OK|OR|PA|RI|SC|` +
		`SD|TN|TX|UT|VT|VA|WA|WV|WI|WY|DC`
)

func postcodes(text string) []Finding { return matches(postcodePattern, Postcode, text, nil) }
