package keyring

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"slices"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/node/keyring/keyfile"
	"github.com/parley-protocol/parley/node/ledger/disk"
	"github.com/parley-protocol/parley/node/vault"
	"github.com/parley-protocol/parley/protocol"
)

// Identity is who a home is. It prints as a placeholder.
type Identity struct {
	device      uint32
	customer    [crypto.SeedSize]byte
	persona     [crypto.SeedSize]byte
	commitment  [32]byte
	transport   [32]byte
	personaStep uint32
	retired     [][crypto.SeedSize]byte // the persona keys of before, number 0 first
}

// The content of the identity file, integers big-endian:
//
//	0   device, uint32
//	4   number of the persona key, uint32
//	8   customer branch, 32 bytes
//	40  seed of the persona key, 32 bytes
//	72  commitment to the next persona key, 32 bytes
//	104 seed of the transport key, 32 bytes
//	136 seeds of the persona keys of before, 32 bytes each, number 0 first
const identitySize = 136

// MaxPersona is the highest number of a persona key: the file stays small.
const MaxPersona = 64

// NewIdentity derives the identity of one device whose persona key has that
// number, 0 unless it was rotated. The transport key alone is random, because it
// must not be linkable to the others.
func NewIdentity(root crypto.Root, device, persona uint32) *Identity {
	customer := root.Branch(crypto.BranchCustomer, device)
	defer customer.Destroy()
	id := &Identity{device: device, customer: customer.Bytes(), personaStep: persona}
	for n := range persona {
		id.retired = append(id.retired, SuccessionOf(root, device, n).seed)
	}
	s := SuccessionOf(root, device, persona)
	id.persona, id.commitment = s.seed, s.commitment
	rand.Read(id.transport[:])
	return id
}

// Succession is a persona key with the commitment to the one after it. It prints
// as a placeholder.
type Succession struct {
	number           uint32
	seed, commitment [32]byte
}

// SuccessionOf derives the persona key of a number.
func SuccessionOf(root crypto.Root, device, number uint32) Succession {
	branch := root.Branch(crypto.BranchPersona, device)
	defer branch.Destroy()
	persona, next := branch.PersonaKey(number), branch.PersonaKey(number+1)
	defer persona.Destroy()
	defer next.Destroy()
	return Succession{number, persona.Seed(), crypto.KeyCommitment(next.PublicKey())}
}

// Bytes are what [ParseSuccession] reads. They are secret.
func (s Succession) Bytes() []byte {
	return slices.Concat(binary.BigEndian.AppendUint32(nil, s.number), s.seed[:], s.commitment[:])
}

// ParseSuccession is the reverse of Bytes.
func ParseSuccession(b []byte) (Succession, error) {
	if len(b) != 4+32+32 {
		return Succession{}, protocol.Errorf(protocol.CodeMalformed, "", "%d bytes are no succession", len(b))
	}
	return Succession{binary.BigEndian.Uint32(b), [32]byte(b[4:36]), [32]byte(b[36:])}, nil
}

// String is a placeholder.
func (s Succession) String() string { return redactedText }

// Format writes a placeholder for every verb.
func (s Succession) Format(f fmt.State, _ rune) { io.WriteString(f, redactedText) }

// LogValue gives log/slog a placeholder.
func (s Succession) LogValue() slog.Value { return slog.StringValue(redactedText) }

// succeed is the identity with the next persona key. Only the key that the
// identity has committed to is one.
func (id *Identity) succeed(s Succession) (*Identity, error) {
	key := crypto.NewSigner(s.seed)
	defer key.Destroy()
	if s.number != id.personaStep+1 || crypto.KeyCommitment(key.PublicKey()) != id.commitment {
		e := protocol.Errorf(protocol.CodeNotPermitted, "phrase", "this isn't the key that today's one has promised as its next")
		e.Hint = "The 24 words must be those that this node was set up with."
		return nil, e
	}
	if s.number > MaxPersona {
		return nil, protocol.Errorf(protocol.CodeOverQuota, "", "a persona has %d keys at most", MaxPersona+1)
	}
	next := *id
	next.retired = append(slices.Clone(id.retired), id.persona)
	next.personaStep, next.persona, next.commitment = s.number, s.seed, s.commitment
	return &next, nil
}

// Device is the number of this device; every device has branches of its own.
func (id *Identity) Device() uint32 { return id.device }

// Customer is the branch from which intents' keys come.
func (id *Identity) Customer() crypto.Branch { return crypto.BranchFromBytes(id.customer) }

// Persona is the public persona's key of today.
func (id *Identity) Persona() *crypto.SigningKey { return crypto.NewSigner(id.persona) }

// PersonaKey is the persona's key of that name: today's, or one of before, which
// signs nothing but what belongs to its own deals.
func (id *Identity) PersonaKey(did crypto.DID) (key *crypto.SigningKey, ok bool) {
	for _, seed := range append([][crypto.SeedSize]byte{id.persona}, id.retired...) {
		if key := crypto.NewSigner(seed); key.DID() == did {
			return key, true
		}
	}
	return nil, false
}

