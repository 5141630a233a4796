package draft

import (
	"regexp"
	"strings"

	"github.com/parley-protocol/parley/protocol/record"
)

// Place is an address as a document gives it.
type Place struct {
	Country  string // name or code
	Region   string // name, or a NUTS code of the European Union's regions
	Locality string
	Postcode string
}

// Rough makes an area no finer than a region, or a locality where no region is
// given: never a street, and of a postcode at most the outward half of a
// British one ("SW1A"). It answers nil when nothing is left.
func (p Place) Rough() *record.Area {
	a := record.Area{AddressCountry: Country(p.Country)}
	region := CleanLine(p.Region)
	switch {
	case nuts.MatchString(region):
		nutsCountry, name := readNUTS(region)
		if a.AddressCountry == "" {
			a.AddressCountry = nutsCountry
		}
		a.AddressRegion = name
	case Country(region) != "" && (a.AddressCountry == "" || a.AddressCountry == Country(region)):
		// "England" says more than its country does; "United Kingdom" as a region doesn't.
		a.AddressCountry = Country(region)
		if isHomeNation(region) {
			a.AddressRegion = region
		}
	default:
		a.AddressRegion = Cut(region, MaxPlace)
	}
	if a.AddressRegion == "" {
		a.AddressLocality = Cut(CleanLine(p.Locality), MaxPlace)
	}
	if outward := Outward(p.Postcode); outward != "" && (a.AddressCountry == "" || a.AddressCountry == "GB") {
		a.AddressCountry, a.PostalCode = "GB", outward
	}
	if a == (record.Area{}) {
		return nil
	}
	return &a
}

// Common is what all areas agree on, or nil: of Wales and London the United
// Kingdom, of Wales and Bavaria nothing. A nil area is a place that nobody knows,
// so nothing agrees with it.
func Common(areas []*record.Area) *record.Area {
	var common *record.Area
	for _, area := range areas {
		if area == nil {
			return nil
		}
		if common == nil {
			first := *area
			common = &first
			continue
		}
		if common.AddressCountry != area.AddressCountry {
			return nil
		}
		if common.AddressRegion != area.AddressRegion || common.AddressLocality != area.AddressLocality {
			common.AddressRegion, common.AddressLocality, common.PostalCode = "", "", ""
		}
		if common.PostalCode != area.PostalCode {
			common.PostalCode = ""
		}
	}
	if common != nil && *common == (record.Area{}) {
		return nil
	}
	return common
}

// The outward half of a British postcode, alone or with the inward half.
var (
	outwardOnly  = regexp.MustCompile(`^([A-Z]{1,2}[0-9][A-Z0-9]?)$`)
	fullPostcode = regexp.MustCompile(`^([A-Z]{1,2}[0-9][A-Z0-9]?) ?[0-9][A-Z]{2}$`)
	// A NUTS code: a country of Eurostat's, then a level each; from the second
	// level on with a digit, so that "KENT" isn't one.
	nuts = regexp.MustCompile(`^(AT|BE|BG|CH|CY|CZ|DE|DK|EE|EL|ES|FI|FR|HR|HU|IE|IS|IT|LI|LT|LU|LV|MT|NL|NO|PL|PT|RO|RS|SE|SI|SK|TR|UK)([A-Z0-9]?|[A-Z0-9][0-9][A-Z0-9]?)$`)
)

// Outward is the outward half of a British postcode, "" for anything else.
func Outward(postcode string) string {
	postcode = strings.ToUpper(CleanLine(postcode))
	for _, form := range [...]*regexp.Regexp{outwardOnly, fullPostcode} {
		if match := form.FindStringSubmatch(postcode); match != nil {
			return match[1]
		}
	}
	return ""
}

// readNUTS makes a country of a NUTS code, and a name of the British ones; other
// codes stay as they are.
func readNUTS(code string) (country, region string) {
	country = Country(code[:2])
	if len(code) == 2 {
		return country, ""
	}
	if country == "GB" {
		if name := britishRegion(code[2]); name != "" {
			return country, name
		}
	}
	return country, code
}

// britishRegion names the first level of the British NUTS codes, UKC to UKN.
func britishRegion(level byte) string {
	switch level {
	case 'C':
		return "North East"
	case 'D':
		return "North West"
	case 'E':
		return "Yorkshire and the Humber"
	case 'F':
		return "East Midlands"
	case 'G':
		return "West Midlands"
	case 'H':
		return "East of England"
	case 'I':
		return "London"
	case 'J':
		return "South East"
	case 'K':
		return "South West"
	case 'L':
		return "Wales"
	case 'M':
		return "Scotland"
	case 'N':
		return "Northern Ireland"
	}
	return ""
}

func isHomeNation(region string) bool {
	switch strings.ToLower(region) {
	case "england", "scotland", "wales", "northern ireland":
		return true
	}
	return false
}
