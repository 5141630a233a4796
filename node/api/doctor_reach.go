package api

import (
	"fmt"

	"github.com/parley-protocol/parley/node/network"
)

// Reach is how others get to this node, as far as it knows.
type Reach struct {
	Reachable   string   `json:"reachable" enum:"yes,no,unknown" doc:"Whether others reach it at an address of its own"`
	Confirmed   []string `json:"confirmed" doc:"Addresses at which another node has reached it"`
	Announced   bool     `json:"announced" doc:"Whether the settings say that it is reachable"`
	Relays      []string `json:"relays" doc:"Nodes through which it is reached"`
	Relayed     int      `json:"relayed" doc:"Nodes connected through relays alone: gossip doesn't run there"`
	Punched     int      `json:"punched" doc:"Times that a relayed connection became a direct one"`
	Unpunched   int      `json:"unpunched" doc:"Attempts at that which failed"`
	PortMapping bool     `json:"portMapping" doc:"Whether the router is asked for a port"`
	Mapped      bool     `json:"mapped" doc:"Whether it has given one"`
	ServesRelay bool     `json:"servesRelay" doc:"Whether it relays for others"`
}

func reachView(r network.Reach) Reach {
	v := Reach{
		Reachable: string(r.Reachable), Confirmed: append([]string{}, r.Confirmed...), Announced: r.Announced, Relays: []string{},
		Relayed: r.Relayed, Punched: r.Punched, Unpunched: r.Unpunched, PortMapping: r.PortMapping, Mapped: r.Mapped, ServesRelay: r.ServesRelay,
	}
	for _, id := range r.Relays {
		v.Relays = append(v.Relays, id.String())
	}
	return v
}

// checkReach tells whether others get to this node, and by what means.
func (s *Server) checkReach() Check {
	r := s.node.Network.Reach()
	c := Check{Name: "reachable", Status: "ok"}
	switch {
	case r.Reachable == network.Reachable && len(r.Confirmed) > 0:
		c.Text = "yes: another node has reached it at " + r.Confirmed[0]
	case r.Reachable == network.Reachable:
		c.Text = "yes, as the settings say (announce); no other node has tried"
	case !s.node.Config().Traversal:
		c.Text = "unknown: it doesn't look, as traversal is off in the settings"
	case len(r.Relays) > 0 && r.Reachable == network.Unreachable:
		c.Text = "no, not directly; others reach it through " + relays(len(r.Relays))
	case len(r.Relays) > 0:
		c.Text = "not known whether directly; others reach it through " + relays(len(r.Relays))
	case r.Reachable == network.Unknown:
		c.Text = "unknown: no other node has tried so far, and none relays for this one"
	case len(s.node.Config().Mailboxes) > 0:
		c.Text = "no, neither directly nor through a relay: it dials out, and mail waits for it at its mailboxes"
	default:
		c.Status = "warn"
		c.Text = "no, neither directly nor through a relay: replies from other networks can't be left here"
		c.Hint = "set mailboxes in " + s.node.Home().Config() + ", connect to a node that relays (parley join), or forward a port in your router and set announce"
	}
	return c
}

func relays(n int) string {
	if n == 1 {
		return "1 relay"
	}
	return fmt.Sprintf("%d relays", n)
}

func (s *Server) checkPortMapping() Check {
	c := Check{Name: "port mapping", Status: "ok"}
	switch r := s.node.Network.Reach(); {
	case r.Mapped:
		c.Text = "the router has given this node a port"
	case r.PortMapping:
		c.Text = "the router gives no port: it knows neither UPnP nor NAT-PMP, or doesn't allow it"
	default:
		c.Text = "is off, or not needed: the router isn't asked for a port"
	}
	return c
}

func (s *Server) checkRelayed() Check {
	r := s.node.Network.Reach()
	return Check{Name: "relayed connections", Status: "ok", Text: fmt.Sprintf("%d nodes are connected through relays alone; %d times a direct connection came of one, %d attempts failed", r.Relayed, r.Punched, r.Unpunched)}
}

func (s *Server) checkRelay() Check {
	r := s.node.Network.Reach()
	switch {
	case !r.ServesRelay:
		return Check{Name: "relay", Status: "ok", Text: "this node doesn't relay for others"}
	case r.Reachable == network.Unreachable:
		return Check{Name: "relay", Status: "warn", Text: "this node is to relay for others, and can't be reached itself",
			Hint: "forward a port in your router and set announce, or unset serve_relay, in " + s.node.Home().Config()}
	default:
		return Check{Name: "relay", Status: "ok", Text: "this node relays for others, within narrow limits"}
	}
}
