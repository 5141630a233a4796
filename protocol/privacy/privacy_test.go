package privacy

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/parley-protocol/parley/protocol/record"
	"github.com/parley-protocol/parley/spec/vectors/fuzzing"
)

//spec:shows INT-12
func TestFind(t *testing.T) {
	tests := []struct {
		text string
		kind Kind
		want string // the text found
	}{
		// International, British, German and North American numbers, from the
		// ranges kept free for fiction where there are any.
		{"call +44 20 7946 0018 today", Telephone, "+44 20 7946 0018"},
		{"call +44 (0)20 7946 0018.", Telephone, "+44 (0)20 7946 0018"},
		{"ring 0044 1632 960001", Telephone, "0044 1632 960001"},
		{"+491701234567", Telephone, "+491701234567"},
		{"ring +1 (555) 010-9999", Telephone, "+1 (555) 010-9999"},
		{"Phone: 020 7946 0018 (office hours)", Telephone, "020 7946 0018"},
		{"mobile 07700 900123", Telephone, "07700 900123"},
		{"mobile 07700900123", Telephone, "07700900123"},
		{"Tel. (01632) 960 001", Telephone, "(01632) 960 001"},
		{"Tel. 030/23125001", Telephone, "030/23125001"},
		{"Tel. (030) 23 12 50 01", Telephone, "(030) 23 12 50 01"},
		{"Tel. 0171 3920001", Telephone, "0171 3920001"},
		{"Tel. 089 990099-22", Telephone, "089 990099-22"},
		{"call 202-555-0143", Telephone, "202-555-0143"},
		{"call (202) 555-0143", Telephone, "(202) 555-0143"},
		{"call 1-800-555-0199", Telephone, "1-800-555-0199"},
		{"07700 900123 2025", Telephone, "07700 900123"},

		{"write to jo.bloggs+rfp@example.org.", Email, "jo.bloggs+rfp@example.org"},
		{"jo (at) example.com", Email, "jo (at) example.com"},
		{"JO@EXAMPLE.CO.UK", Email, "JO@EXAMPLE.CO.UK"},

		{"see https://example.org/a?b=c.", URL, "https://example.org/a?b=c"},
		{"(www.example.org)", URL, "www.example.org"},

		{"deliver to 12 High Street, Anytown", StreetAddress, "12 High Street"},
		{"221B Baker St, London", StreetAddress, "221B Baker St"},
		{"at 4, North London Park Road S", StreetAddress, "4, North London Park Road"},
		{"10-12 St John's Lane", StreetAddress, "10-12 St John's Lane"},
		{"1600 Pennsylvania Ave", StreetAddress, "1600 Pennsylvania Ave"},
		{"P.O. Box 1234", StreetAddress, "P.O. Box 1234"},
		{"Hauptstraße 5, 12345 Musterstadt", StreetAddress, "Hauptstraße 5"},
		{"wohnt Lindenstr. 12a", StreetAddress, "Lindenstr. 12a"},
		{"Kurfürstendamm 101", StreetAddress, "Kurfürstendamm 101"},
		{"Bonner Straße 7", StreetAddress, "Bonner Straße 7"},
		{"Lieferung: Am Markt 3, bitte", StreetAddress, "Am Markt 3"},
		{"Postfach 1234", StreetAddress, "Postfach 1234"},
		{"Karl-Marx-Allee 33", StreetAddress, "Karl-Marx-Allee 33"},

		{"near SW1A 2AA please", Postcode, "SW1A 2AA"},
		{"near M11AE", Postcode, "M11AE"},
		{"D-10115 Berlin", Postcode, "D-10115 Berlin"},
		{"Beverly Hills, CA 90210", Postcode, "CA 90210"},

		{"pay GB82 WEST 1234 5698 7654 32", IBAN, "GB82 WEST 1234 5698 7654 32"},
		{"DE89370400440532013000", IBAN, "DE89370400440532013000"},
		{"card 4111 1111 1111 1111", PaymentCard, "4111 1111 1111 1111"},
	}
	for _, test := range tests {
		found := Find(test.text)
		if len(found) == 0 {
			t.Errorf("%q: nothing found, want %s %q", test.text, test.kind, test.want)
			continue
		}
		if got := test.text[found[0].Start:found[0].End]; found[0].Kind != test.kind || got != test.want {
			t.Errorf("%q: found %s %q, want %s %q", test.text, found[0].Kind, got, test.kind, test.want)
		}
	}
}

