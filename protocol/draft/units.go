package draft

import (
	"strings"

	"github.com/parley-protocol/parley/protocol/decimal"
	"github.com/parley-protocol/parley/protocol/record"
)

// One is the UN/CEFACT unit of things that are counted.
const One = "C62"

// Unit finds the UN/CEFACT Recommendation 20 code of a unit given by scheme and
// code, or by an English name. It answers "" for a unit that it doesn't know.
func Unit(scheme, code, name string) string {
	scheme = strings.ToLower(strings.NewReplacer("/", "", "-", "", " ", "", "_", "").Replace(scheme))
	code = strings.ToUpper(strings.TrimSpace(code))
	if (scheme == "uncefact" || scheme == "rec20") && IsUnitCode(code) {
		return code
	}
	name = strings.ToLower(CleanLine(name))
	if unit := unitByName(name); unit != "" {
		return unit
	}
	return unitByName(strings.TrimSuffix(name, "s"))
}

// IsUnitCode reports whether a text has the form of a unit code.
func IsUnitCode(code string) bool {
	return (len(code) == 2 || len(code) == 3) && strings.Trim(code, digits+strings.ToUpper(letters)) == ""
}

// Quantity makes a quantity, or nil when there is no number above zero.
func Quantity(value decimal.Decimal, unit string) *record.QuantitativeValue {
	if value.Sign() <= 0 {
		return nil
	}
	return &record.QuantitativeValue{Value: value, UnitCode: unit}
}

func unitByName(name string) string {
	switch name {
	case "one", "unit", "item", "each", "ea", "number", "no", "no.":
		return One
	case "piece", "pc", "pce":
		return "H87"
	case "set":
		return "SET"
	case "pair":
		return "PR"
	case "dozen":
		return "DZN"
	case "box", "boxe":
		return "XBX"
	case "pallet":
		return "XPX"
	case "minute":
		return "MIN"
	case "hour", "hr":
		return "HUR"
	case "day":
		return "DAY"
	case "week":
		return "WEE"
	case "month":
		return "MON"
	case "year", "annum":
		return "ANN"
	case "gram", "gramme", "g":
		return "GRM"
	case "kilogram", "kilogramme", "kilo", "kg":
		return "KGM"
	case "tonne", "t", "metric ton":
		return "TNE"
	case "litre", "liter", "l":
		return "LTR"
	case "millimetre", "mm":
		return "MMT"
	case "centimetre", "cm":
		return "CMT"
	case "metre", "meter", "m":
		return "MTR"
	case "kilometre", "kilometer", "km":
		return "KMT"
	case "mile":
		return "SMI"
	case "square metre", "square meter", "sqm", "m2", "m²":
		return "MTK"
	case "square kilometre", "km2", "km²":
		return "KMK"
	case "hectare", "ha":
		return "HAR"
	case "cubic metre", "cubic meter", "m3", "m³":
		return "MTQ"
	case "kilowatt hour", "kwh":
		return "KWH"
	case "megawatt hour", "mwh":
		return "MWH"
	}
	return ""
}
