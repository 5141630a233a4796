package crypto

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// PhraseWords is the number of words in a phrase.
const PhraseWords = 24

const (
	wordBits       = 11   // 2048 words
	seedIterations = 2048 // BIP-39's PBKDF2 rounds
	seedLen        = 64   // bytes of a BIP-39 seed
)

// ErrPhrase says that a text isn't a recovery phrase. The error is
// a [*PhraseError].
var ErrPhrase = errors.New("crypto: not a recovery phrase")

// PhraseFault says what is wrong with a phrase.
type PhraseFault int

const (
	// PhraseWordCount: there aren't 24 words.
	PhraseWordCount PhraseFault = iota + 1
	// PhraseUnknownWord: a word isn't in the list.
	PhraseUnknownWord
	// PhraseChecksum: all words are in the list, but they don't belong together:
	// one is another listed word, or two changed places.
	PhraseChecksum
)

// PhraseError says why a text isn't a recovery phrase. Its text names places
// and counts, never a word, and may be logged; the suggestion is for the eyes
// of the person who types. It wraps [ErrPhrase].
type PhraseError struct {
	// Fault says what is wrong.
	Fault PhraseFault
	// Words is how many words there are.
	Words int
	// Word is the place of the first unknown word, counted from 1; 0 if the
	// fault lies in no single word.
	Word int

	suggestion string
}

// Error states the fault and where it is.
func (e *PhraseError) Error() string {
	switch e.Fault {
	case PhraseWordCount:
		return fmt.Sprintf("%v: it has %d words instead of %d", ErrPhrase, e.Words, PhraseWords)
	case PhraseUnknownWord:
		return fmt.Sprintf("%v: word %d isn't in the word list", ErrPhrase, e.Word)
	default:
		return fmt.Sprintf("%v: the words don't belong together: one of them is wrong, or two changed places", ErrPhrase)
	}
}

// GoString is the same text, so that %#v doesn't show the suggestion.
func (e *PhraseError) GoString() string { return e.Error() }

// Unwrap returns [ErrPhrase].
func (e *PhraseError) Unwrap() error { return ErrPhrase }

// Suggestion returns the listed word that was probably meant in place of word
// number Word, "" if none is near. It is part of the secret: show it on the
// screen where the phrase is being typed, and put it nowhere else.
func (e *PhraseError) Suggestion() string { return e.suggestion }

// Phrase is a recovery phrase: 24 English words of BIP-39, which stand for 256
// random bits and an 8-bit checksum. Everything that a person's keys derive from
// is in it. It formats as "[redacted]".
type Phrase struct{ secret }

// NewPhrase returns a new random phrase. The phrase is read back before it is
// handed out, and the error says that this failed: nobody gets words on paper
// that wouldn't restore.
func NewPhrase() (Phrase, error) {
	var entropy [SeedSize]byte
	rand.Read(entropy[:])
	defer clear(entropy[:])

	p := Phrase{newSecret(entropy)}
	back, err := ParsePhrase(strings.Join(p.Words(), " "))
	if err != nil {
		return Phrase{}, fmt.Errorf("reading a new phrase back: %w", err)
	}
	defer back.Destroy()
	if *back.held != *p.held {
		return Phrase{}, errors.New("crypto: a new phrase reads back differently")
	}
	return p, nil
}

// ParsePhrase reads a phrase as a person types it: any white space between
// words, any case. The error is a [*PhraseError].
func ParsePhrase(text string) (Phrase, error) {
	words := strings.Fields(strings.ToLower(text))
	if len(words) != PhraseWords {
		return Phrase{}, &PhraseError{Fault: PhraseWordCount, Words: len(words)}
	}
	list := wordList()
	var bits [SeedSize + 1]byte // 24 × 11 bits: the entropy, then 8 bits of checksum
	defer clear(bits[:])
	for i, word := range words {
		value, ok := slices.BinarySearch(list, word)
		if !ok {
			return Phrase{}, &PhraseError{
				Fault: PhraseUnknownWord, Words: len(words), Word: i + 1,
				suggestion: nearestWord(list, word),
			}
		}
		putWord(&bits, i, value)
	}
	entropy := [SeedSize]byte(bits[:SeedSize])
	defer clear(entropy[:])
	if bits[SeedSize] != checksum(entropy) {
		return Phrase{}, &PhraseError{Fault: PhraseChecksum, Words: len(words)}
	}
	return Phrase{newSecret(entropy)}, nil
}

// Words returns the 24 words, to show them once to the person who shall write
// them down. It panics on the zero Phrase and on a destroyed one.
func (p Phrase) Words() []string {
	entropy := [SeedSize]byte(p.key("Phrase"))
	defer clear(entropy[:])
	bits := [SeedSize + 1]byte(append(entropy[:], checksum(entropy)))
	defer clear(bits[:])

	list := wordList()
	words := make([]string, PhraseWords)
	for i := range words {
		words[i] = list[wordAt(&bits, i)]
	}
	return words
}

// Root derives the root secret:
//
//	seed = PBKDF2-HMAC-SHA512(the words with one space between, salt "mnemonic",
//	  2048 rounds, 64 bytes), BIP-39 with an empty passphrase
//	root = HKDF-SHA256(secret = seed, salt = "parley/1", info = "root", 32 bytes)
//
// It takes a few milliseconds, and panics on the zero Phrase and on a destroyed
// one.
func (p Phrase) Root() Root {
	seed := bip39Seed(strings.Join(p.Words(), " "), "")
	defer clear(seed)
	return Root{newSecret(derive(seed, []byte(rootSalt), rootLabel))}
}

// bip39Seed is BIP-39's seed of a sentence. Parley uses no passphrase; the
// parameter is here because the published vectors have one. Both arguments are
// ASCII, so NFKD leaves them as they are.
func bip39Seed(sentence, passphrase string) []byte {
	seed, err := pbkdf2.Key(sha512.New, sentence, []byte("mnemonic"+passphrase), seedIterations, seedLen)
	if err != nil {
		// Only GODEBUG=fips140=only can fail, which refuses so short a salt.
		panic(fmt.Sprintf("crypto: PBKDF2-HMAC-SHA512: %v", err))
	}
	return seed
}

// checksum is the first byte of the entropy's SHA-256.
func checksum(entropy [SeedSize]byte) byte {
	sum := sha256.Sum256(entropy[:])
	return sum[0]
}

// putWord writes word i's 11-bit value, most significant bit first.
func putWord(bits *[SeedSize + 1]byte, i, value int) {
	for b := range wordBits {
		if value>>(wordBits-1-b)&1 == 1 {
			at := i*wordBits + b
			bits[at/8] |= 0x80 >> (at % 8)
		}
	}
}

// wordAt reads word i's 11-bit value.
func wordAt(bits *[SeedSize + 1]byte, i int) int {
	value := 0
	for b := range wordBits {
		at := i*wordBits + b
		value = value<<1 | int(bits[at/8]>>(7-at%8)&1)
	}
	return value
}
