package mailbox

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// Health is how a mailbox has behaved to this node since it started.
type Health struct {
	Mailbox peer.ID
	Worked  time.Time // when it last did what it was asked, zero: never
	Failed  time.Time // when it last didn't, zero: never
	Fails   int       // in a row
	Err     error     // of the last failure
}

// Down tells whether a mailbox is not to be counted on at present.
func (h Health) Down() bool { return h.Fails >= 3 }

// healthKeys is how many mailboxes are remembered.
const healthKeys = 1024

// health remembers how mailboxes behave.
type health struct {
	mu    sync.Mutex
	boxes map[peer.ID]Health
}

func newHealth() *health { return &health{boxes: make(map[peer.ID]Health)} }

// note takes an outcome down.
func (h *health) note(id peer.ID, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	box, known := h.boxes[id]
	if !known && len(h.boxes) >= healthKeys {
		for other := range h.boxes {
			delete(h.boxes, other)
			break
		}
	}
	box.Mailbox = id
	if err == nil {
		box.Worked, box.Fails, box.Err = time.Now(), 0, nil
	} else {
		box.Failed, box.Err = time.Now(), err
		box.Fails++
	}
	h.boxes[id] = box
}

// Health tells how the mailboxes have behaved that this node has used since it
// started, by their IDs.
func (c *Client) Health() []Health {
	c.health.mu.Lock()
	defer c.health.mu.Unlock()
	all := make([]Health, 0, len(c.health.boxes))
	for _, box := range c.health.boxes {
		all = append(all, box)
	}
	slices.SortFunc(all, func(a, b Health) int { return cmp.Compare(a.Mailbox, b.Mailbox) })
	return all
}

// HealthOf tells how one of them has behaved; the zero Health is that of an
// unknown one.
func (c *Client) HealthOf(id peer.ID) Health {
	c.health.mu.Lock()
	defer c.health.mu.Unlock()
	return c.health.boxes[id]
}
