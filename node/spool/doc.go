// Package spool keeps bounded, expiring blobs that were acknowledged to
// somebody: a mailbox's envelopes, and strangers' offers that wait for a person.
//
// Every blob is a file of its own under one of 256 folders, with a checksum
// over its content and all that its name says. The name carries what the index
// needs, so opening reads names alone. Put returns when the file and its name
// are durable; deleting isn't synced, so after a power cut a deleted blob may
// be back until it is deleted again or expires.
package spool
