package ledger

import (
	"context"
	"fmt"
	"slices"

	"github.com/parley-protocol/parley/node/failpoint"
	"github.com/parley-protocol/parley/node/ledger/disk"
	"github.com/parley-protocol/parley/protocol"
)

// MaxBatch is how many bytes the frames of one Append may take, payloads and
// 60 bytes for each.
const MaxBatch = 16 << 20

// request is one call of Append on its way into the log.
type request struct {
	payloads [][]byte
	size     int           // of its frames in bytes
	done     chan struct{} // closed once first and err are set
	first    uint64
	err      error
}

func (r *request) finish(first uint64, err error) {
	r.first, r.err = first, err
	close(r.done)
}

// Append stores entries, all of them or none, and returns the sequence number
// of the first; the others follow it. When it returns without an error they are
// durable. Concurrent calls share one commit.
//
// Cancelling ctx takes effect until the commit begins; after that Append waits
// for it. Errors: the code usage for no payload, too_large for one over
// [MaxPayload] or all over [MaxBatch], disk_full when there was no room and
// nothing was stored, [ErrUncertain], [ErrStopped], [ErrClosed].
func (l *Ledger) Append(ctx context.Context, payloads ...[]byte) (first uint64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	size, err := batchSize(payloads)
	if err != nil {
		return 0, err
	}
	if l.room != nil {
		if err := l.room(); err != nil {
			return 0, err
		}
	}
	r := &request{payloads: payloads, size: size, done: make(chan struct{})}
	if err := l.enqueue(r); err != nil {
		return 0, err
	}
	select {
	case l.turn <- struct{}{}:
		l.commitUntil(r)
		<-l.turn
	case <-r.done:
	case <-ctx.Done():
		if l.withdraw(r) {
			return 0, ctx.Err()
		}
		<-r.done // a commit has it already
	}
	return r.first, r.err
}

func batchSize(payloads [][]byte) (int, error) {
	if len(payloads) == 0 {
		return 0, protocol.Errorf(protocol.CodeUsage, "", "the ledger was given nothing to append")
	}
	size := 0
	for _, p := range payloads {
		if len(p) > MaxPayload {
			return 0, protocol.Errorf(protocol.CodeTooLarge, "", "an entry of %d bytes; the ledger takes %d", len(p), MaxPayload)
		}
		size += frameOverhead + len(p)
	}
	if size > MaxBatch {
		return 0, protocol.Errorf(protocol.CodeTooLarge, "", "a batch of %d bytes; the ledger takes %d", size, MaxBatch)
	}
	return size, nil
}

func (l *Ledger) enqueue(r *request) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.unusable(); err != nil {
		return err
	}
	l.queue = append(l.queue, r)
	return nil
}

// unusable is why nothing can be appended. The caller holds mu.
func (l *Ledger) unusable() error {
	if l.closed {
		return ErrClosed
	}
	if l.broken != nil {
		return fmt.Errorf("%w: %w", ErrStopped, l.broken)
	}
	return nil
}

// withdraw takes a request out of the queue, unless a commit has it already.
func (l *Ledger) withdraw(r *request) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.queue, r)
	if i < 0 {
		return false
	}
	l.queue = slices.Delete(l.queue, i, i+1)
	return true
}

// commitUntil commits what is queued, group by group, until r is done. The
// caller holds the turn.
func (l *Ledger) commitUntil(r *request) {
	for {
		select {
		case <-r.done:
			return
		default:
			l.commitNext()
		}
	}
}

// commitNext commits one group: as many queued requests, in order, as fit one
// slot of the mark file, and at least one.
func (l *Ledger) commitNext() {
	l.mu.Lock()
	n, size := 0, 0
	for n < len(l.queue) && (n == 0 || size+l.queue[n].size <= maxGroup) {
		size += l.queue[n].size
		n++
	}
	group := slices.Clone(l.queue[:n])
	l.queue = slices.Delete(l.queue, 0, n)
	start, err := l.end, l.unusable()
	l.mu.Unlock()

	var end cursor
	var index []cursor
	if err == nil {
		end, index, err = l.commit(start, group, size)
	}
	if err == nil {
		l.mu.Lock()
		l.end = end
		l.index = append(l.index, index...)
		l.mu.Unlock()
	}
	first := start.seq
	for _, r := range group {
		if err != nil {
			r.finish(0, err)
			continue
		}
		r.finish(first, nil)
		first += uint64(len(r.payloads))
	}
}

