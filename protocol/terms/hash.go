package terms

import (
	"crypto/sha256"

	"github.com/parley-protocol/parley/protocol/codec"
	"github.com/parley-protocol/parley/protocol/record"
)

// Hash is what a person approves when they approve terms of somebody's own: the
// SHA-256 of the DAG-CBOR of [text, policy, basedOn], null standing for what is
// absent. Every record of the same terms has the same one. It fails for a policy
// that no record can hold. Specification: [TERMS-9] in spec/07-terms.md.
func Hash(t *record.Terms) ([32]byte, error) {
	var policy, basedOn any
	if t.Policy != nil {
		policy = t.Policy
	}
	if t.BasedOn != "" {
		basedOn = t.BasedOn
	}
	block, err := codec.Encode([]any{t.Text, policy, basedOn})
	if err != nil {
		return [32]byte{}, err
	}
	return sha256.Sum256(block), nil
}
