// Package vault holds a home's data key: the random key from which all keys for
// things at rest derive. One small file has it, twice: in clear where nothing is
// set, or under a passphrase (Argon2id), or under a key in the system's keyring.
// Everything is encrypted from the first start on, so that setting a passphrase
// later rewrites nothing but this file.
//
// A data key that once lay there in clear may survive on the raw disk: an SSD, a
// file system that copies on write, a snapshot or a backup may hold the old file.
// Whoever had a copy of it opens what is under it, whatever was set since.
package vault
