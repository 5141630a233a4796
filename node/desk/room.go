package desk

import (
	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
	"github.com/parley-protocol/parley/protocol/record"
)

// The inbox has 256 places for each own intent and 256 for sealed requests. Keys
// cost nothing, so whoever has many could fill them all: a quarter is kept for
// people who are known here, and once the places fill up, those who aren't get
// few each. What is acknowledged stays: nobody is pushed out.
const (
	strangersPlaces = 192 // of the places, for authors who are no contacts
	crowdedPlaces   = 96  // taken: from here on a stranger gets few
	fewPlaces       = 2
)

// known tells whether the person has named an author, and hasn't blocked it, or
// whether it introduced itself.
func (d *Desk) known(did crypto.DID) bool {
	if len(d.book.Relationships()[did]) > 0 {
		return !d.Blocked(did)
	}
	return d.book.Setting(settingContact+string(did)) != "" && !d.Blocked(did)
}

// placeFor says why there is no place for one more record of an author, when so
// many places are taken, so many of them by this author.
func (d *Desk) placeFor(by crypto.DID, taken, own int) error {
	switch {
	case taken < crowdedPlaces || d.known(by):
		return nil
	case taken >= strangersPlaces:
		return protocol.Errorf(protocol.CodeMailboxFull, "", "%d records wait here; the places that are left are for people who are known", taken)
	case own >= fewPlaces:
		return protocol.Errorf(protocol.CodeOverQuota, "", "%d records of this author wait here, and the places are filling up", own)
	}
	return nil
}

// placeForRequest is placeFor a sealed request.
func (d *Desk) placeForRequest(rec *record.Record) error {
	if d.book.Has(rec.ID()) {
		return nil
	}
	taken, own := 0, 0
	for _, other := range d.book.Unanswered() {
		if other.Type() != protocol.TypeIntent {
			continue
		}
		taken++
		if other.Header().By == rec.Header().By {
			own++
		}
	}
	return d.placeFor(rec.Header().By, taken, own)
}
