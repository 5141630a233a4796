package stem

import (
	"math/rand/v2"
	"time"

	"github.com/ipfs/go-cid"
)

// Options of [New].
type Options struct {
	// Secret decides which of its peers are a node's relays. It is the node's own
	// and lasts, so that a restart changes nothing. Required.
	Secret [32]byte
	// Timing is [Usual] when it is zero.
	Timing Timing
	// Published is told of each own record that this node has brought to gossip
	// itself. It is called from the background and may block.
	Published func(cid.Cid)
}

// Timing paces the stem. Zero fields mean those of [Usual].
type Timing struct {
	// Epoch is how long a node keeps its relays, and whether it passes on.
	Epoch time.Duration
	// Jitter is the mean pause before an own record sets out, for each that waits.
	Jitter time.Duration
	// Embargo is the mean time that a record may take to come back by gossip.
	Embargo time.Duration
	// Alone is the mean pause before an own record goes straight to gossip when no
	// peer passes anything on.
	Alone time.Duration
}

// Usual is the timing of a node among strangers.
//
// The embargo follows the paper: a path of k hops of δ each is not cut short,
// with probability 1−ε, where the mean is k(k−1)δ / (−2 ln(1−ε)); 27 s for 8
// hops of 100 ms and ε = 0.1. An epoch is a day and not ten minutes, as people
// ask for something now and then: the first hop learns who asks, and each epoch
// is a new draw of the first hop.
func Usual() Timing {
	return Timing{Epoch: 24 * time.Hour, Jitter: time.Second, Embargo: 30 * time.Second, Alone: 5 * time.Second}
}

// Quick is for networks of a few nodes on one machine, where nobody hides.
func Quick() Timing {
	return Timing{Epoch: 24 * time.Hour, Jitter: 10 * time.Millisecond, Embargo: 2 * time.Second, Alone: 300 * time.Millisecond}
}

func (t Timing) withDefaults() Timing {
	usual := Usual()
	for _, field := range []struct{ value, usual *time.Duration }{
		{&t.Epoch, &usual.Epoch},
		{&t.Jitter, &usual.Jitter},
		{&t.Embargo, &usual.Embargo},
		{&t.Alone, &usual.Alone},
	} {
		if *field.value <= 0 {
			*field.value = *field.usual
		}
	}
	return t
}

// mostJitter bounds the mean pause of one among many that wait, in jitters.
const mostJitter = 60

// random is an exponential time, without the far end of its tail. It has no
// memory: of all who wait for one record each is as likely as the others to be
// the first to give up, however long it has waited.
func random(mean time.Duration) time.Duration {
	return time.Duration(min(rand.ExpFloat64(), 4) * float64(mean))
}
