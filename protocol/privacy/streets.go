package privacy

import (
	"regexp"
	"strings"
)

// English: a house number, one to four capitalised words, and a word for a
// street. German, with the number behind: a compound ("Hauptstraße 5"), two
// words ("Bonner Str. 12a") or a preposition ("Am Markt 3").
var (
	englishStreet = regexp.MustCompile(`\b([0-9]{1,4}[A-Za-z]?(?:[-/][0-9]{1,4}[A-Za-z]?)?,? (?:(?:[A-Z][A-Za-z'’.-]*|of|the|upon) ){1,4}` +
		`(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Close|Court|Crescent|Cres|Place|Square|Sq|Terrace|Way|Gardens|Grove|Boulevard|Blvd|Hill|Row|Walk|Mews|Parade|Quay|Embankment|Green|Wharf))(?:[\s.,;:)]|$)`)
	poBox          = regexp.MustCompile(`\b((?i:P\.? ?O\.? ?Box|Postfach) [0-9][0-9 ]{0,9}[0-9]?)`)
	germanCompound = regexp.MustCompile(`(?:^|[\s(,;:"„])([A-ZÄÖÜ][a-zäöüß]+(?:-[A-ZÄÖÜ][a-zäöüß]+)*-?(?:[Ss]traße|[Ss]trasse|[Ss]tr\.|[Ww]eg|[Pp]latz|[Aa]llee|[Gg]asse|[Dd]amm|[Uu]fer|[Cc]haussee|ring) [0-9]{1,3} ?(?:[a-h]\b)?)`)
	germanTwoWords = regexp.MustCompile(`(?:^|[\s(,;:"„])([A-ZÄÖÜ][a-zäöüß]+(?:er|es) (?:Straße|Strasse|Str\.|Weg|Platz|Allee|Gasse|Ring|Damm|Ufer) [0-9]{1,3} ?(?:[a-h]\b)?)`)
	germanAm       = regexp.MustCompile(`(?:^|[\s(,;:"„])((?:Am|An der|An den|Auf dem|Auf der|Im|In der|Unter den|Zum|Zur) [A-ZÄÖÜ][a-zäöüß]+ [0-9]{1,3} ?(?:[a-h]\b)?)(?:[,.;)]|$|\n| in )`)
)

func streets(text string) []Finding {
	found := matches(englishStreet, StreetAddress, text, nil)
	found = append(found, matches(poBox, StreetAddress, text, nil)...)
	found = append(found, matches(germanCompound, StreetAddress, text, isGermanStreet)...)
	found = append(found, matches(germanTwoWords, StreetAddress, text, nil)...)
	return append(found, matches(germanAm, StreetAddress, text, isGermanPlace)...)
}

// isGermanStreet keeps out the commonest words that end like a street.
func isGermanStreet(text string) bool {
	word, _, _ := strings.Cut(text, " ")
	switch strings.ToLower(word) {
	case "arbeitsplatz", "parkplatz", "stellplatz", "spielplatz", "sportplatz", "sitzplatz", "lagerplatz", "schlafplatz", "ausbildungsplatz", "studienplatz", "bauplatz", "abschnittsweg", "rückweg", "hinweg", "gehweg", "radweg", "lösungsweg":
		return false
	}
	return true
}

// isGermanPlace keeps out dates and chapters: "Am Montag 3", "Im Jahr 202".
func isGermanPlace(text string) bool {
	for _, word := range [...]string{
		"Jahr", "Monat", "Quartal", "Kapitel", "Abschnitt", "Absatz", "Artikel", "Zeitraum", "Los", "Alter", "Umfang", "Durchschnitt", "Wert",
		"Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag", "Tag", "Stichtag", "Januar", "Februar", "März", "April", "Mai",
		"Juni", "Juli", "August", "September", "Oktober", "November", "Dezember", "Anlage", "Woche", "Phase", "Stufe", "Zone", "Klasse", "Nummer", "Position",
	} {
		if strings.Contains(text, " "+word+" ") {
			return false
		}
	}
	return true
}
