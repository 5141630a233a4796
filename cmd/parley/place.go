package main

import (
	"strings"

	"github.com/spf13/pflag"

	"github.com/parley-protocol/parley/node/api"
)

// addArea adds the flags that say where.
func addArea(f *pflag.FlagSet, area *api.Area) {
	f.StringVar(&area.AddressCountry, "country", "", "`country`, two letters")
	f.StringVar(&area.AddressRegion, "region", "", "`region` or county")
	f.StringVar(&area.AddressLocality, "locality", "", "`town` or city")
	f.StringVar(&area.PostalCode, "postcode", "", "`postcode`, no finer than it must be")
}

func areaText(a api.Area) string {
	var parts []string
	for _, p := range []string{a.PostalCode, a.AddressLocality, a.AddressRegion, a.AddressCountry} {
		if p != "" {
			parts = append(parts, clean(p))
		}
	}
	return strings.Join(parts, ", ")
}
