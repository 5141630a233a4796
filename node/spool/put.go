package spool

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"time"

	"github.com/parley-protocol/parley/node/ledger/disk"
	"github.com/parley-protocol/parley/protocol"
)

// Put stores a blob under a bucket and an ID until it expires. When it returns
// without an error the blob is durable. existed reports that the bucket had a
// blob of that ID already, which is kept as it was.
//
// A bucket's name is 1 to 64 lower-case hexadecimal digits. Errors by code:
// usage, too_large (over [MaxBlob]), expired, life_too_long (over
// Limits.MaxAge), mailbox_full (the bucket's limits), over_quota (the spool's),
// disk_full, internal; and ErrClosed, or ctx's error while it waits for another
// Put into the same bucket.
func (s *Spool) Put(ctx context.Context, bucket string, id ID, blob []byte, expires time.Time) (existed bool, err error) {
	if err := s.check(bucket, blob, expires); err != nil {
		return false, err
	}
	b, err := s.enter(ctx, bucket)
	if err != nil {
		return false, err
	}
	defer s.leave(bucket, b)

	info, existed, err := s.reserve(b, Info{
		Bucket: bucket, ID: id, Size: len(blob), Expires: expires.Truncate(time.Second).UTC(),
	})
	if err != nil {
		return false, err
	}
	if existed && !s.isSpoilt(info) {
		return true, nil
	}
	if existed { // it came again
		if err := s.remove(info); err != nil {
			return false, err
		}
		if info, _, err = s.reserve(b, info); err != nil {
			return false, err
		}
	}
	if err := s.store(info, blob); err != nil {
		s.mu.Lock()
		s.bytes -= int64(info.Size)
		s.mu.Unlock()
		return false, err
	}
	s.journal.note('+', info)
	s.mu.Lock()
	s.add(b, info)
	s.mu.Unlock()
	return false, nil
}

// check refuses what could never be put.
func (s *Spool) check(bucket string, blob []byte, expires time.Time) error {
	if !validBucket(bucket) {
		return protocol.Errorf(protocol.CodeUsage, "", "%q is not the name of a bucket", bucket)
	}
	if len(blob) > MaxBlob {
		return protocol.Errorf(protocol.CodeTooLarge, "", "a blob of %d bytes; the spool takes %d", len(blob), MaxBlob)
	}
	now := s.now()
	if expires.Unix() <= now.Unix() {
		return protocol.Errorf(protocol.CodeExpired, "", "the blob has expired at %s", expires.UTC().Format(time.RFC3339))
	}
	if s.limits.MaxAge > 0 && expires.After(now.Add(s.limits.MaxAge)) {
		return protocol.Errorf(protocol.CodeLifeTooLong, "", "the spool keeps a blob for %s at most", s.limits.MaxAge)
	}
	if s.room != nil {
		return s.room()
	}
	return nil
}

// enter waits for the turn to put into a bucket.
func (s *Spool) enter(ctx context.Context, name string) (*bucket, error) {
	s.mu.Lock()
	if err := s.unusable(); err != nil {
		s.mu.Unlock()
		return nil, err
	}
	b := s.bucket(name)
	b.users++
	s.mu.Unlock()
	select {
	case b.turn <- struct{}{}:
		return b, nil
	case <-ctx.Done():
		s.mu.Lock()
		defer s.mu.Unlock()
		b.users--
		s.forget(name, b)
		return nil, ctx.Err()
	}
}

// leave ends the turn.
func (s *Spool) leave(name string, b *bucket) {
	<-b.turn
	s.mu.Lock()
	defer s.mu.Unlock()
	b.users--
	s.forget(name, b)
}

// unusable is why nothing can be put. The caller holds mu.
func (s *Spool) unusable() error {
	if s.closed {
		return ErrClosed
	}
	return s.broken
}

// reserve counts a new blob in and gives it its number, if the limits have room
// for it.
func (s *Spool) reserve(b *bucket, info Info) (numbered Info, existed bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.unusable(); err != nil {
		return Info{}, false, err
	}
	if old, ok := b.byID[info.ID]; ok {
		return old, true, nil
	}
	size := int64(info.Size)
	if over(int64(len(b.blobs)), 1, int64(s.limits.PerBucketCount)) {
		return Info{}, false, protocol.Errorf(protocol.CodeMailboxFull, "",
			"%d blobs wait there already", len(b.blobs))
	}
	if over(b.bytes, size, s.limits.PerBucketBytes) {
		return Info{}, false, protocol.Errorf(protocol.CodeMailboxFull, "",
			"%d bytes wait there already and %d may", b.bytes, s.limits.PerBucketBytes)
	}
	if over(s.bytes, size, s.limits.TotalBytes) {
		return Info{}, false, protocol.Errorf(protocol.CodeOverQuota, "",
			"the spool holds %d bytes and may hold %d", s.bytes, s.limits.TotalBytes)
	}
	if s.arrival == math.MaxUint64 {
		return Info{}, false, protocol.Errorf(protocol.CodeInternal, "", "the spool has run out of numbers")
	}
	s.bytes += size
	s.arrival++
	info.Arrival = s.arrival
	return info, false, nil
}

