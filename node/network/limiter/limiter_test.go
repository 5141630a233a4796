package limiter

import (
	"fmt"
	"testing"
	"time"
)

func TestTake(t *testing.T) {
	l := New(2, 4, 8)
	now := time.Unix(1_700_000_000, 0)
	for i := range 4 {
		if _, ok := l.Take("a", 1, now); !ok {
			t.Fatalf("token %d of the burst was refused", i)
		}
	}
	wait, ok := l.Take("a", 1, now)
	if ok || wait != 500*time.Millisecond {
		t.Fatalf("an empty bucket gave (%v, %v), want (500ms, false)", wait, ok)
	}
	if _, ok := l.Take("b", 4, now); !ok {
		t.Error("another key was held to the first one's rate")
	}
	if _, ok := l.Take("a", 1, now.Add(wait)); !ok {
		t.Error("the token wasn't there after the time that was told")
	}
	if _, ok := l.Take("a", 1, now.Add(-time.Hour)); ok {
		t.Error("a clock that went back filled the bucket")
	}
	if _, ok := l.Take("c", 5, now); ok {
		t.Error("more than the burst was let through")
	}
}

func TestKeysAreBounded(t *testing.T) {
	l := New(1, 2, 16)
	now := time.Unix(1_700_000_000, 0)
	for i := range 1000 {
		l.Take(fmt.Sprint(i), 1, now)
		if len(l.buckets) > 16 {
			t.Fatalf("%d buckets, limit 16", len(l.buckets))
		}
	}
	// The full ones go before those that say something.
	l = New(1, 2, 2)
	l.Take("old", 1, now)
	l.Take("busy", 2, now.Add(time.Second))
	l.Take("new", 1, now.Add(time.Second))
	if _, ok := l.Take("busy", 1, now.Add(time.Second)); ok {
		t.Error("a drained bucket was forgotten while a full one could go")
	}
}
