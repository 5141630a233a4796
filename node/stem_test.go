package node_test

import (
	"testing"

	"github.com/parley-protocol/parley/node/book"
	"github.com/parley-protocol/parley/node/config"
)

// A request goes to its market through another node, which is told nothing of
// whose it is; once the market has it, it isn't published again after a restart.
// Turned off, it goes straight to the market.
func TestRequestsGoAlongTheStem(t *testing.T) {
	for _, on := range []bool{true, false} {
		seller := start(t, t.TempDir(), nil)
		dir := t.TempDir()
		set := func(c *config.Config) { c.Stem = on }
		customer := start(t, dir, set)
		join(t, seller, seller)
		join(t, customer, seller)
		intent, err := customer.Desk.PublishIntent(t.Context(), request())
		if err != nil {
			t.Fatal(err)
		}
		until(t, seller, "the seller sees the request", func() bool { return seller.Desk.Known(intent.ID()) })
		until(t, customer, "the market has it", func() bool {
			return customer.Desk.Book().Receipted(book.Delivery{Record: intent.ID(), To: book.Market})
		})
		if taken := seller.Stem.Stats().Taken; (taken == 1) != on {
			t.Errorf("with the stem %v the seller's node was handed %d requests", on, taken)
		}
		if err := customer.Close(); err != nil {
			t.Fatal(err)
		}
		customer = start(t, dir, set)
		if customer.Desk.OnItsWay(intent) {
			t.Error("after a restart it is on its way again")
		}
	}
}