// Personas are the names of all of the persona's keys, number 0 first, today's
// last.
func (id *Identity) Personas() []crypto.DID {
	var out []crypto.DID
	for _, seed := range append(slices.Clone(id.retired), id.persona) {
		out = append(out, crypto.NewSigner(seed).DID())
	}
	return out
}

// PersonaNumber counts the persona's rotations; the first key is number 0.
func (id *Identity) PersonaNumber() uint32 { return id.personaStep }

// NextPersona is the SHA-256 of the public key that comes after today's.
func (id *Identity) NextPersona() [32]byte { return id.commitment }

// TransportSeed is the seed of the node's libp2p key, which is random and
// stands in no relation to the keys that sign records.
func (id *Identity) TransportSeed() [32]byte { return id.transport }

// String is a placeholder.
func (id *Identity) String() string { return redactedText }

// Format writes a placeholder for every verb.
func (id *Identity) Format(f fmt.State, _ rune) { io.WriteString(f, redactedText) }

// LogValue gives log/slog a placeholder.
func (id *Identity) LogValue() slog.Value { return slog.StringValue(redactedText) }

const redactedText = "[redacted]"

func (id *Identity) encode() []byte {
	b := make([]byte, 0, identitySize)
	b = binary.BigEndian.AppendUint32(b, id.device)
	b = binary.BigEndian.AppendUint32(b, id.personaStep)
	b = append(b, id.customer[:]...)
	b = append(b, id.persona[:]...)
	b = append(b, id.commitment[:]...)
	b = append(b, id.transport[:]...)
	for _, seed := range id.retired {
		b = append(b, seed[:]...)
	}
	return b
}

func decodeIdentity(b []byte) (*Identity, error) {
	if len(b) < identitySize {
		return nil, keyfile.ErrContent
	}
	id := &Identity{
		device:      binary.BigEndian.Uint32(b),
		personaStep: binary.BigEndian.Uint32(b[4:]),
		customer:    [32]byte(b[8:40]),
		persona:     [32]byte(b[40:72]),
		commitment:  [32]byte(b[72:104]),
		transport:   [32]byte(b[104:136]),
	}
	if b = b[identitySize:]; id.personaStep > MaxPersona || uint64(len(b)) != uint64(id.personaStep)*crypto.SeedSize {
		return nil, keyfile.ErrContent
	}
	for seed := range slices.Chunk(b, crypto.SeedSize) {
		id.retired = append(id.retired, [crypto.SeedSize]byte(seed))
	}
	return id, nil
}

// Exists reports whether a folder has an identity.
func Exists(dir string, opts Options) (bool, error) {
	return identityFile(opts.fs(), dir).Exists()
}

// Create writes the identity of one device of a root, durably, into a folder
// that has none, with a new data key and an empty sealing file. The root
// stays the caller's to destroy. Errors by code: not_permitted when there is an
// identity or others may use the folder, disk_full, internal.
func Create(dir string, root crypto.Root, device uint32, opts Options) error {
	return CreateFrom(dir, NewIdentity(root, device, 0), Secrets{}, opts)
}

// CreateFrom is [Create] with an identity and secrets that are there already:
// those of a backup.
func CreateFrom(dir string, id *Identity, secrets Secrets, opts Options) error {
	fsys := opts.fs()
	if err := disk.MakeDir(fsys, dir, 0o700); err != nil {
		return keyfile.DiskError(err, "the keys' folder can't be made")
	}
	if err := keyfile.CheckMode(fsys, dir, 0o700); err != nil {
		return err
	}
	there, err := Exists(dir, opts)
	if err != nil {
		return err
	}
	if there {
		e := protocol.Errorf(protocol.CodeNotPermitted, "", "%s is there already", identityPath(dir))
		e.Hint = "Use another home folder for another identity; keys are never written over."
		return e
	}
	v, err := vault.Create(fsys, dir, opts.Unlock, opts.Passphrase)
	if err != nil {
		return err
	}
	defer v.Close()
	// The identity comes last: whoever has one has the other files.
	if err := writeSecrets(secretsIn(fsys, dir, v), 1, secrets); err != nil {
		return err
	}
	content := id.encode()
	defer clear(content)
	return identityIn(fsys, dir, v).write(1, content)
}

func identityIn(fsys FS, dir string, v *vault.Vault) sealed {
	return sealed{identityFile(fsys, dir), v.Key("identity")}
}

func secretsIn(fsys FS, dir string, v *vault.Vault) sealed {
	return sealed{sealingFile(fsys, dir), v.Key("sealing")}
}

func readIdentity(f sealed) (id *Identity, c keyfile.Content, err error) {
	plain, c, err := f.read()
	if err != nil {
		return nil, c, err
	}
	defer clear(plain)
	if id, err = decodeIdentity(plain); err != nil {
		return nil, c, f.Damaged(err)
	}
	return id, c, nil
}
