package node

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	parley "github.com/parley-protocol/parley/node/network"
	"github.com/parley-protocol/parley/protocol/record/recordtest"
)

// boxesNamed are mailboxes with three addresses each.
func boxesNamed(t *testing.T, names ...string) (boxes []peer.AddrInfo) {
	t.Helper()
	for _, name := range names {
		box, err := parley.ParsePeer(recordtest.MailboxAddress(name))
		if err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			box.Addrs = append(box.Addrs, ma.StringCast(fmt.Sprintf("/ip4/192.0.2.%d/tcp/4001", i+1)))
		}
		boxes = append(boxes, box)
	}
	return boxes
}

//spec:shows BOX-22
func TestMailboxesAreChosen(t *testing.T) {
	all := boxesNamed(t, "c1", "c2", "c3", "c4", "f1", "f2", "f3")
	own, found := all[:4], all[4:]
	for name, c := range map[string]struct {
		configured, found []peer.AddrInfo
		down              []peer.AddrInfo
		want              string // first letters of those named, and how many choices there are
		choices           int
	}{
		"none":                         {nil, nil, nil, "", 1},
		"found":                        {nil, found, nil, "ff", 6},
		"one found":                    {nil, found[:1], nil, "f", 1},
		"found ones that are down":     {nil, found, found[:2], "f", 1},
		"one configured":               {own[:1], found, nil, "cf", 3},
		"two configured":               {own[:2], found, nil, "cc", 1},
		"one of two configured down":   {own[:2], found, own[1:2], "ccf", 3},
		"both configured down":         {own[:2], found, own[:2], "ccff", 6},
		"both down and nothing else":   {own[:2], nil, own[:2], "cc", 1},
		"few of many":                  {own, found, nil, "ccc", 24},
		"configured and found at once": {found[:1], found, nil, "ff", 2},
	} {
		t.Run(name, func(t *testing.T) {
			letters := map[string]string{}
			for i, box := range all {
				letters[box.ID.String()] = []string{"c", "f"}[i/4]
			}
			down := func(id peer.ID) bool {
				return slices.ContainsFunc(c.down, func(b peer.AddrInfo) bool { return b.ID == id })
			}
			dice := rand.New(rand.NewPCG(1, 2))
			seen := map[string]bool{}
			for range 400 {
				got := chooseMailboxes(c.configured, c.found, down, dice.Shuffle)
				var kinds string
				var peers []string
				for _, text := range got {
					box, err := parley.ParsePeer(text)
					if err != nil {
						t.Fatal(err)
					}
					if id := box.ID.String(); !slices.Contains(peers, id) {
						peers = append(peers, id)
						kinds += letters[id]
					}
				}
				if kinds != c.want || len(got) != addrsOfMailbox*len(peers) {
					t.Fatalf("%d addresses of %q, want %q", len(got), kinds, c.want)
				}
				seen[strings.Join(peers, " ")] = true
			}
			if len(seen) != c.choices {
				t.Errorf("%d different choices, want %d", len(seen), c.choices)
			}
		})
	}
}
