// Package store is the node's view of all records: a Badger database with
// indexes, quotas and tombstones.
//
// It is a view. What must never be lost stands in the ledger; what gossip
// brought can be fetched again. Writes are therefore not synced, and a folder
// that is damaged or of an older schema is dropped and filled anew: [Open] says
// so with a [RebuildError]. What the view gives it gives right: every record
// that leaves it has been hashed against its ID.
//
// Badger keeps values of up to 1 MiB in its LSM tree here, and a record is at
// most 60 KiB, so nothing but Badger's own bookkeeping ever reaches the value
// log and there is no value log to collect. Deleted rows go with compaction,
// which Badger runs by itself; that is housekeeping, not erasure.
//
// All methods are safe for concurrent use. Times are Unix seconds, UTC, and
// always arguments.
package store
