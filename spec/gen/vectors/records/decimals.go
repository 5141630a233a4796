package main

import "github.com/parley-protocol/parley/spec/gen/vectors/kit"

// decimals is document 2, "Decimals".
func decimals() kit.File {
	f := kit.File{Path: "02-records/decimals.json", Kind: "decimal", Description: "The one text of each number, and exact sums."}
	musts := kit.Musts("REC-23")
	for _, c := range []struct{ text, units string }{
		{"0", "0"}, {"1", "10000"}, {"9", "90000"}, {"10", "100000"}, {"0.1", "1000"}, {"0.01", "100"}, {"0.001", "10"}, {"0.0001", "1"},
		{"0.1001", "1001"}, {"-1", "-10000"}, {"-0.0001", "-1"}, {"19.99", "199900"}, {"1000000", "10000000000"},
		{"999999999999999", "9999999999999990000"}, {"999999999999999.9999", "9999999999999999999"},
		{"-999999999999999.9999", "-9999999999999999999"}, {"123456789012345.6789", "1234567890123456789"},
	} {
		f.Add("number "+c.text, musts, kit.Values{"text": c.text}, kit.Values{"tenThousandths": c.units})
	}
	for _, text := range []string{
		"", "-", "+1", "-0", "-0.0", "00", "01", "-01", "1.", ".5", "1.0", "1.50", "0.0", "0.00001", "1.00005", "1,5", "1 000", " 1", "1 ", "1\n",
		"1e3", "1E3", "0x10", "1_000", "NaN", "Infinity", "--1", "1.2.3", "1000000000000000", "-1000000000000000", "0000000000000001", "٣", "１", "1.-5", "−1",
	} {
		f.Fail("no number "+text, musts, kit.Values{"text": text}, "bad_field")
	}
	exact := kit.Musts("REC-23", "DEAL-4")
	for _, c := range []struct {
		name string
		sum  []string
		text string
	}{
		{"of nothing", []string{}, "0"},
		{"of one", []string{"19.99"}, "19.99"},
		{"that binary floating point gets wrong", []string{"0.1", "0.2"}, "0.3"},
		{"of cents", []string{"19.99", "0.01"}, "20"},
		{"of small parts", []string{"0.0001", "0.0009"}, "0.001"},
		{"to zero", []string{"5", "-5"}, "0"},
		{"below zero", []string{"0.5", "-0.5001"}, "-0.0001"},
		{"at the upper end", []string{"999999999999999", "0.9999"}, "999999999999999.9999"},
		{"at the lower end", []string{"-999999999999999", "-0.9999"}, "-999999999999999.9999"},
		{"over the end and back", []string{"999999999999999.9999", "999999999999999.9999", "-999999999999999.9999"}, "999999999999999.9999"},
		{"under the end and back", []string{"-999999999999999.9999", "-1", "1"}, "-999999999999999.9999"},
	} {
		f.Add("sum "+c.name, exact, kit.Values{"sum": c.sum}, kit.Values{"text": c.text})
	}
	f.Fail("sum a ten-thousandth too large", exact, kit.Values{"sum": []string{"999999999999999.9999", "0.0001"}}, "total_mismatch")
	f.Fail("sum a ten-thousandth too small", exact, kit.Values{"sum": []string{"-999999999999999.9999", "-0.0001"}}, "total_mismatch")
	many := make([]string, 232)
	for i := range many {
		many[i] = "999999999999999.9999"
	}
	f.Fail("sum of 232 of the largest", exact, kit.Values{"sum": many}, "total_mismatch")
	return f
}
