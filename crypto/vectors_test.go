package crypto_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/spec/vectors"
	"github.com/parley-protocol/parley/spec/vectors/vectorstest"
)

func TestVectorsOfDIDs(t *testing.T) {
	vectorstest.Run(t, "did", func(t *testing.T, c vectors.Case, in struct{ DID string }) (any, string) {
		did, err := crypto.ParseDID(in.DID)
		if err != nil {
			return nil, "bad_key"
		}
		return map[string]any{"key": vectors.Hex(did.PublicKey())}, ""
	})
}

func TestVectorsOfSignatures(t *testing.T) {
	type signature struct{ Key, Message, Signature vectors.Hex }
	vectorstest.Run(t, "signature", func(t *testing.T, c vectors.Case, in signature) (any, string) {
		return map[string]bool{"valid": crypto.Verify([]byte(in.Key), in.Message, in.Signature)}, ""
	})
}

func TestVectorsOfPhrases(t *testing.T) {
	type phrase struct {
		Words  string
		Device uint32
	}
	vectorstest.Run(t, "phrase", func(t *testing.T, c vectors.Case, in phrase) (any, string) {
		p, err := crypto.ParsePhrase(in.Words)
		if err != nil {
			return map[string]bool{"valid": false}, ""
		}
		// Entropy, seed and root aren't to be had; the branches come from them.
		out := expected(t, c)
		for key, kind := range map[string]crypto.BranchKind{"customerBranch": crypto.BranchCustomer, "personaBranch": crypto.BranchPersona} {
			b := p.Root().Branch(kind, in.Device).Bytes()
			out[key] = vectors.Hex(b[:])
		}
		out["valid"] = true
		return out, ""
	})
}

type derivedIn struct {
	Seed   vectors.Hex
	Device uint32
	Salt   vectors.Hex
	N      uint32
	Vendor string
}

// The keys are derived from the branch that the case gives; that it comes from
// the seed is for the vectors of phrases.
func branchOf(t *testing.T, c vectors.Case) crypto.Branch {
	t.Helper()
	text, _ := expected(t, c)["branch"].(string)
	return crypto.BranchFromBytes([32]byte(unhex(t, text)))
}

func TestVectorsOfIntentKeys(t *testing.T) {
	vectorstest.Run(t, "intent-key", func(t *testing.T, c vectors.Case, in derivedIn) (any, string) {
		return keyOut(t, c, branchOf(t, c).IntentKey([32]byte(in.Salt))), ""
	})
}

func TestVectorsOfIntentSalts(t *testing.T) {
	vectorstest.Run(t, "intent-salt", func(t *testing.T, c vectors.Case, in struct{ Random vectors.Hex }) (any, string) {
		branch := branchOf(t, c)
		raw, salt := branch.Bytes(), branch.IntentSalt([16]byte(in.Random))
		other := salt
		other[31]++
		if !branch.MadeSalt(salt) || branch.MadeSalt(other) || branch.MadeSalt([32]byte(raw)) {
			t.Error("a branch doesn't know its own salts from others")
		}
		return map[string]any{"branch": vectors.Hex(raw[:]), "salt": vectors.Hex(salt[:])}, ""
	})
}

func TestVectorsOfPersonaKeys(t *testing.T) {
	vectorstest.Run(t, "persona-key", func(t *testing.T, c vectors.Case, in derivedIn) (any, string) {
		out := keyOut(t, c, branchOf(t, c).PersonaKey(in.N))
		next := crypto.KeyCommitment(branchOf(t, c).PersonaKey(in.N + 1).PublicKey())
		out["nextKey"] = vectors.Hex(next[:])
		return out, ""
	})
}

func TestVectorsOfRelationshipKeys(t *testing.T) {
	vectorstest.Run(t, "relationship-key", func(t *testing.T, c vectors.Case, in derivedIn) (any, string) {
		return keyOut(t, c, branchOf(t, c).RelationshipKey(crypto.DID(in.Vendor))), ""
	})
}

func TestVectorsOfAssertionKeys(t *testing.T) {
	vectorstest.Run(t, "assertion-key", func(t *testing.T, c vectors.Case, in derivedIn) (any, string) {
		return keyOut(t, c, branchOf(t, c).AssertionKey([32]byte(in.Salt))), ""
	})
}

