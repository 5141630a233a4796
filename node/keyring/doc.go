// Package keyring keeps a home's secrets: the identity, and in one small file,
// rewritten whole, what can be destroyed: the sealing seeds, and the keys under
// which the ledger holds what belongs to one deal. Both files are sealed under
// the home's data key (node/vault) and kept twice (keyfile). The folder is 0700
// and the files are 0600; anything looser is refused, except on Windows, where
// these bits mean nothing.
//
// The phrase, the root and the persona branch are never written. What is on the
// disk can sign as today's persona and find the keys of this device's intents
// again; it can't rotate the persona's key.
//
// # Destroying
//
// [Keyring.Destroy] rewrites the file without a secret, writes zeros over the
// old files' bytes, and forgets it in memory. That is best effort: an SSD, a
// file system that copies on write, a snapshot, a backup or swap may still hold
// the old bytes, and on Windows the old file is only unlinked. Full-disk
// encryption is what protects against somebody who reads the raw disk.
package keyring
