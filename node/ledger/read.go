package ledger

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
)

// Entry is what was appended, and its number.
type Entry struct {
	Seq     uint64 // from 1, without gaps
	Payload []byte // the reader's own
}

// All goes through the entries that were durable when the loop began, in order.
// Each is verified again; a [DamageError], or an error of the disk, ends the
// loop.
func (l *Ledger) All() iter.Seq2[Entry, error] { return l.From(1) }

// From is All from a sequence number on.
func (l *Ledger) From(seq uint64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		start, end, err := l.locate(seq)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		s := newScanner(l.log, start, end)
		for {
			at := s.at
			f, err := s.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(Entry{}, l.readError(at, err))
				return
			}
			if at.seq < seq {
				continue
			}
			if !yield(Entry{Seq: at.seq, Payload: slices.Clone(f.payload)}, nil) {
				return
			}
		}
	}
}

// locate finds a position at or before an entry, and where the log ends.
func (l *Ledger) locate(seq uint64) (start cursor, end int64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return cursor{}, 0, ErrClosed
	}
	if seq >= l.end.seq {
		return l.end, l.end.offset, nil
	}
	start = l.first
	if seq > l.first.seq {
		start = l.index[(seq-l.first.seq)/indexStep]
	}
	return start, l.end.offset, nil
}

func (l *Ledger) readError(at cursor, err error) error {
	switch {
	case isFrameError(err):
		return damaged(l.path, at.offset, at.seq, "%v", err)
	case errors.Is(err, os.ErrClosed):
		return ErrClosed
	default:
		return diskError(err, fmt.Sprintf("the log can't be read near byte %d", at.offset))
	}
}

// Len is the number of entries, which is the sequence number of the last.
func (l *Ledger) Len() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.end.seq - l.first.seq
}

// Syncs is how many rounds of fsync the commits have taken since Open.
func (l *Ledger) Syncs() uint64 { return l.syncs.Load() }

// Err is why the ledger stopped taking entries, nil while it takes them.
func (l *Ledger) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.unusable()
}

// Close waits for the commit that is under way and closes the files. What was
// acknowledged is durable already; Close adds nothing to that. Calls after the
// first do nothing.
func (l *Ledger) Close() error {
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	l.mu.Lock()
	closed, queue := l.closed, l.queue
	l.closed, l.queue = true, nil
	l.mu.Unlock()
	if closed {
		return nil
	}
	for _, r := range queue {
		r.finish(0, ErrClosed)
	}
	return errors.Join(l.log.Close(), l.marks.Close())
}