func keyOut(t *testing.T, c vectors.Case, key *crypto.SigningKey) map[string]any {
	out := expected(t, c)
	secret := key.Seed()
	out["secret"], out["key"], out["did"] = vectors.Hex(secret[:]), vectors.Hex(key.PublicKey()), key.DID().String()
	return out
}

func TestVectorsOfSealingKeys(t *testing.T) {
	type sealingKey struct {
		Seed  vectors.Hex
		Suite crypto.Suite
	}
	vectorstest.Run(t, "sealing-key", func(t *testing.T, c vectors.Case, in sealingKey) (any, string) {
		seed := crypto.SealingSeed(in.Seed)
		public, err := seed.PublicKey(in.Suite)
		if err != nil {
			t.Fatal(err)
		}
		pickup, token := seed.PickupKey(), seed.Token()
		pickupSeed := pickup.Seed()
		// The input of DeriveKeyPair and the private key stay inside.
		out := expected(t, c)
		out["public"], out["pickupKey"] = vectors.Hex(public), vectors.Hex(pickup.PublicKey())
		out["pickupSeed"], out["token"] = vectors.Hex(pickupSeed[:]), vectors.Hex(token[:])
		return out, ""
	})
}

func TestVectorsOfEnvelopes(t *testing.T) {
	type envelope struct{ Seed, Envelope vectors.Hex }
	vectorstest.Run(t, "envelope", func(t *testing.T, c vectors.Case, in envelope) (any, string) {
		payload, err := crypto.SealingSeed(in.Seed).Open(in.Envelope)
		switch {
		case errors.Is(err, crypto.ErrSealUnknownSuite):
			return nil, "seal_unknown_suite"
		case errors.Is(err, crypto.ErrSealMalformed):
			return nil, "seal_malformed"
		case errors.Is(err, crypto.ErrSealOpen):
			return nil, "seal_open_failed"
		case err != nil:
			t.Fatal(err)
		}
		id := sha256.Sum256(in.Envelope)
		return map[string]any{"id": vectors.Hex(id[:]), "payload": vectors.Hex(payload)}, ""
	})
}

// Sealing draws its own ephemeral key, so what was sealed with a given one is
// opened, and what is sealed here has the same form.
func TestVectorsOfSealing(t *testing.T) {
	type seal struct {
		Suite           crypto.Suite
		Public, Payload vectors.Hex
	}
	seeds := sealingSeeds(t)
	vectorstest.Run(t, "seal", func(t *testing.T, c vectors.Case, in seal) (any, string) {
		envelope := unhex(t, expected(t, c)["envelope"].(string))
		payload, err := seeds[string(in.Public)].Open(envelope)
		if err != nil || !bytes.Equal(payload, in.Payload) {
			t.Errorf("opened as %x, %v", payload, err)
		}
		again, err := crypto.Seal(in.Suite, in.Public, in.Payload)
		if err != nil || len(again) != len(envelope) || binary.BigEndian.Uint16(again) != binary.BigEndian.Uint16(envelope) {
			t.Errorf("sealed in %d bytes, %v; want %d", len(again), err, len(envelope))
		}
		return map[string]any{"envelope": vectors.Hex(envelope)}, ""
	})
}

// sealingSeeds is the seeds of the sealing keys' vectors, by public key.
func sealingSeeds(t *testing.T) map[string]crypto.SealingSeed {
	t.Helper()
	seeds := map[string]crypto.SealingSeed{}
	vectorstest.Run(t, "sealing-key", func(t *testing.T, c vectors.Case, in struct{ Seed vectors.Hex }) (any, string) {
		out := expected(t, c)
		seeds[string(unhex(t, out["public"].(string)))] = crypto.SealingSeed(in.Seed)
		return out, ""
	})
	return seeds
}

// expected is the case's out, for what the package doesn't show.
func expected(t *testing.T, c vectors.Case) map[string]any {
	t.Helper()
	out, err := c.Expected()
	if err != nil {
		t.Fatal(err)
	}
	return out
}
