package desk

import (
	"context"

	"github.com/parley-protocol/parley/node/keyring"
)

// destroyEvery is how often seeds are looked through, in seconds: each time the
// file of secrets is rewritten whole.
const destroyEvery = 3600

// destroyStale destroys the sealing seeds behind the addresses at which nothing
// has been expected for a while: whoever gets hold of this node later can't open
// what was sealed to them ([KEY-16]). Nobody listens there any more.
func (d *Desk) destroyStale(ctx context.Context) {
	now := d.now()
	if now < d.destroyed.Load()+destroyEvery {
		return
	}
	var stale []keyring.KeyID
	for _, addr := range d.book.Addresses() {
		if addr.Seed == (keyring.KeyID{}) || d.expects(addr.Record, now-lateFor) {
			continue
		}
		if _, err := d.keys.Get(addr.Seed); err == nil {
			stale = append(stale, addr.Seed)
		}
	}
	if len(stale) > 0 {
		if err := d.keys.Destroy(ctx, stale...); err != nil {
			if ctx.Err() == nil {
				d.cfg.Log.Error("the keys of old addresses could not be destroyed yet", "error", err)
			}
			return
		}
	}
	d.destroyed.Store(now)
}
