// Package ledger is the node's memory of what nothing else can rebuild: an
// append-only log that never loses what it acknowledged and never passes off
// damage as the end of the log.
//
// # Durability in one round
//
// A commit writes its group of frames to the log and a copy of the same bytes,
// with their place and the hash chain's state, to the mark file; both are
// fsynced at the same time and [Ledger.Append] returns when both are done. So a
// commit costs one round of fsync, and the mark says how far the log was when
// it was last acknowledged:
//
//   - the log before the mark must verify whole; anything else is damage and
//     stops the start with a [DamageError];
//   - the mark's own group, if the log hasn't got it (the other file was faster
//     when the power went), is put back from the mark;
//   - what follows the mark was never acknowledged: whole batches are kept,
//     and only there a torn rest is cut.
//
// The mark file has two slots that are written in turn, so a torn mark leaves
// the one before it. A power cut can't spoil both; if neither verifies, that is
// damage. A group too large for a slot is synced in the log first and marked
// afterwards: two rounds.
//
// The copy starts at a page boundary of the log, so that a page which is torn
// while it is written can't take acknowledged bytes of an earlier group with it.
//
// # After an error
//
// A failed write or fsync stops the ledger: the kernel may have thrown the
// pages away and a second fsync that succeeds proves nothing. Every later
// Append fails with [ErrStopped] until the ledger is opened again; Open writes
// the last group anew before it trusts it. The exception is a disk that is full
// before anything of the group is durable: the group is taken back and Append
// works again once there is room.
package ledger
