package crypto

import (
	_ "embed"
	"strings"
)

// english is the English word list of BIP-39: 2048 words, sorted, one a line.
// Its origin and licence stand in bip39/LICENSE.
//
//go:embed bip39/english.txt
var english string

// wordList returns the words in order: a word's place is its 11-bit value.
func wordList() []string { return strings.Fields(english) }

const (
	// maxTypo is how many edits still make a suggestion: more, and it would be
	// a guess.
	maxTypo = 3

	// maxTypedLen is the length in bytes above which a word gets no suggestion.
	// The longest listed word has 8 letters.
	maxTypedLen = 32
)

// nearestWord returns the listed word that was most likely meant by typed, or ""
// if nothing is near. Four letters identify a BIP-39 word, so a listed word with
// the same first four wins; else it is the one with the fewest edits, the first
// in the list among equals.
func nearestWord(list []string, typed string) string {
	if len(typed) > maxTypedLen {
		return ""
	}
	letters := []rune(typed)
	if len(letters) < 2 {
		return ""
	}
	if len(letters) >= 4 {
		for _, w := range list {
			if len(w) >= 4 && strings.HasPrefix(w, string(letters[:4])) {
				return w
			}
		}
	}
	best, bestEdits := "", min(maxTypo, len(letters)-1)+1
	for _, w := range list {
		if n := edits(letters, []rune(w)); n < bestEdits {
			best, bestEdits = w, n
		}
	}
	return best
}

// edits is the optimal string alignment distance: how many letters must be
// inserted, dropped, replaced or swapped with their neighbour to turn a into b.
func edits(a, b []rune) int {
	before, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := range a {
		row[0] = i + 1
		for j := range b {
			replace := prev[j]
			if a[i] != b[j] {
				replace++
			}
			row[j+1] = min(replace, prev[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, prev, row = prev, row, before
	}
	return prev[len(b)]
}
