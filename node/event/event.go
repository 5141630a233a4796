// Package event tells those who watch what happens on a node, as it happens.
package event

import (
	"sync"
	"time"
)

// Event is one thing that happened. Its JSON only ever gains keys.
type Event struct {
	At     time.Time `json:"at"`
	Kind   string    `json:"kind"`             // see the constants
	Record string    `json:"record,omitempty"` // the record that it is about
	Intent string    `json:"intent,omitempty"`
	Deal   string    `json:"deal,omitempty"`
	Phase  string    `json:"phase,omitempty"` // the deal's, after the event
	Type   string    `json:"type,omitempty"`  // the record's
	By     string    `json:"by,omitempty"`    // the record's author
	Text   string    `json:"text"`            // a sentence for people, without names or content
}

// The kinds of event.
const (
	IntentSeen         = "intent.seen"         // a market or a customer brought an intent
	IntentPublished    = "intent.published"    // own
	IntentWithdrawn    = "intent.withdrawn"    // anyone's
	RecordSpread       = "record.spread"       // a market shows an own record to others
	ProfileSeen        = "profile.seen"        // a seller presents itself
	CustomerIntroduced = "customer.introduced" // a customer says under which name it is known
	AssertionReceived  = "assertion.received"  // somebody known says something of itself
	OfferReceived      = "offer.received"      // an offer waits for an answer
	CounterReceived    = "counter.received"    // a customer answers an offer with what it would accept
	TermsProposed      = "terms.proposed"      // a seller proposes other terms
	RoundAsked         = "round.asked"         // a customer asks for another round, after a void or for a change
	IntentFound        = "intent.found"        // an own one that the node didn't know any more
	DealRecovering     = "deal.recovering"     // not all that was signed with one's key is known
	RecordReceived     = "record.received"     // of a type that this program doesn't know
	SellerMoved        = "seller.moved"        // a profile says that its seller had another key before
	WriterSeen         = "writer.seen"         // another node signs as this one's seller
	DealChanged        = "deal.changed"        // a record came or went out, the phase may be new
	DeliveryStored     = "delivery.stored"     // a mailbox has taken custody
	DeliveryPersisted  = "delivery.persisted"  // the recipient has it on its disk
	DeliveryFailed     = "delivery.failed"     // it is tried again
	Erased             = "erased"              // something was erased here, at the person's word or at the end of its time
	NoticeReceived     = "notice.received"     // the other side says what it has erased and what it keeps
	Lagged             = "lagged"              // this watcher was too slow and missed some
)

// backlog is how many events a slow watcher may be behind.
const backlog = 256

// Bus passes events on to all who watch. The zero value is ready.
type Bus struct {
	mu       sync.Mutex
	watchers map[*watcher]struct{}
}

type watcher struct {
	ch     chan Event
	missed bool
}

// Publish passes e on and never waits.
func (b *Bus) Publish(e Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for w := range b.watchers {
		if w.missed {
			if len(w.ch) > cap(w.ch)-2 {
				continue // nothing comes before the word that something is missing
			}
			w.ch <- Event{At: e.At, Kind: Lagged, Text: "Some events were missed: this watcher was too slow."}
			w.missed = false
		}
		select {
		case w.ch <- e:
		default:
			w.missed = true
		}
	}
}

// Watch returns the events from now on; stop ends it and closes the channel.
func (b *Bus) Watch() (events <-chan Event, stop func()) {
	w := &watcher{ch: make(chan Event, backlog)}
	b.mu.Lock()
	if b.watchers == nil {
		b.watchers = map[*watcher]struct{}{}
	}
	b.watchers[w] = struct{}{}
	b.mu.Unlock()
	var once sync.Once
	return w.ch, func() {
		once.Do(func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			delete(b.watchers, w)
			close(w.ch)
		})
	}
}
