// Package limiter is a token bucket per key, for rates that strangers are held
// to.
package limiter

import (
	"sync"
	"time"
)

// Limiter holds each key to a rate. It remembers a bounded number of keys.
type Limiter struct {
	perSecond float64
	burst     float64
	keys      int

	mu      sync.Mutex
	buckets map[string]bucket
}

// bucket is a key's tokens at the time they were last counted. A key without a
// bucket has a full one.
type bucket struct {
	tokens float64
	at     time.Time
}

// New makes a limiter that lets burst tokens through at once and perSecond after
// that, and remembers at most so many keys.
func New(perSecond, burst float64, keys int) *Limiter {
	return &Limiter{perSecond: perSecond, burst: burst, keys: keys, buckets: make(map[string]bucket)}
}

// Take takes n tokens of the key if it has them. If not, it takes none and tells
// how long it is until it has; n beyond the burst is never had.
func (l *Limiter) Take(key string, n float64, now time.Time) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, known := l.buckets[key]
	if !known {
		if len(l.buckets) >= l.keys {
			l.evict(now)
		}
		b = bucket{tokens: l.burst, at: now}
	}
	b = l.refill(b, now)
	if b.tokens < n {
		l.buckets[key] = b
		return time.Duration((n - b.tokens) / l.perSecond * float64(time.Second)), false
	}
	b.tokens -= n
	l.buckets[key] = b
	return 0, true
}

func (l *Limiter) refill(b bucket, now time.Time) bucket {
	if elapsed := now.Sub(b.at); elapsed > 0 {
		b.tokens = min(l.burst, b.tokens+elapsed.Seconds()*l.perSecond)
		b.at = now
	}
	return b
}

// evict makes room. Full buckets say nothing and go first; if there is none, one
// goes at random: who fills the table gains one fresh bucket per address that it
// really has.
func (l *Limiter) evict(now time.Time) {
	for key, b := range l.buckets {
		if l.refill(b, now).tokens >= l.burst {
			delete(l.buckets, key)
		}
	}
	for key := range l.buckets {
		if len(l.buckets) < l.keys {
			return
		}
		delete(l.buckets, key)
	}
}
