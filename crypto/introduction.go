package crypto

// introductionLabel goes before what a relationship's key signs, with a zero
// byte.
const introductionLabel = "parley/1/introduction"

// SignIntroduction returns a relationship key's signature of a statement: the
// DAG-CBOR of [intent, vendor, relationship]
// (spec/03-identifiers-and-keys.md).
func SignIntroduction(relationship Signer, statement []byte) [64]byte {
	return [64]byte(relationship.Sign(introductionMessage(statement)))
}

// VerifyIntroduction reports whether proof is such a signature of the statement
// under the key that relationship names, by the profile of [Verify].
func VerifyIntroduction(relationship DID, statement, proof []byte) bool {
	key, err := ParseDIDKey(string(relationship))
	return err == nil && Verify(key, introductionMessage(statement), proof)
}

func introductionMessage(statement []byte) []byte {
	message := append([]byte(introductionLabel), 0)
	return append(message, statement...)
}
