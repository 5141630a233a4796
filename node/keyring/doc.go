// Package keyring keeps a home's secrets: the identity (one file, written once)
// and the sealing seeds (one small file, rewritten whole). The folder is 0700
// and the files are 0600; anything looser is refused, except on Windows, where
// these bits mean nothing.
//
// The phrase, the root and the persona branch are never written. What is on the
// disk can sign as today's persona and find the keys of this device's intents
// again; it can't rotate the persona's key.
//
// # Destroying
//
// [Keyring.Destroy] rewrites the file without a seed, writes zeros over the old
// file's bytes, and forgets the seed in memory. That is best effort: an SSD, a
// file system that copies on write, a snapshot, a backup or swap may still hold
// the old bytes, and on Windows the old file is only unlinked. Full-disk
// encryption is what protects against somebody who reads the raw disk.
package keyring
