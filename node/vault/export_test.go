package vault

import (
	"encoding/binary"
	"testing"
)

// PassphraseContent is a file's content that asks for a cost.
func PassphraseContent(cost Cost) []byte {
	b := make([]byte, passphraseHead+KeySize+BoxOverhead)
	b[0] = kindPassphrase
	binary.BigEndian.PutUint32(b[1:], cost.Time)
	binary.BigEndian.PutUint32(b[5:], cost.Memory)
	b[9] = cost.Threads
	return b
}

// Overwrite puts a content in place of the vault's.
func Overwrite(t *testing.T, v *Vault, content []byte) {
	t.Helper()
	if err := v.write(content); err != nil {
		t.Fatal(err)
	}
}
