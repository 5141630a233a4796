package vault

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"runtime/debug"

	"golang.org/x/crypto/argon2"

	"github.com/parley-protocol/parley/protocol"
)

// Cost is how much work it takes to try one passphrase with Argon2id (RFC 9106).
type Cost struct {
	Time    uint32 // passes
	Memory  uint32 // KiB
	Threads uint8
}

// DefaultCost is RFC 9106's second recommended option: 64 MiB and three passes,
// 100 to 300 ms on a laptop.
func DefaultCost() Cost { return Cost{Time: 3, Memory: 64 << 10, Threads: 4} }

// What a spoilt or hostile file may ask for at most.
const (
	maxTime   = 64
	maxMemory = 2 << 20 // KiB: 2 GiB
	saltSize  = 16
)

func (c Cost) valid() bool {
	return c.Time >= 1 && c.Time <= maxTime && c.Threads >= 1 && c.Memory >= 8*uint32(c.Threads) && c.Memory <= maxMemory
}

// MaxPassphrase is the longest passphrase in bytes.
const MaxPassphrase = 1024

// TrimPassphrase takes the line end off that files and prompts put behind a
// passphrase.
func TrimPassphrase(b []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r"))
}

func checkPassphrase(pass []byte) error {
	if len(pass) == 0 || len(pass) > MaxPassphrase {
		e := protocol.Errorf(protocol.CodeUsage, "passphrase", "a passphrase has 1 to %d bytes", MaxPassphrase)
		e.Hint = "Several words that nobody would guess are good; an empty one protects nothing."
		return e
	}
	return nil
}

// stretch makes a key of a passphrase.
func (c Cost) stretch(pass, salt []byte) Key {
	b := argon2.IDKey(pass, salt, c.Time, c.Memory, c.Threads, KeySize)
	defer clear(b)
	if c.Memory >= 16<<10 {
		debug.FreeOSMemory() // a node is small when it idles, and this is needed once
	}
	return Key(b)
}

// byPassphrase is the content of a vault's file under a passphrase, behind its
// kind: time and memory (uint32), threads (uint8), salt (16 bytes), box.
func byPassphrase(data Key, pass []byte, cost Cost) ([]byte, error) {
	if err := checkPassphrase(pass); err != nil {
		return nil, err
	}
	b := []byte{kindPassphrase}
	b = binary.BigEndian.AppendUint32(b, cost.Time)
	b = binary.BigEndian.AppendUint32(b, cost.Memory)
	b = append(b, cost.Threads)
	var salt [saltSize]byte
	rand.Read(salt[:])
	b = append(b, salt[:]...)
	wrap := cost.stretch(pass, salt[:])
	defer clear(wrap[:])
	return append(b, wrap.Seal(b, data[:])...), nil
}

const passphraseHead = 1 + 4 + 4 + 1 + saltSize

// costOf reads what a content of byPassphrase asks for.
func costOf(b []byte) (Cost, bool) {
	if len(b) != passphraseHead+KeySize+BoxOverhead {
		return Cost{}, false
	}
	c := Cost{Time: binary.BigEndian.Uint32(b[1:]), Memory: binary.BigEndian.Uint32(b[5:]), Threads: b[9]}
	return c, c.valid()
}

// openPassphrase is the reverse of byPassphrase. The file's checksum has been
// verified, so what doesn't open was given the wrong words.
func openPassphrase(b, pass []byte) (Key, error) {
	cost, _ := costOf(b)
	if err := checkPassphrase(pass); err != nil {
		return Key{}, wrongPassphrase()
	}
	head, box := b[:passphraseHead], b[passphraseHead:]
	wrap := cost.stretch(pass, head[passphraseHead-saltSize:])
	defer clear(wrap[:])
	data, err := wrap.Open(head, box)
	if err != nil {
		return Key{}, wrongPassphrase()
	}
	defer clear(data)
	return Key(data), nil
}

func wrongPassphrase() error {
	return protocol.Errorf(protocol.CodePassphraseWrong, "", "the passphrase is not the one that this home's keys are under")
}