// commit makes a group durable that starts at the log's end. It returns the new
// end and what the index gains.
func (l *Ledger) commit(start cursor, group []*request, size int) (end cursor, index []cursor, err error) {
	span := make([]byte, 0, len(l.tail)+size)
	span = append(span, l.tail...)
	end = start
	for _, r := range group {
		for i, payload := range r.payloads {
			if (end.seq-l.first.seq)%indexStep == 0 {
				index = append(index, end)
			}
			span, end = appendFrame(span, end, payload, i == len(r.payloads)-1)
		}
	}
	next := l.markOf(start, end, span)
	if err := l.writeGroup(start, span[len(l.tail):]); err != nil {
		return cursor{}, nil, err
	}
	if size <= maxGroup {
		err = l.syncBoth(next)
	} else {
		err = l.syncInTurn(next)
	}
	if err != nil {
		return cursor{}, nil, l.stop(err)
	}
	l.tail = slices.Clone(span[pageOf(end.offset)-pageOf(start.offset):])
	return end, index, nil
}

// markOf is the mark for a group. span is the log's bytes from the page in
// which the group starts to the group's end.
func (l *Ledger) markOf(group, end cursor, span []byte) mark {
	m := mark{
		segment:    firstSegment,
		id:         l.id,
		generation: l.generation + 1,
		group:      group,
		end:        end,
		copyFrom:   pageOf(group.offset),
		copied:     span,
	}
	if end.offset-group.offset > maxGroup {
		// No room for the group; its last page is still copied, because the
		// next group may tear that.
		m.copyFrom = pageOf(end.offset)
		m.copied = span[m.copyFrom-pageOf(group.offset):]
	}
	return m
}

// writeGroup writes a group's frames to the log, not durably yet. A full disk
// is no reason to stop: nothing of the group is marked, so it is taken back.
func (l *Ledger) writeGroup(start cursor, frames []byte) error {
	failpoint.Hit("ledger/before-write-log")
	_, err := l.log.WriteAt(frames, start.offset)
	failpoint.Hit("ledger/after-write-log")
	if err == nil {
		return nil
	}
	if !disk.IsFull(err) {
		return l.stop(diskError(err, "the log can't be written"))
	}
	if back := l.takeBack(start); back != nil {
		return l.stop(diskError(back, "the disk is full, and the log's torn end can't be cut"))
	}
	return diskError(err, "the ledger has no room for the entry")
}

// takeBack cuts the log to where a group started, durably: its first frames may
// be whole, and must not come back after a power cut when the caller was told
// that they weren't stored.
func (l *Ledger) takeBack(start cursor) error {
	if err := l.log.Truncate(start.offset); err != nil {
		return err
	}
	failpoint.Hit("ledger/before-fsync-taken-back")
	if err := l.log.Sync(); err != nil {
		return err
	}
	failpoint.Hit("ledger/after-fsync-taken-back")
	return nil
}

// syncBoth writes the mark and makes log and mark durable in one round.
func (l *Ledger) syncBoth(m mark) error {
	if err := l.writeMark(m); err != nil {
		return err
	}
	failpoint.Hit("ledger/before-fsync")
	marked := make(chan error, 1)
	go func() { marked <- l.marks.Sync() }()
	errLog, errMark := l.log.Sync(), <-marked
	if errLog != nil {
		return diskError(errLog, "the log can't be synced")
	}
	if errMark != nil {
		return diskError(errMark, "the mark can't be synced")
	}
	failpoint.Hit("ledger/after-fsync")
	l.generation = m.generation
	l.syncs.Add(1)
	return nil
}

// syncInTurn makes the log durable and then the mark, which hasn't got a copy.
func (l *Ledger) syncInTurn(m mark) error {
	failpoint.Hit("ledger/before-fsync-log")
	if err := l.log.Sync(); err != nil {
		return diskError(err, "the log can't be synced")
	}
	l.syncs.Add(1)
	failpoint.Hit("ledger/after-fsync-log")
	if err := l.settleMark(m); err != nil {
		return err
	}
	l.syncs.Add(1)
	return nil
}

// writeMark writes a mark into its slot, not durably yet.
func (l *Ledger) writeMark(m mark) error {
	failpoint.Hit("ledger/before-write-mark")
	if _, err := l.marks.WriteAt(m.encode(), slot(m.generation)); err != nil {
		return diskError(err, "the mark can't be written")
	}
	failpoint.Hit("ledger/after-write-mark")
	return nil
}

// stop keeps every later call from appending. It returns the error for the
// calls whose group failed.
func (l *Ledger) stop(cause error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = cause
	return fmt.Errorf("%w: %w", ErrUncertain, cause)
}
