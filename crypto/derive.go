package crypto

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// The labels of spec/03-identifiers-and-keys.md and
// spec/04-sealing-and-mailboxes.md. Changing one loses every key under it.
const (
	rootSalt        = "parley/1"
	rootLabel       = "root"
	branchLabel     = "parley/1/branch"
	intentKeyLabel  = "parley/1/intent-key"
	intentSaltLabel = "parley/1/intent-salt"
	personaKeyLabel = "parley/1/persona-key"
	relationLabel   = "parley/1/relationship-key"
	assertionLabel  = "parley/1/assertion-key"
	sealingKeyLabel = "parley/1/sealing-key"
	pickupKeyLabel  = "parley/1/pickup-key"
	backupLabel     = "parley/1/backup"
	backupMACLabel  = "parley/1/backup-mac"
)

// BranchKind says what a branch of the root secret is for.
type BranchKind string

const (
	// BranchCustomer is the branch whose intents a device signs.
	BranchCustomer BranchKind = "customer"
	// BranchPersona is the branch of a seller's public persona.
	BranchPersona BranchKind = "persona"
)

// Root is the secret from which every branch derives. It exists while keys are
// set up or restored and is never stored.
type Root struct{ secret }

// Branch returns the branch of one kind for one device:
//
//	HKDF-SHA256(secret = root, salt = none,
//	  info = "parley/1/branch" ‖ 0x00 ‖ kind ‖ 0x00 ‖ uint32BE(device), 32 bytes)
//
// It panics on the zero Root and on a destroyed one.
func (r Root) Branch(kind BranchKind, device uint32) Branch {
	info := branchLabel + "\x00" + string(kind) + "\x00" + beUint32(device)
	return BranchFromBytes(derive(r.key("Root"), nil, info))
}

// BackupSeed returns the X25519 secret that opens a person's backups:
//
//	HKDF-SHA256(secret = root, salt = none, info = "parley/1/backup", 32 bytes)
//
// It panics on the zero Root and on a destroyed one.
func (r Root) BackupSeed() [SeedSize]byte { return derive(r.key("Root"), nil, backupLabel) }

// Branch is the secret of one device (customer) or of one persona. A customer
// branch is kept on the disk; a persona branch isn't, so that the thief of
// a disk can't compute the next persona key.
type Branch struct{ secret }

// BranchFromBytes returns the branch whose [Branch.Bytes] these are. Zero bytes,
// which can only come from a damaged file, give the zero Branch: check IsZero
// after reading one.
func BranchFromBytes(b [SeedSize]byte) Branch {
	if b == [SeedSize]byte{} {
		return Branch{}
	}
	return Branch{newSecret(b)}
}

// Bytes returns a copy of the secret, for a key file. It panics on the zero
// Branch and on a destroyed one.
func (b Branch) Bytes() [SeedSize]byte { return [SeedSize]byte(b.key("Branch")) }

// IntentKey returns the key that signs one intent:
//
//	seed = HKDF-SHA256(secret = branch, salt = the intent's public 32-byte salt,
//	  info = "parley/1/intent-key", 32 bytes)
//
// The salt stands in the intent, so a restored phrase finds the key again
// without a counter. It panics on the zero Branch and on a destroyed one.
func (b Branch) IntentKey(salt [32]byte) *SigningKey {
	return NewSigner(derive(b.key("Branch"), salt[:], intentKeyLabel))
}

// IntentSalt returns the public salt of a new intent, whose first half is random:
//
//	salt = random ‖ the first 16 bytes of HKDF-SHA256(secret = branch,
//	  salt = random, info = "parley/1/intent-salt", 32 bytes)
//
// To whoever hasn't the branch, all of it looks random. It panics on the zero
// Branch and on a destroyed one.
func (b Branch) IntentSalt(random [16]byte) (salt [32]byte) {
	mark := derive(b.key("Branch"), random[:], intentSaltLabel)
	copy(salt[:], random[:])
	copy(salt[len(random):], mark[:])
	return salt
}

// MadeSalt reports whether a salt comes from [Branch.IntentSalt]. A node asks it of
// every intent that it sees: to derive the key costs ten times as much. It panics on
// the zero Branch and on a destroyed one.
func (b Branch) MadeSalt(salt [32]byte) bool { return b.IntentSalt([16]byte(salt[:16])) == salt }

// BackupMAC returns the key under which a device authenticates its backups:
//
//	HKDF-SHA256(secret = branch, salt = none, info = "parley/1/backup-mac", 32 bytes)
//
// Anybody who knows the public recipient could encrypt something to it; only
// the device itself knows this key. It panics on the zero Branch and on
// a destroyed one.
func (b Branch) BackupMAC() [SeedSize]byte { return derive(b.key("Branch"), nil, backupMACLabel) }

// RelationshipKey returns the key under which one vendor knows this customer
// again:
//
//	seed = HKDF-SHA256(secret = branch, salt = none,
//	  info = "parley/1/relationship-key" ‖ 0x00 ‖ the vendor's DID, 32 bytes)
//
// vendor is the DID at the time of the first introduction; a later key of that
// vendor changes nothing. It panics on the zero Branch and on a destroyed one.
func (b Branch) RelationshipKey(vendor DID) *SigningKey {
	return NewSigner(derive(b.key("Branch"), nil, relationLabel+"\x00"+string(vendor)))
}

// AssertionKey returns the key that signs one chain of assertions:
//
//	seed = HKDF-SHA256(secret = branch, salt = the assertion's public 32-byte
//	  salt, info = "parley/1/assertion-key", 32 bytes)
//
// It panics on the zero Branch and on a destroyed one.
func (b Branch) AssertionKey(salt [32]byte) *SigningKey {
	return NewSigner(derive(b.key("Branch"), salt[:], assertionLabel))
}

// PersonaKey returns the persona's n-th key, counted from 0:
//
//	seed = HKDF-SHA256(secret = branch, salt = none,
//	  info = "parley/1/persona-key" ‖ 0x00 ‖ uint32BE(n), 32 bytes)
//
// It panics on the zero Branch and on a destroyed one.
func (b Branch) PersonaKey(n uint32) *SigningKey {
	return NewSigner(derive(b.key("Branch"), nil, personaKeyLabel+"\x00"+beUint32(n)))
}

// derive is HKDF-SHA256 (RFC 5869) with 32 bytes of output. An empty salt means
// the RFC's default of 32 zero bytes.
func derive(secret, salt []byte, info string) [SeedSize]byte {
	out, err := hkdf.Key(sha256.New, secret, salt, info, SeedSize)
	if err != nil {
		// Only a longer output or GODEBUG=fips140=only with a short secret can
		// fail, and every secret here has at least 32 bytes.
		panic(fmt.Sprintf("crypto: HKDF-SHA256: %v", err))
	}
	defer clear(out)
	return [SeedSize]byte(out)
}

func beUint32(n uint32) string {
	return string(binary.BigEndian.AppendUint32(nil, n))
}
