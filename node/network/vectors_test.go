package network_test

import (
	"testing"

	"github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/spec/vectors"
	"github.com/parley-protocol/parley/spec/vectors/vectorstest"
)

func TestVectorsOfInvites(t *testing.T) {
	vectorstest.Run(t, "invite", func(t *testing.T, c vectors.Case, in struct{ Link string }) (any, string) {
		invite, err := network.DecodeInvite(in.Link)
		if err != nil {
			return nil, string(protocol.CodeOf(err))
		}
		out := map[string]any{"addrs": append([]string{}, invite.Addrs...), "markets": append([]string{}, invite.Markets...), "name": nil}
		if invite.Name != "" {
			out["name"] = invite.Name
		}
		return out, ""
	})
}

// The forms of names that this package knows; records have the others.
func TestVectorsOfMarkets(t *testing.T) {
	type nameIn struct{ Form, Text string }
	markets := func(in nameIn) bool { return in.Form == "market" }
	vectorstest.RunSome(t, "name", markets, func(t *testing.T, c vectors.Case, in nameIn) (any, string) {
		if !network.ValidMarket(in.Text) {
			return map[string]any{"valid": false}, ""
		}
		return map[string]any{"valid": true, "topic": "/parley/1/" + in.Text}, ""
	})
}
