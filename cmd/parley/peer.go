package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/parley-protocol/parley/node/api"
)

func (a *app) peerCommand() *cobra.Command {
	noun := &cobra.Command{Use: "peer", Short: "Nodes that yours is connected to", Example: "  parley peer list"}
	var all bool
	list := &cobra.Command{
		Use:     "list",
		Short:   "List the nodes that are connected, or kept connected",
		Example: "  parley peer list\n  parley peer list --all --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path := "/v1/peers"
			if all {
				path += "?all=true"
			}
			peers, err := getList[api.Peer](cmd.Context(), a, path)
			if err != nil {
				return err
			}
			return printList(a, peers, "No nodes: parley join an invite, or parley peer add ADDRESS.", func(t *table) {
				t.row("NODE", "STATE", "SINCE", "LATENCY", "FROM", "MARKETS", "SCORE")
				for _, p := range peers {
					t.row(shortPeer(p.ID), peerState(p), peerSince(p), peerLatency(p), p.Source, strings.Join(p.Markets, ", "), fmt.Sprintf("%.1f", p.Score))
				}
			})
		},
	}
	list.Flags().BoolVar(&all, "all", false, "those met before and those blocked, too")
	add := &cobra.Command{
		Use:   "add ADDRESS",
		Short: "Stay connected to a node from now on",
		Long: `Stay connected to a node from now on, also after a restart.

The address is as "parley id" shows it there: it ends in /p2p/NODE.`,
		Example: "  parley peer add /ip4/192.0.2.7/udp/4001/quic-v1/p2p/12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var p api.Peer
			if err := a.call(cmd.Context(), http.MethodPost, "/v1/peers", map[string]string{"addr": args[0]}, &p); err != nil {
				return err
			}
			return a.print(p, func(w io.Writer) { fmt.Fprintf(w, "This node stays connected to %s from now on.\n", p.ID) })
		},
	}
	show := &cobra.Command{
		Use:     "show NODE",
		Short:   "Show what is known of a node, and how far away it is",
		Example: "  parley peer show GC6TvWhf",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var p api.Peer
			if err := a.call(cmd.Context(), http.MethodGet, api.Path("/v1/peers/%s", args[0]), nil, &p); err != nil {
				return err
			}
			return a.print(p, func(w io.Writer) { showPeer(w, p) })
		},
	}
	noun.AddCommand(list, add, show,
		a.peerAction("remove", http.MethodDelete, "/v1/peers/%s", "Forget a node and hang up",
			"%s is forgotten. It can be found again: parley peer block ends that.\n"),
		a.peerAction("block", http.MethodPost, "/v1/peers/%s/block", "Forget a node, and never deal with it again",
			"%s is blocked: this node neither calls nor answers it.\n"),
		a.peerAction("unblock", http.MethodPost, "/v1/peers/%s/unblock", "Let a node in again", "%s isn't blocked.\n"))
	return noun
}

// peerAction is a command that does one thing to a node.
func (a *app) peerAction(verb, method, path, short, done string) *cobra.Command {
	return &cobra.Command{
		Use:     verb + " NODE",
		Short:   short,
		Example: "  parley peer " + verb + " GC6TvWhf",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var p api.Peer
			if err := a.call(cmd.Context(), method, api.Path(path, args[0]), nil, &p); err != nil {
				return err
			}
			return a.print(p, func(w io.Writer) { fmt.Fprintf(w, done, p.ID) })
		},
	}
}

// shortPeer is what people see of a node's ID; commands take it.
func shortPeer(id string) string {
	id = strings.TrimPrefix(id, "12D3KooW")
	return id[:min(10, len(id))]
}

func peerState(p api.Peer) string {
	state := "away"
	switch {
	case p.Blocked:
		state = "blocked"
	case p.Connected:
		state = p.Path + ", " + p.Direction
	}
	if p.Kept {
		state += ", kept"
	}
	return state
}

func peerSince(p api.Peer) string {
	if p.Since == nil {
		return ""
	}
	return when(*p.Since)
}

func peerLatency(p api.Peer) string {
	if p.LatencyMS == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f ms", p.LatencyMS)
}

func showPeer(w io.Writer, p api.Peer) {
	t := newTable(w)
	t.row("Node", p.ID)
	t.row("State", peerState(p))
	if p.Since != nil {
		t.row("Since", when(*p.Since))
	}
	if l := peerLatency(p); l != "" {
		t.row("There and back", l)
	}
	t.row("From", p.Source)
	t.list("Address", p.Addrs)
	t.row("Markets", strings.Join(p.Markets, ", "))
	if len(p.Mesh) > 0 {
		t.row("Whole records in", strings.Join(p.Mesh, ", "))
	}
	t.row("Score", fmt.Sprintf("%.1f", p.Score))
	t.row("Calls itself", clip(p.Agent, 64))
	t.row("Speaks", strings.Join(p.Features, ", "))
	if other := len(p.Protocols) - len(p.Features); other > 0 {
		t.row("", fmt.Sprintf("and %d protocols that this version doesn't know, or that are libraries'", other))
	}
	if p.Mailbox {
		t.row("Mailbox", "takes mail, for itself at least")
	}
	if p.FirstMet != nil {
		t.row("Met", when(*p.FirstMet)+" to "+when(*p.LastMet))
	}
	if p.Failed > 0 {
		t.row("Dialled in vain", fmt.Sprint(p.Failed))
	}
	t.flush()
}
