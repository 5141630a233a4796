package main

import (
	"fmt"
	"strings"

	"github.com/parley-protocol/parley/spec/gen/vectors/kit"
)

// names is the forms of text in the schema.
func names() kit.File {
	f := kit.File{Path: "02-records/names.json", Kind: "name", Description: "Forms of text: what matches and what does not. Markets are in 05-markets, addresses in 08-transport."}
	x := kit.Letters
	for _, form := range []struct {
		name      string
		musts     []string
		good, bad []string
	}{
		{
			"category", kit.Musts("REC-18", "INT-3"),
			[]string{"cpv:30213100", "gpc:10001088", "a:b", "a-1:A.b_c-9", "nobody-knows-it:x", x(16) + ":1", "a:" + x(64)},
			[]string{"", "cpv", "cpv:", ":1", "CPV:1", "1a:1", "-a:1", "a:b c", "a:b:c", "a:ü", x(17) + ":1", "a:" + x(65), "a:b\n", "a :b", "a/b:1"},
		},
		{
			"roster-id", kit.Musts("REC-18", "TERMS-6"),
			[]string{"SD-BASE", "PDC-INTENT", "SD-BASE-ATP-S3P-DP", "A", "A1", "A-1", "NOT-ON-THE-ROSTER", strings.Repeat("A", 32)},
			[]string{"", "sd-base", "Sd", "1A", "-A", "A-", "A--B", "A B", "A_B", "Ä", "A\n", strings.Repeat("A", 33)},
		},
		{
			"type", kit.Musts("REC-18", "REC-29"),
			[]string{"offer", "award-notice", "a", "a1", "a-1", "x2-y", x(64)},
			[]string{"", "Offer", "1a", "-a", "a-", "a--b", "a_b", "a b", "ä", "a\n", "a.b", x(65)},
		},
		{
			"code", kit.Musts("REC-18", "DEAL-6"),
			[]string{"other", "out_of_stock", "a", "a1", "a_1", "not_registered", x(32)},
			[]string{"", "Other", "1a", "_a", "a_", "a__b", "a-b", "a b", "ä", "a\n", x(33)},
		},
		{
			"language", kit.Musts("REC-18"),
			[]string{"en", "en-GB", "zh-Hant-TW", "de-CH-1996", "x-private", "i-klingon", "abcdefgh", "a-1", "EN", "en-a-bbbbbbbb-cccccccc-dddddddd-eee"},
			[]string{"", "-en", "en-", "en--GB", "en_GB", "abcdefghi", "en-abcdefghi", "e1", "1", "en GB", "ü", "en\n", "en-a-bbbbbbbb-cccccccc-dddddddd-eeee"},
		},
		{
			"currency", kit.Musts("REC-18"),
			[]string{"EUR", "USD", "XTS", "ZZZ"},
			[]string{"", "EU", "EURO", "eur", "EU1", "€", "EUR ", "EUR\n"},
		},
		{
			"unit-code", kit.Musts("REC-18", "INT-5"),
			[]string{"C62", "KGM", "HUR", "4L", "E48", "99"},
			[]string{"", "K", "KGMX", "kgm", "C-2", "Ü1", "C6\n"},
		},
		{
			"country", kit.Musts("REC-18"),
			[]string{"DE", "AT", "ZZ"},
			[]string{"", "D", "DEU", "de", "D1", "D\n", "Ä"},
		},
		{
			"url", kit.Musts("REC-18"),
			[]string{
				"https://example.com", "https://example.com/", "https://EXAMPLE.com:8443/a?b=c#d", "https://192.0.2.7", "https://a?b", "https://a#b",
				"https://example.com:1/~!$&'()*+,;=:@%20", "https://example.com/" + x(492), "https://..",
			},
			[]string{
				"", "http://example.com", "HTTPS://example.com", "https:/example.com", "https://", "https:///a", "https://exa mple.com", "https://example.com/a b",
				"https://user@example.com/", "https://[2001:db8::1]/", "https://example.com:", "https://example.com:123456", "https://example.com:1a", "https://ex\u00e4mple.com",
				"https://example.com/\u00e4", "https://example.com/\n", "https://exa_mple.com", "javascript:alert(1)", "https://example.com/" + x(493), "https://example.com\\a",
			},
		},
	} {
		for i, text := range form.good {
			f.Add(fmt.Sprintf("%s-%d", form.name, i+1), form.musts, kit.Values{"form": form.name, "text": text}, kit.Values{"valid": true})
		}
		for i, text := range form.bad {
			f.Add(fmt.Sprintf("no-%s-%d", form.name, i+1), form.musts, kit.Values{"form": form.name, "text": text}, kit.Values{"valid": false})
		}
	}
	return f
}
