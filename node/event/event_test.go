package event

import (
	"fmt"
	"sync"
	"testing"
)

func TestEveryWatcherHearsAll(t *testing.T) {
	var b Bus
	b.Publish(Event{Kind: "before"}) // nobody watches yet
	one, stopOne := b.Watch()
	two, stopTwo := b.Watch()
	defer stopTwo()
	b.Publish(Event{Kind: "a"})
	stopOne()
	stopOne() // harmless
	b.Publish(Event{Kind: "b"})
	if e := <-one; e.Kind != "a" {
		t.Errorf("%+v", e)
	}
	if _, open := <-one; open {
		t.Error("a stopped watcher still hears")
	}
	for _, want := range []string{"a", "b"} {
		if e := <-two; e.Kind != want {
			t.Errorf("%+v, want %s", e, want)
		}
	}
}

// A slow watcher is told where something is missing, before anything that came
// after it.
func TestSlowWatcherIsTold(t *testing.T) {
	var b Bus
	events, stop := b.Watch()
	defer stop()
	publish := func(from, to int) {
		for i := from; i < to; i++ {
			b.Publish(Event{Kind: fmt.Sprint(i)})
		}
	}
	publish(0, backlog+10)
	next := func() string { return (<-events).Kind }
	if k := next(); k != "0" {
		t.Fatalf("first %s", k)
	}
	publish(backlog+10, backlog+11) // one place is not enough for the word and an event
	next()
	publish(backlog+11, backlog+12)
	for i := 2; i < backlog; i++ {
		if k := next(); k != fmt.Sprint(i) {
			t.Fatalf("%s, want %d", k, i)
		}
	}
	if k := next(); k != Lagged {
		t.Errorf("%s, want %s", k, Lagged)
	}
	if k := next(); k != fmt.Sprint(backlog+11) {
		t.Errorf("%s", k)
	}
	if n := len(events); n != 0 {
		t.Errorf("%d events more", n)
	}
}

func TestWatchAndPublishAtOnce(t *testing.T) {
	var b Bus
	var work sync.WaitGroup
	for range 4 {
		work.Go(func() {
			for range 200 {
				b.Publish(Event{Kind: "a"})
			}
		})
		work.Go(func() {
			for range 50 {
				_, stop := b.Watch()
				stop()
			}
		})
	}
	work.Wait()
	if len(b.watchers) != 0 {
		t.Errorf("%d watchers are left", len(b.watchers))
	}
}
