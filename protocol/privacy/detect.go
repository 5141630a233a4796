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

func urls(text string) []Finding { return matches(urlPattern, URL, text, nil) }

func emails(text string) []Finding {
	if !strings.Contains(text, "@") && !strings.Contains(strings.ToLower(text), "at") {
		return nil
	}
	return matches(emailPattern, Email, text, nil)
}

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

// Postcodes that name a street or less: the British ones, and with a country or
// state before them the German, Austrian, Swiss and American ones, which stand
// for more but seldom come without the rest of an address.
var (
	britishPostcode = regexp.MustCompile(`\b([A-Z]{1,2}[0-9][0-9A-HJKPR-Y]? ?[0-9][ABD-HJLNP-UW-Z]{2})\b`)
	germanPostcode  = regexp.MustCompile(`\b((?:DE?|AT?|CH)-[0-9]{4,5} [A-ZÄÖÜ][a-zäöüß]+)`)
	zipCode         = regexp.MustCompile(`\b([A-Z]{2} [0-9]{5}(?:-[0-9]{4})?)\b`)
)

func postcodes(text string) []Finding {
	found := matches(britishPostcode, Postcode, text, func(code string) bool {
		return listed(postalAreas, code[:strings.IndexAny(code, "0123456789")])
	})
	found = append(found, matches(germanPostcode, Postcode, text, nil)...)
	return append(found, matches(zipCode, Postcode, text, func(code string) bool { return listed(states, code[:2]) })...)
}

// listed reports whether a word is in a list of words between spaces.
func listed(list, word string) bool { return strings.Contains(list, " "+word+" ") }

const (
	// postalAreas are the areas of British postcodes.
	postalAreas = " AB AL B BA BB BD BH BL BN BR BS BT CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY E EC EH EN EX FK FY " +
		"G GIR GL GU GY HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY L LA LD LE LL LN LS LU M ME MK ML N NE NG NN NP NR NW OL OX " +
		"PA PE PH PL PO PR RG RH RM S SA SE SG SK SL SM SN SO SP SR SS ST SW SY TA TD TF TN TQ TR TS TW UB W WA WC WD WF WN WR WS WV YO ZE "
	// states are the abbreviations of the United States' states.
	states = " AK AL AR AZ CA CO CT DC DE FL GA HI IA ID IL IN KS KY LA MA MD ME MI MN MO MS MT NC ND NE NH NJ NM NV NY OH OK OR PA RI SC " +
		"SD TN TX UT VA VT WA WI WV WY "
)
