// Package crypto holds Parley's keys: how people and sellers are named, how
// their keys come from one recovery phrase, how records are signed and
// verified, and how messages are sealed to one recipient.
//
// Identifiers, derivation and signatures are specified in
// spec/03-identifiers-and-keys.md, sealing in spec/04-sealing-and-mailboxes.md.
// What is built on:
//
//   - did:key (W3C Credentials Community Group), Ed25519 keys only: [DID]
//   - RFC 8032 Ed25519, under the strict profile that [Verify] documents
//   - BIP-39, English, 24 words, no passphrase: [Phrase]
//   - RFC 5869 HKDF-SHA256 for every derived key: [Root], [Branch], [SealingSeed]
//   - RFC 9180 HPKE, base mode, with the KEMs of [SuiteX25519] and
//     [SuiteMLKEM768X25519]: [Seal] and [SealingSeed.Open]
//
// The package is pure: no disk, network, clock or goroutines. Its only outside
// input is the system's random source, through crypto/rand.
//
// # Secrets
//
// [Phrase], [Root], [Branch], [SigningKey] and [SealingSeed] print, log and
// format as "[redacted]" and refuse to be marshalled. All but SealingSeed keep
// their bytes behind a pointer, which fmt doesn't follow even where it can't
// call methods. A SealingSeed is its bytes: it must not sit in an unexported
// field of a struct that gets printed.
//
// Destroy overwrites a secret's own memory. It is best effort: copies that the
// runtime, the standard library or the system's swap have made stay until they
// are reused.
//
// # Errors
//
// Errors wrap one of the package's sentinels (ErrDID, ErrSealOpen, …), for
// errors.Is. No error text contains a secret, so all of them may be logged.
package crypto