func TestFindNothing(t *testing.T) {
	for _, text := range []string{
		"",
		"a budget of £1,000,000.00 and 250 000 000 EUR",
		"£100 000 000 over 4 years",
		"1.000.000,00 € netto",
		"CPV 85000000-9, 45233130 and 79600000",
		"from 2025-01-30 to 2026-01-30",
		"on 30/01/2025 12:00 and 01.02.2025",
		"between 01/04/2025 - 31/03/2029",
		"2025-03-31T12:00:00Z",
		"ISO 9001:2015 and EN 12464-1",
		"from 09:00 to 17:30, 24/7",
		"Regulation (EU) 2016/679",
		"opening hours 08.00-18.00",
		"200 chairs, 12 desks and 1000 litres",
		"version 1.26.8",
		"ocds-213czf-000-00001",
		"0.5 to 1.5 tonnes",
		"framework 2024/S 123-456789",
		"lots 1 2 3 4 5 6 7 8",
		"near SW1A, in the London area",
		"the 2 Court hearings and 5 Road gritters",
		"a parking place for 12 cars on the street",
		"ein Arbeitsplatz 12 Stunden am Tag",
		"Am Montag 3 Stunden, Im Jahr 2025",
		"10000 Stück",
		"user@localhost",
		"GB82 WEST 1234 5698 7654 33", // wrong check digits
		"serial 4111111111111112",     // wrong Luhn digit
		"A4 80g paper, HB2 pencils",
		"10115 Berlin", // a city's postcode alone is rough enough
	} {
		for _, f := range Find(text) {
			t.Errorf("%q: found %s %q, want nothing", text, f.Kind, text[f.Start:f.End])
		}
	}
}

func TestCheck(t *testing.T) {
	intent := &record.Intent{
		Name:        "Repair a roof",
		Description: "Call 07700 900123 or 07700 900123.",
		AreaServed:  &record.Area{AddressCountry: "GB", PostalCode: "SW1A 2AA"},
		ItemOffered: []record.DemandItem{
			{Name: "Roof"},
			{Name: "Gutter", Description: "at 12 High Street", AreaServed: &record.Area{AddressLocality: "Hauptstraße 5"}},
		},
	}
	want := []Warning{
		{"description", Telephone, "07700 900123"},
		{"areaServed.postalCode", Postcode, "SW1A 2AA"},
		{"itemOffered[1].description", StreetAddress, "12 High Street"},
		{"itemOffered[1].areaServed.addressLocality", StreetAddress, "Hauptstraße 5"},
	}
	got := Check(intent)
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("warning %d: got %v, want %v", i, got[i], want[i])
		}
		if strings.Contains(got[i].Kind.Sentence(), "personal") {
			t.Errorf("%s has no sentence of its own", got[i].Kind)
		}
	}
}

func FuzzFind(f *testing.F) {
	f.Add("call +44 20 7946 0018, write to jo@example.org, 12 High Street, SW1A 2AA, GB82 WEST 1234 5698 7654 32")
	f.Add("Hauptstraße 5 (030) 123 45-67 \xff 0")
	f.Fuzz(func(t *testing.T, text string) {
		fuzzing.Bounded(t, len(text), func() { Find(text) })
		end := 0
		for _, found := range Find(text) {
			if found.Start < end || found.End <= found.Start || found.End > len(text) {
				t.Fatalf("finding %v out of order in %q", found, text)
			}
			end = found.End
			if short := excerpt(text[found.Start:found.End]); utf8.ValidString(text) && !utf8.ValidString(short) {
				t.Fatalf("excerpt %q of valid text is not valid", short)
			}
		}
	})
}
