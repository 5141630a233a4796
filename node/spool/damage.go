package spool

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Damage is a blob that was acknowledged and can't be given out any more.
type Damage struct {
	Path    string    // of its file; of the spool's folder when the file has vanished
	Arrival uint64    // its number
	Expires time.Time // until when it would have been kept
	What    string    // what is wrong
}

// Damaged lists what Open has missed and what Get has found damaged, in the order
// in which the blobs came, until it has expired, was deleted or came again.
func (s *Spool) Damaged() []Damage {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	maps.DeleteFunc(s.damaged, func(_ string, d Damage) bool { return !d.Expires.After(now) })
	return slices.SortedFunc(maps.Values(s.damaged), func(a, b Damage) int { return cmp.Compare(a.Arrival, b.Arrival) })
}

func (s *Spool) isSpoilt(info Info) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, spoilt := s.damaged[info.key()]
	return spoilt
}

// spoilt notes that a blob's file isn't what was put.
func (s *Spool) spoilt(info Info, path, what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.buckets[info.Bucket]; b != nil && b.byID[info.ID].Arrival == info.Arrival {
		s.damaged[info.key()] = Damage{Path: path, Arrival: info.Arrival, Expires: info.Expires, What: what}
	}
}