// over reports whether used and more are above a limit; 0 is none.
func over(used, more, limit int64) bool { return limit > 0 && used+more > limit }

// store writes a blob's file: content first, then the name, so that a name
// stands for a whole file.
func (s *Spool) store(info Info, blob []byte) error {
	path := s.path(info)
	if err := disk.WriteTemp(s.fs, path+disk.TempSuffix, encodeFile(info, blob), 0o600, "spool/put"); err != nil {
		return diskError(err, "the blob can't be stored")
	}
	if err := disk.Publish(s.fs, path+disk.TempSuffix, path, "spool/put"); err != nil {
		renamed, unsure := disk.Exists(s.fs, path)
		_ = s.fs.Remove(path) // best effort: nobody was told that it is there
		if disk.IsFull(err) && !renamed && unsure == nil {
			_ = s.fs.Remove(path + disk.TempSuffix) // best effort: the next Open does it as well
			return diskError(err, "the blob can't be stored")
		}
		return s.stop(err)
	}
	return nil
}

// stop ends the taking of blobs: a name may or may not be durable, and the
// kernel may have forgotten that it isn't, so that no later sync of its folder
// can be believed.
func (s *Spool) stop(cause error) error {
	err := diskError(cause, "the blob's name can't be stored")
	s.mu.Lock()
	s.broken = fmt.Errorf("spool: stopped after a failed write: %w", err)
	s.mu.Unlock()
	return err
}

// Get reads a blob. Errors by code: not_found; damaged when the bytes aren't
// those that were put, which are never returned; unsupported_format; internal.
func (s *Spool) Get(ctx context.Context, bucket string, id ID) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	info, err := s.find(bucket, id)
	if err != nil {
		return nil, err
	}
	data, err := disk.ReadFile(s.fs, s.path(info), maxFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, gone := s.find(bucket, id); gone != nil {
			return nil, gone // deleted in the meantime
		}
		return nil, s.damagedBlob(info, err)
	case errors.Is(err, disk.ErrTooLong):
		return nil, s.damagedBlob(info, err)
	case err != nil:
		return nil, diskError(err, "the blob can't be read")
	}
	blob, err := decodeFile(info, data)
	if errors.Is(err, errFileVersion) {
		return nil, protocol.Errorf(protocol.CodeUnsupportedFormat, "", "%s: %w", s.path(info), err)
	}
	if err != nil {
		return nil, s.damagedBlob(info, err)
	}
	return blob, nil
}

func (s *Spool) damagedBlob(info Info, cause error) error {
	s.spoilt(info, s.path(info), cause.Error())
	e := protocol.Errorf(protocol.CodeDamaged, "", "%s: %w", s.path(info), cause)
	e.Hint = "The sender still has it unless you confirmed it: delete this copy and have it sent again."
	return e
}

func (s *Spool) find(bucket string, id ID) (Info, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return Info{}, ErrClosed
	}
	if b := s.buckets[bucket]; b != nil {
		if info, ok := b.byID[id]; ok {
			return info, nil
		}
	}
	return Info{}, protocol.Errorf(protocol.CodeNotFound, "", "bucket %s has no blob %s", bucket, id)
}

// Delete removes a blob. It gives the code not_found when there is none. Its file
// goes a little later; the removal isn't synced.
func (s *Spool) Delete(bucket string, id ID) error {
	info, err := s.find(bucket, id)
	if err != nil {
		return err
	}
	return s.remove(info)
}

// remove takes a blob out of the index and lets its file go.
func (s *Spool) remove(info Info) error {
	if !s.forgetBlob(info) {
		return nil
	}
	if err := s.release(info); err != nil {
		return diskError(err, "the blob can't be removed")
	}
	return nil
}

// forgetBlob takes a blob out of the index, if it is there.
func (s *Spool) forgetBlob(info Info) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buckets[info.Bucket]
	if b == nil || b.byID[info.ID].Arrival != info.Arrival {
		return false
	}
	s.drop(b, info)
	return true
}

// Sweep removes the blobs that have expired and returns how many. It goes on
// after a file that can't be removed and returns the first such error.
func (s *Spool) Sweep(now time.Time) (removed int, err error) {
	for _, info := range s.snapshot() {
		if info.Expires.After(now) {
			continue
		}
		if e := s.remove(info); e != nil {
			if err == nil {
				err = e
			}
			continue
		}
		removed++
	}
	return removed, err
}
