package desk

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/parley-protocol/parley/protocol/record"
)

// ignoredSync names a place that syncs, which does nothing then: a test of
// TestDealsByTheThousand.
const ignoredSync = "PARLEY_IGNORE_SYNC"

// Without any of the syncs that a node's promises rest on, the histories of
// TestDealsByTheThousand end badly. Each is played by a process of its own. The
// plain run leaves out one file of each kind; PARLEY_SOAK=1 takes every place, and
// says of the rest, which only matter to what a history seldom meets, that the
// rooms' own tests need them.
func TestANodeNeedsItsSyncs(t *testing.T) {
	if testing.Short() {
		t.Skip("it plays the histories once for every sync")
	}
	soak := os.Getenv("PARLEY_SOAK") == "1"
	deals := "60"
	if soak {
		deals = "100"
	}
	caught := 0
	for _, site := range syncSites(t) {
		vital := strings.Contains(site, "syncBoth") || strings.Contains(site, "(*Spool).store") && strings.Contains(site, "Publish")
		if !vital && !soak {
			continue
		}
		cmd := exec.Command(os.Args[0], "-test.run=^TestDealsByTheThousand$")
		cmd.Env = append(os.Environ(), ignoredSync+"="+site, "PARLEY_DESK_DEALS="+deals, "PARLEY_SOAK=")
		out, err := cmd.CombinedOutput()
		what := ""
		for line := range strings.Lines(string(out)) {
			if strings.Contains(line, "_test.go:") {
				what = strings.TrimSpace(line)
				break
			}
		}
		switch {
		case err != nil && what != "":
			caught++
			t.Logf("without %s: %.150s", site, what)
		case vital:
			t.Errorf("nothing goes wrong without %s: %v: %s", site, err, out)
		default:
			t.Logf("without %s: nothing was lost in these histories", site)
		}
	}
	if caught < 3 {
		t.Errorf("only %d syncs were missed", caught)
	}
}

// syncSites are the places that the nodes of a few histories sync at.
func syncSites(t *testing.T) (sites []string) {
	for seed := range uint64(8) {
		synctest.Test(t, func(t *testing.T) {
			p := newPlay(t, seed+1)
			collect := func() {
				for _, pl := range p.players {
					sites = append(sites, pl.disk.SyncSites()...)
				}
			}
			collect()
			p.perform()
			collect()
			p.settle()
			p.end()
			collect()
		})
	}
	slices.Sort(sites)
	return slices.Compact(sites)
}

// hasWhatItAcknowledged holds a node that has just started against its delivery
// receipts: an offer that it has said is on its disk is there while it is firm,
// also if nobody has answered it and the ledger knows nothing of it.
func (p *play) hasWhatItAcknowledged(pl *player) {
	p.t.Helper()
	if pl.restored {
		return
	}
	p.mu.Lock()
	letters := slices.Clone(p.letters)
	p.mu.Unlock()
	offers := map[cid.Cid]*record.Record{}
	var acknowledged []cid.Cid
	for _, l := range letters {
		for _, rec := range p.opened(l) {
			switch body := rec.Body().(type) {
			case *record.Offer:
				offers[rec.ID()] = rec
			case *record.DeliveryReceipt:
				if l.from == pl {
					acknowledged = append(acknowledged, body.Records...)
				}
			}
		}
	}
	now := time.Now().Unix()
	for _, id := range acknowledged {
		if offer := offers[id]; offer != nil && now <= offer.ValidUntil() && !pl.Book().Has(id) {
			p.t.Fatalf("%s has acknowledged an offer and doesn't have it any more", pl.name)
		}
	}
}
