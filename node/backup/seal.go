package backup

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"

	"github.com/parley-protocol/parley/crypto"
	"github.com/parley-protocol/parley/protocol"
)

// IdentityOf opens the backups of a person's nodes.
func IdentityOf(root crypto.Root) (*age.X25519Identity, error) {
	seed := root.BackupSeed()
	defer clear(seed[:])
	return age.ParseX25519Identity(strings.ToUpper(bech32("age-secret-key-", seed[:])))
}

// ParseRecipients reads recipients in age's text form, age1….
func ParseRecipients(texts []string) ([]age.Recipient, error) {
	var out []age.Recipient
	for _, t := range texts {
		r, err := age.ParseX25519Recipient(strings.TrimSpace(t))
		if err != nil {
			return nil, &protocol.Error{Code: protocol.CodeUsage, Field: "recipient", Detail: fmt.Sprintf("%q isn't a recipient: %v", t, err), Hint: "a recipient begins with age1; age-keygen makes one", Err: err}
		}
		out = append(out, r)
	}
	return out, nil
}

// ByPassphrase encrypts to a passphrase, which age allows alone only.
func ByPassphrase(pass []byte) (age.Recipient, error) {
	r, err := age.NewScryptRecipient(string(pass))
	if err != nil {
		return nil, &protocol.Error{Code: protocol.CodeUsage, Field: "passphrase", Detail: err.Error(), Err: err}
	}
	return r, nil
}

// FromPassphrase opens what [ByPassphrase] encrypted.
func FromPassphrase(pass []byte) (age.Identity, error) {
	i, err := age.NewScryptIdentity(string(pass))
	if err != nil {
		return nil, &protocol.Error{Code: protocol.CodeUsage, Field: "passphrase", Detail: err.Error(), Err: err}
	}
	return i, nil
}

// unseal is age's decryption with errors that say what can be done.
func unseal(file io.Reader, ids ...age.Identity) (io.Reader, error) {
	in, err := age.Decrypt(file, ids...)
	if err == nil {
		return in, nil
	}
	if _, wrong := errors.AsType[*age.NoIdentityMatchError](err); wrong {
		return nil, &protocol.Error{Code: protocol.CodeNotPermitted, Field: "file", Detail: "this backup can't be opened with what was given: it is another person's, or encrypted to something else",
			Hint: "check the 24 words; a backup under a passphrase takes --backup-passphrase-file", Err: err}
	}
	if strings.Contains(err.Error(), "incorrect passphrase") {
		return nil, &protocol.Error{Code: protocol.CodeNotPermitted, Field: "passphrase", Detail: "this isn't the passphrase of the backup", Err: err}
	}
	return nil, damaged("its beginning is damaged, or it isn't an age file (%w)", err)
}

// bech32 is the text form of BIP-173 that age gives its keys.
func bech32(prefix string, data []byte) string {
	const letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	var words []byte
	acc, bits := uint32(0), 0
	for _, b := range data {
		acc, bits = acc<<8|uint32(b), bits+8
		for bits >= 5 {
			bits -= 5
			words = append(words, byte(acc>>bits)&31)
		}
	}
	if bits > 0 {
		words = append(words, byte(acc<<(5-bits))&31)
	}
	var sum []byte
	for _, c := range []byte(prefix) {
		sum = append(sum, c>>5)
	}
	sum = append(sum, 0)
	for _, c := range []byte(prefix) {
		sum = append(sum, c&31)
	}
	sum = append(append(sum, words...), 0, 0, 0, 0, 0, 0)
	check := polymod(sum) ^ 1
	out := prefix + "1"
	for _, w := range words {
		out += string(letters[w])
	}
	for i := range 6 {
		out += string(letters[check>>(5*(5-i))&31])
	}
	return out
}

func polymod(values []byte) uint32 {
	sum := uint32(1)
	for _, v := range values {
		top := sum >> 25
		sum = (sum&0x1ffffff)<<5 ^ uint32(v)
		for i, g := range []uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			if top>>i&1 == 1 {
				sum ^= g
			}
		}
	}
	return sum
}
