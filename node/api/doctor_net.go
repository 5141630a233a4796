package api

import (
	"fmt"
	"strings"
	"time"
)

// checkPeers tells who is connected, and whether this node has chosen any of them.
func (s *Server) checkPeers() Check {
	all, out := 0, 0
	for _, p := range s.node.Network.Peers() {
		if !p.Connected {
			continue
		}
		all++
		if !p.Inbound {
			out++
		}
	}
	if all == 0 {
		return Check{Name: "peers", Status: "warn", Text: "no other node is connected", Hint: "ask someone for an invite (parley invite) and parley join it, or parley peer add ADDRESS"}
	}
	return Check{Name: "peers", Status: "ok", Text: fmt.Sprintf("%d other nodes are connected, %d of them dialled by this one", all, out)}
}

// checkDiscovery tells whether this node can find others by itself.
func (s *Server) checkDiscovery() Check {
	c := Check{Name: "discovery", Status: "ok"}
	if s.node.Discovery == nil {
		c.Text = "off in the settings: only the nodes that you named are connected"
		return c
	}
	st, met := s.node.Discovery.Status(), len(s.node.Peers.List())
	c.Text = fmt.Sprintf("%d nodes in the table, %d met and remembered", st.Nodes, met)
	if st.Serves {
		c.Text += "; this node keeps a part of the table for others"
	}
	if err := s.node.Peers.Began(); err != nil {
		c.Status, c.Hint = "warn", "nothing needs to be done: they are met again"
		c.Text += "; the memory of nodes was spoilt and was begun anew"
	}
	if st.Nodes == 0 && met == 0 {
		c.Text = "no node is known that could name others, and none was met in a market before"
	}
	return c
}

// checkMarkets tells of each market whether records come and go there.
func (s *Server) checkMarkets() Check {
	markets := s.desk().Markets()
	if len(markets) == 0 {
		return Check{Name: "markets", Status: "ok", Text: "takes part in no market yet", Hint: "parley market list"}
	}
	var parts, alone []string
	for _, m := range markets {
		there, mesh := len(s.node.Gossip.Peers(m)), len(s.node.Gossip.Mesh(m))
		parts = append(parts, fmt.Sprintf("%s: %d nodes there, %d exchange records directly", m, there, mesh))
		if mesh == 0 {
			alone = append(alone, m)
		}
	}
	c := Check{Name: "markets", Status: "ok", Text: strings.Join(parts, "; ")}
	if len(alone) > 0 {
		c.Status = "warn"
		c.Hint = "nobody is there with whom to exchange records in " + strings.Join(alone, ", ") + ": what you publish waits; connect to a node of that market (parley join, parley peer add)"
	}
	return c
}

// checkClock compares with what others sign: records dated far ahead mean that
// this clock is late. Of a clock that is ahead nothing can be told so.
func (s *Server) checkClock() Check {
	now := time.Unix(s.now(), 0).UTC()
	if now.Year() < 2026 {
		return Check{Name: "clock", Status: "fail", Text: "the clock says " + now.Format(time.RFC3339), Hint: "set the machine's clock: deadlines depend on it"}
	}
	c := Check{Name: "clock", Status: "ok", Text: "the clock says " + now.Format(time.RFC3339)}
	if early := s.node.Ingest.Stats().Early; early > 0 {
		c.Status, c.Hint = "warn", "compare the machine's clock with another one, and set it"
		c.Text += fmt.Sprintf("; %d records came that are dated more than ten minutes ahead of it: either it is late or their authors' are ahead", early)
	}
	return c
}
