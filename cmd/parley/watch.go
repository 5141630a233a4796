package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/node/event"
	"github.com/parley-protocol/parley/protocol"
)

// errSeen ends a watch that has seen what it waited for.
var errSeen = errors.New("seen")

// watching is what watch looks for.
type watching struct {
	until, deal string
	count       int
	timeout     time.Duration
}

func (a *app) watchCommand() *cobra.Command {
	o := watching{}
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Show what happens, as it happens",
		Long: `Show what happens, as it happens, until it is interrupted.

The first line, of the kind "watching", says that nothing is missed from then
on. --until takes a kind, such as offer.received, or a phase of a deal, such as
agreed.`,
		Example: `  parley watch
  parley watch --json --until offer.received --timeout 1m
  parley watch --deal t6wa7 --until agreed`,
		Args: cobra.NoArgs,
	}
	f := cmd.Flags()
	f.StringVar(&o.until, "until", "", "end after an event of this `kind`, or one that brings a deal into this phase")
	f.StringVar(&o.deal, "deal", "", "only of this `deal`")
	f.IntVar(&o.count, "count", 0, "end after so many events")
	f.DurationVar(&o.timeout, "timeout", 0, "give up after this time, with exit code 1")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return a.watch(cmd.Context(), o) }
	return cmd
}

func (a *app) watch(ctx context.Context, o watching) error {
	h, err := a.home()
	if err != nil {
		return err
	}
	if o.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.timeout)
		defer cancel()
	}
	seen := 0
	begin := func() error {
		if a.json {
			return writeJSON(a.stdout, map[string]string{"kind": "watching"})
		}
		_, err := fmt.Fprintln(a.stdout, "watching")
		return err
	}
	err = api.NewClient(h.Socket()).Stream(ctx, "/v1/events", begin, func(raw json.RawMessage) error {
		var e event.Event
		if err := json.Unmarshal(raw, &e); err != nil {
			return err
		}
		if o.deal != "" && !strings.HasPrefix(strings.TrimPrefix(e.Deal, idStart), strings.TrimPrefix(o.deal, idStart)) {
			return nil
		}
		if err := a.printEvent(e, raw); err != nil {
			return err
		}
		seen++
		if o.until != "" && (e.Kind == o.until || e.Phase == o.until) || o.count > 0 && seen >= o.count {
			return errSeen
		}
		return nil
	})
	switch {
	case errors.Is(err, errSeen):
		return nil
	case err == nil && ctx.Err() != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return protocol.Errorf(protocol.CodeTimeout, "", "what was waited for didn't happen within %s", o.timeout)
	}
	return err
}

func (a *app) printEvent(e event.Event, raw json.RawMessage) error {
	if a.json {
		_, err := fmt.Fprintf(a.stdout, "%s\n", raw)
		return err
	}
	about := e.Deal
	if about == "" {
		about = e.Record
	}
	line := fmt.Sprintf("%s  %-18s %-10s  %s", e.At.Local().Format("15:04:05"), e.Kind, shortID(about), e.Text)
	if e.Phase != "" {
		line += " (" + e.Phase + ")"
	}
	_, err := fmt.Fprintln(a.stdout, clip(line, 200))
	return err
}
