package testnet_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley-protocol/parley/node/api"
	"github.com/parley-protocol/parley/testnet"
)

// simulate plays the story on simulated nodes.
func simulate(t *testing.T, play func(s story, sim *simulation)) {
	t.Helper()
	dir := memoryDir(t)
	synctest.Test(t, func(t *testing.T) {
		sim := newSimulation(t, dir)
		defer sim.close()
		s := story{t: t, members: sim.begin(cast()...)}
		s.joinMarket()
		play(s, sim)
	})
}

// The simulated network is told the same story as the processes are.
func TestSimulatedStory(t *testing.T) {
	simulate(t, func(s story, sim *simulation) {
		intent, agreement := s.firstAgreement()
		s.stopAndStart(intent, agreement)
	})
}

// Someone asks, closes the lid, and has the offers when it is open again, though
// the sellers are away by then; the acceptance goes to a mailbox's keeping, and
// the agreement is there when they come back.
func TestTheLidIsClosed(t *testing.T) {
	simulate(t, func(s story, sim *simulation) {
		intent, err := s.publish(tender(testnet.SampleTender()), "Library furniture")
		if err != nil {
			s.t.Fatal(err)
		}
		customer := s.members["customer"]
		// Whoever closes the lid says nothing to anybody.
		until(s, "north", "the request", api.Path("/v1/intents/%s", intent.ID), func(v api.Intent) bool { return v.ID == intent.ID })
		if err := customer.Kill(); err != nil {
			s.t.Fatal(err)
		}
		s.answer(intent)
		time.Sleep(10 * time.Minute)
		for _, seller := range []string{"north", "south"} {
			if err := s.members[seller].Stop(); err != nil {
				s.t.Fatal(err)
			}
		}
		if err := customer.Start(s.t.Context()); err != nil {
			s.t.Fatal(err)
		}
		s.poll("the offers", func() (bool, error) { err := s.accept(intent); return err == nil, err })
		for _, seller := range []string{"north", "south"} {
			if err := s.members[seller].Start(s.t.Context()); err != nil {
				s.t.Fatal(err)
			}
		}
		s.ending(intent)
		s.nothingOwed()
	})
}
