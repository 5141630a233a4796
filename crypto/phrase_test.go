package crypto_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/parley-protocol/parley/crypto"
)

func TestNewPhrase(t *testing.T) {
	a, err := crypto.NewPhrase()
	if err != nil {
		t.Fatal(err)
	}
	b, err := crypto.NewPhrase()
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Words()) != crypto.PhraseWords {
		t.Errorf("%d words", len(a.Words()))
	}
	if strings.Join(a.Words(), " ") == strings.Join(b.Words(), " ") {
		t.Error("two new phrases are the same")
	}
	again, err := crypto.ParsePhrase(strings.Join(a.Words(), " "))
	if err != nil {
		t.Fatal(err)
	}
	if again.Root().Branch(crypto.BranchCustomer, 0).Bytes() != a.Root().Branch(crypto.BranchCustomer, 0).Bytes() {
		t.Error("a phrase that was read back has another root")
	}
}

func TestParsePhraseIsLenientAboutForm(t *testing.T) {
	want, err := crypto.ParsePhrase(vectorPhrase)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"upper case":   strings.ToUpper(vectorPhrase),
		"one per line": "\n" + strings.ReplaceAll(vectorPhrase, " ", "\r\n") + "\n",
		"wide spaces":  "\t " + strings.ReplaceAll(vectorPhrase, " ", " \u00a0 "),
	} {
		got, err := crypto.ParsePhrase(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if strings.Join(got.Words(), " ") != strings.Join(want.Words(), " ") {
			t.Errorf("%s: reads as another phrase", name)
		}
	}
}

// withWord returns the vector phrase with word n, counted from 1, replaced.
func withWord(n int, word string) string {
	words := strings.Fields(vectorPhrase)
	words[n-1] = word
	return strings.Join(words, " ")
}

func TestParsePhraseNamesTheFault(t *testing.T) {
	for _, v := range []struct {
		name, text string
		fault      crypto.PhraseFault
		words, at  int
		suggestion string
	}{
		{"empty", "", crypto.PhraseWordCount, 0, 0, ""},
		{"12 words", strings.Join(strings.Fields(vectorPhrase)[:12], " "), crypto.PhraseWordCount, 12, 0, ""},
		{"25 words", vectorPhrase + " zoo", crypto.PhraseWordCount, 25, 0, ""},
		{"swapped letters", withWord(2, "wniner"), crypto.PhraseUnknownWord, 24, 2, "winner"},
		{"letter missing", withWord(1, "lgal"), crypto.PhraseUnknownWord, 24, 1, "legal"},
		{"letter too many", withWord(4, "yeear"), crypto.PhraseUnknownWord, 24, 4, "year"},
		{"wrong letter", withWord(24, "tutle"), crypto.PhraseUnknownWord, 24, 24, "title"},
		{"wrong ending", withWord(6, "sausages"), crypto.PhraseUnknownWord, 24, 6, "sausage"},
		{"first four letters", withWord(8, "usef"), crypto.PhraseUnknownWord, 24, 8, "useful"},
		{"nothing near", withWord(8, "qqqqqqqq"), crypto.PhraseUnknownWord, 24, 8, ""},
		{"one letter", withWord(8, "x"), crypto.PhraseUnknownWord, 24, 8, ""},
		{"very long", withWord(8, strings.Repeat("useful", 30)), crypto.PhraseUnknownWord, 24, 8, ""},
		{"not ASCII", withWord(2, "wïnner"), crypto.PhraseUnknownWord, 24, 2, "winner"},
		{"first of two", withWord(2, "winnner") + "x", crypto.PhraseUnknownWord, 24, 2, "winner"},
		{"another listed word", withWord(5, "wage"), crypto.PhraseChecksum, 24, 0, ""},
		{"words swapped", "winner legal" + strings.TrimPrefix(vectorPhrase, "legal winner"), crypto.PhraseChecksum, 24, 0, ""},
	} {
		t.Run(v.name, func(t *testing.T) {
			_, err := crypto.ParsePhrase(v.text)
			var fault *crypto.PhraseError
			if !errors.As(err, &fault) || !errors.Is(err, crypto.ErrPhrase) {
				t.Fatalf("error %v", err)
			}
			if fault.Fault != v.fault || fault.Words != v.words || fault.Word != v.at || fault.Suggestion() != v.suggestion {
				t.Errorf("got fault %d, %d words, at %d, suggestion %q", fault.Fault, fault.Words, fault.Word, fault.Suggestion())
			}
			for _, word := range append(strings.Fields(v.text), v.suggestion) {
				// "word", "is", "the" and single letters occur in any sentence.
				if len(word) > 3 && strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), word) {
					t.Errorf("the error %#v gives the word %q away", err, word)
				}
			}
		})
	}
}

func TestParsePhraseOfHugeTexts(t *testing.T) {
	for text, want := range map[string]crypto.PhraseFault{
		strings.Repeat("zoo ", 1<<16):                      crypto.PhraseWordCount,
		withWord(9, strings.Repeat("z", 1<<16)):            crypto.PhraseUnknownWord,
		strings.Repeat(strings.Repeat("é", 1<<16)+" ", 24): crypto.PhraseUnknownWord,
	} {
		_, err := crypto.ParsePhrase(text)
		var fault *crypto.PhraseError
		if !errors.As(err, &fault) || fault.Fault != want {
			t.Errorf("%.20q…: error %v", text, err)
		}
	}
}

func TestOneWrongWordIsNoticed(t *testing.T) {
	phrase, err := crypto.ParsePhrase(vectorPhrase)
	if err != nil {
		t.Fatal(err)
	}
	words := phrase.Words()
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.IntRange(0, crypto.PhraseWords-1).Draw(t, "at")
		cut := rapid.IntRange(0, len(words[at])-1).Draw(t, "cut")
		typed := append([]string(nil), words...)
		typed[at] = words[at][:cut] + "7" + words[at][cut+1:]
		_, err := crypto.ParsePhrase(strings.Join(typed, " "))
		var fault *crypto.PhraseError
		if !errors.As(err, &fault) || fault.Word != at+1 {
			t.Fatalf("word %d is wrong, the error says %v", at+1, err)
		}
	})
}
