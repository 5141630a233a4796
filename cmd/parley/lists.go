package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/parley-protocol/parley/protocol"
)

// page is how the node answers lists.
type page[T any] struct {
	Items  []T    `json:"items"`
	Cursor string `json:"cursor"`
}

// getList reads a list that comes in one piece.
func getList[T any](ctx context.Context, a *app, path string) ([]T, error) {
	var p page[T]
	err := a.call(ctx, http.MethodGet, path, nil, &p)
	return p.Items, err
}

// getPages reads a list piece by piece up to limit.
func getPages[T any](ctx context.Context, a *app, path string, query url.Values, limit int) ([]T, error) {
	var out []T
	for len(out) < limit {
		query.Set("limit", strconv.Itoa(min(limit-len(out), 1000)))
		var p page[T]
		if err := a.call(ctx, http.MethodGet, path+"?"+query.Encode(), nil, &p); err != nil {
			return nil, err
		}
		out = append(out, p.Items...)
		if p.Cursor == "" {
			return out, nil
		}
		query.Set("cursor", p.Cursor)
	}
	return out[:limit], nil
}

// printList writes a JSON line for each, or the table, or for none of them what
// there is to say.
func printList[T any](a *app, items []T, none string, text func(*table)) error {
	if a.json {
		for _, item := range items {
			if err := writeJSON(a.stdout, item); err != nil {
				return err
			}
		}
		return nil
	}
	if len(items) == 0 {
		a.note("%s", none)
		return nil
	}
	return a.print(nil, func(w io.Writer) {
		t := newTable(w)
		text(t)
		t.flush()
	})
}

// indent makes JSON readable.
func indent(v json.RawMessage) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if enc.Encode(v) != nil {
		return string(v) + "\n"
	}
	return b.String()
}

// addReason adds --reason with the codes that a type of record may give.
func addReason(cmd *cobra.Command, to *string, def, recordType string) {
	var codes, described []string
	for _, r := range protocol.Reasons() {
		for _, t := range r.UsedBy {
			if t == recordType {
				codes = append(codes, r.Code)
				described = append(described, r.Code+"\t"+r.Summary)
			}
		}
	}
	cmd.Flags().StringVar(to, "reason", def, "why, one of: "+strings.Join(codes, ", "))
	// It fails only for a flag that doesn't exist.
	_ = cmd.RegisterFlagCompletionFunc("reason", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return described, cobra.ShellCompDirectiveNoFileComp
	})
	check := cmd.PreRunE
	cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
		for _, c := range codes {
			if *to == c {
				if check != nil {
					return check(cmd, args)
				}
				return nil
			}
		}
		return usagef("--reason", "one of: "+strings.Join(codes, ", "), "%q is no reason that can be given here", *to)
	}
}

// reasonText is the registry's sentence for a code.
func reasonText(code string) string {
	for _, r := range protocol.Reasons() {
		if r.Code == code {
			return r.Summary
		}
	}
	return code
}
