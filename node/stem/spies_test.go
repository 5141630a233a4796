package stem

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/marcopolo/simnet"
)

// Who is found by colluding spies that do what every node does and note when they
// first hear of a record, and from whom: the first-spy estimator names whoever
// handed it to the first of them. Every node notes, so that one run shows what
// any set of spies would have seen.

// trace is what became of one record.
type trace struct {
	author int
	seen   []seen // by node; the zero time where a node never heard of it
	to90   time.Duration
}

// round is one record of each node.
type round []trace

// publishAll publishes one record of each node a round.
func publishAll(t *testing.T, size, rounds int, timing *Timing, every time.Duration) (out []round, ids map[peer.ID]int) {
	latency := apart
	if os.Getenv("PARLEY_SPIES_EVEN") != "" {
		latency = simnet.StaticLatency(20 * time.Millisecond)
	}
	simulateWith(t, size, latency, func(t *testing.T, hosts []host.Host) {
		nodes := make([]*node, size)
		ids = map[peer.ID]int{}
		for i, h := range hosts {
			nodes[i] = attach(t, h, timing)
			ids[h.ID()] = i
		}
		mesh(t, nodes, 6)
		for r := range rounds {
			began := time.Now()
			sent := make([]time.Time, size)
			records := make([]cid.Cid, size)
			for i, n := range nodes {
				sent[i] = time.Now()
				records[i] = n.say(t, fmt.Sprintf("%d of %d", r, i))
				time.Sleep(every / time.Duration(2*size))
			}
			time.Sleep(every - time.Since(began))
			all := make(round, size)
			for i, id := range records {
				tr := trace{author: i, seen: make([]seen, size)}
				var late []time.Duration
				for j, n := range nodes {
					tr.seen[j], _ = n.handler.heard(id)
					if at, ok := n.handler.has(id); ok {
						late = append(late, at.Sub(sent[i]))
					}
				}
				slices.Sort(late)
				if least := (9*size + 9) / 10; len(late) < least {
					t.Errorf("round %d: the record of %d came to %d of %d nodes", r, i, len(late), size)
				} else {
					tr.to90 = late[least-1]
				}
				all[i] = tr
			}
			out = append(out, all)
		}
	})
	return out, ids
}

// firstSpy names the publisher of a record; -1: nobody.
func firstSpy(tr trace, spy []bool, ids map[peer.ID]int) int {
	named, first := -1, time.Time{}
	for i, s := range tr.seen {
		if !spy[i] || s.at.IsZero() {
			continue
		}
		if from, ok := ids[s.from]; ok && !spy[from] && (named < 0 || s.at.Before(first)) {
			named, first = from, s.at
		}
	}
	return named
}

// found are the figures of one share of spies.
type found struct {
	right     float64 // records whose publisher was named
	precision float64 // mean over honest nodes: of the records laid to it, how many are its own
	person    float64 // publishers named by most of their records, known to be of one person
}

func look(rounds []round, ids map[peer.ID]int, share float64) found {
	const draws = 400
	dice := rand.New(rand.NewPCG(2, math.Float64bits(share)))
	size := len(rounds[0])
	var right, precision, person, records, people float64
	for range draws {
		spy := make([]bool, size)
		for _, i := range dice.Perm(size)[:max(1, int(math.Round(share*float64(size))))] {
			spy[i] = true
		}
		votes := make([]map[int]float64, size)
		for _, r := range rounds {
			laid, own := make([]float64, size), make([]float64, size)
			for _, tr := range r {
				named := firstSpy(tr, spy, ids)
				if spy[tr.author] || named < 0 {
					continue
				}
				if votes[tr.author] == nil {
					votes[tr.author] = map[int]float64{}
				}
				votes[tr.author][named]++
				laid[named]++
				if named == tr.author {
					own[named]++
				}
			}
			for i := range size {
				if spy[i] {
					continue
				}
				records++
				right += own[i]
				if laid[i] > 0 {
					precision += own[i] / laid[i]
				}
			}
		}
		for author, v := range votes {
			if spy[author] {
				continue
			}
			people++
			most, ties := 0.0, 0.0
			for _, n := range v {
				most = max(most, n)
			}
			for _, n := range v {
				if n == most {
					ties++
				}
			}
			if most > 0 && v[author] == most {
				person += 1 / ties
			}
		}
	}
	return found{right / records, precision / records, person / people}
}

func sizeOf(t *testing.T, name string, usual int) int {
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s is %q, not a number", name, text)
	}
	return n
}

// median is the middle of the times in which records came to 90% of the nodes.
func median(rounds []round) time.Duration {
	var all []time.Duration
	for _, r := range rounds {
		for _, tr := range r {
			all = append(all, tr.to90)
		}
	}
	slices.SortFunc(all, cmp.Compare)
	return all[len(all)/2].Round(time.Millisecond)
}

// What spies find out, for gossip alone and with the stem. No way of publishing can
// do better against them than that they name the share p of all publishers (who
// hands a record to a spy first is named), with a precision of p² (Bojja
// Venkatakrishnan, Fanti, Viswanath: Dandelion: Redesigning the Bitcoin Network for
// Anonymity, 2017, theorem 1); for the stem on a line the same paper has the upper
// bound 2p²/(1−p)·log(2/p) + O(1/n), which Dandelion++ keeps to in its order,
// p² log(1/p).
//
// PARLEY_SPIES is the number of nodes, PARLEY_SPIES_ROUNDS that of records each;
// with more than one, what linking them adds is shown too. With PARLEY_SPIES_EVEN
// all nodes are as far from each other, which is what spies like best: then the
// author's own frame always comes first.
func TestWhoPublished(t *testing.T) {
	size, rounds := sizeOf(t, "PARLEY_SPIES", 24), sizeOf(t, "PARLEY_SPIES_ROUNDS", 1)
	const every = 40 * time.Second
	day, each := Usual(), Usual()
	each.Epoch = every
	plain, ids := publishAll(t, size, rounds, nil, every)
	stem, stemIDs := publishAll(t, size, rounds, &day, every)
	t.Logf("%d nodes, %d records each; half of them reach 90%% of the nodes in %s by gossip alone, in %s with the stem", size, rounds, median(plain), median(stem))
	shares := []float64{0.05, 0.1, 0.2}
	for _, p := range shares {
		g, s := look(plain, ids, p), look(stem, stemIDs, p)
		t.Logf("%2.0f%% spies name %4.1f%% by gossip alone, %4.1f%% with the stem (at least %.0f%%); precision %.3f and %.3f (at least %.3f, a line's at most %.3f + O(1/n))",
			100*p, 100*g.right, 100*s.right, 100*p, g.precision, s.precision, p*p, 2*p*p/(1-p)*math.Log(2/p))
		if least := max(1, math.Round(p*float64(size))) / float64(size); s.right > max(g.right/2, 2*least) {
			t.Errorf("with %.0f%% of spies, %.0f%% of the publishers are named with the stem, %.0f%% without", 100*p, 100*s.right, 100*g.right)
		}
	}
	if rounds == 1 {
		return
	}
	epochs, epochIDs := publishAll(t, size, rounds, &each, every)
	for _, p := range shares {
		t.Logf("%2.0f%% spies that know which %d records are of one person name %4.1f%% of the persons by gossip alone, %4.1f%% with the stem in one epoch, %4.1f%% in an epoch each",
			100*p, rounds, 100*look(plain, ids, p).person, 100*look(stem, stemIDs, p).person, 100*look(epochs, epochIDs, p).person)
	}
}
