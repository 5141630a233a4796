package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/protocol"
)

// pollEvery is how often a node that is starting is asked again.
const pollEvery = 50 * time.Millisecond

func (a *app) idCommand() *cobra.Command {
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "id",
		Short: "Show the node's ID, addresses and state",
		Example: `  parley id
  parley id --wait 10s --json`,
		Args: cobra.NoArgs,
	}
	cmd.Flags().DurationVar(&wait, "wait", 0, "how long to wait for a node that is starting")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		var v api.Node
		if err := a.await(cmd.Context(), wait, func(ctx context.Context) error {
			return a.call(ctx, http.MethodGet, "/v1/node", nil, &v)
		}); err != nil {
			return err
		}
		return a.print(v, func(w io.Writer) {
			t := newTable(w)
			t.row("ID", v.DID)
			t.row("Node", v.PeerID)
			t.row("Home", v.Home)
			t.row("Version", v.Version)
			t.list("Addresses", v.Addrs)
			t.list("Replies go to", v.Mailboxes)
			t.list("Markets", v.Markets)
			t.row("Connected", fmt.Sprintf("%d nodes", v.Peers))
			t.row("Records", fmt.Sprintf("%d own, %d of deals, %d of others", v.Records.Own, v.Records.Deal, v.Records.Foreign))
			if v.Owed > 0 {
				t.row("Deliveries", fmt.Sprintf("%d under way", v.Owed))
			}
			if len(v.Disk.Refuses) > 0 {
				t.row("Disk", fmt.Sprintf("nearly full, %.1f GB free; not taken: %s records", float64(v.Disk.Free)/1e9, strings.Join(v.Disk.Refuses, ", ")))
			}
			t.row("Up since", when(v.Started))
			t.flush()
		})
	}
	return cmd
}

// await repeats f while no node is running, for so long.
func (a *app) await(ctx context.Context, wait time.Duration, f func(context.Context) error) error {
	deadline := time.Now().Add(wait)
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		err := f(ctx)
		if protocol.CodeOf(err) != protocol.CodeNotRunning || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
