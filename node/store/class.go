package store

import "fmt"

// Class says how much a record matters to this node. It only ever rises.
type Class uint8

// The classes, from the least to the most.
const (
	ClassForeign Class = 1 // brought by gossip: bounded by quotas, evicted, expired
	ClassDeal    Class = 2 // the other side's words in a deal of one's own
	ClassOwn     Class = 3 // one's own words: only [Store.Delete] removes them
)

// String is the word for the class in logs and in the API's JSON.
func (c Class) String() string {
	switch c {
	case ClassForeign:
		return "foreign"
	case ClassDeal:
		return "deal"
	case ClassOwn:
		return "own"
	default:
		return fmt.Sprintf("class(%d)", uint8(c))
	}
}

func (c Class) valid() bool { return c >= ClassForeign && c <= ClassOwn }
