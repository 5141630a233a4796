package crypto

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestWordList checks the embedded list against the digest of BIP-39's own file.
func TestWordList(t *testing.T) {
	const published = "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda"
	if sum := sha256.Sum256([]byte(english)); hex.EncodeToString(sum[:]) != published {
		t.Errorf("SHA-256 of the list is %x, want %s", sum, published)
	}
	list := wordList()
	if len(list) != 2048 || !slices.IsSorted(list) {
		t.Errorf("%d words, sorted: %t", len(list), slices.IsSorted(list))
	}
}

// TestBIP39Vectors runs the 24-word English vectors that BIP-39 refers to
// (trezor/python-mnemonic, vectors.json). They all use the passphrase "TREZOR".
func TestBIP39Vectors(t *testing.T) {
	for _, v := range []struct{ entropy, words, seed string }{
		{
			"0000000000000000000000000000000000000000000000000000000000000000",
			strings.Repeat("abandon ", 23) + "art",
			"bda85446c68413707090a52022edd26a1c9462295029f2e60cd7c4f2bbd3097170af7a4d73245cafa9c3cca8d561a7c3de6f5d4a10be8ed2a5e608d68f92fcc8",
		},
		{
			"7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f",
			"legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth title",
			"bc09fca1804f7e69da93c2f2028eb238c227f2e9dda30cd63699232578480a4021b146ad717fbb7e451ce9eb835f43620bf5c514db0f8add49f5d121449d3e87",
		},
		{
			"8080808080808080808080808080808080808080808080808080808080808080",
			"letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount doctor acoustic bless",
			"c0c519bd0e91a2ed54357d9d1ebef6f5af218a153624cf4f2da911a0ed8f7a09e2ef61af0aca007096df430022f7a2b6fb91661a9589097069720d015e4e982f",
		},
		{
			"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
			strings.Repeat("zoo ", 23) + "vote",
			"dd48c104698c30cfe2b6142103248622fb7bb0ff692eebb00089b32d22484e1613912f0a5b694407be899ffd31ed3992c456cdf60f5d4564b8ba3f05a69890ad",
		},
	} {
		var entropy [SeedSize]byte
		if _, err := hex.Decode(entropy[:], []byte(v.entropy)); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(Phrase{newSecret(entropy)}.Words(), " "); got != v.words {
			t.Errorf("entropy %s: words %q", v.entropy, got)
		}
		p, err := ParsePhrase(v.words)
		if err != nil {
			t.Errorf("%s: %v", v.words, err)
			continue
		}
		if p.held.bytes != entropy {
			t.Errorf("%s: entropy %x", v.words, p.held.bytes)
		}
		if got := hex.EncodeToString(bip39Seed(v.words, "TREZOR")); got != v.seed {
			t.Errorf("%s: seed %s", v.words, got)
		}
	}
}

// TestBIP39SeedWithoutPassphrase checks the seed as Parley uses it. Python's
// hashlib.pbkdf2_hmac("sha512", words, b"mnemonic", 2048) gave the value.
func TestBIP39SeedWithoutPassphrase(t *testing.T) {
	const words = "legal winner thank year wave sausage worth useful legal winner thank year " +
		"wave sausage worth useful legal winner thank year wave sausage worth title"
	const want = "761914478ebf6fe16185749372e91549361af22b386de46322cf8b1ba7e92e80" +
		"c4af05196f742be1e63aab603899842ddadf4e7248d8e43870a4b6ff9bf16324"
	if got := hex.EncodeToString(bip39Seed(words, "")); got != want {
		t.Errorf("seed %s, want %s", got, want)
	}
}

func TestWordsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entropy := [SeedSize]byte(rapid.SliceOfN(rapid.Byte(), SeedSize, SeedSize).Draw(t, "entropy"))
		p, err := ParsePhrase(strings.Join(Phrase{newSecret(entropy)}.Words(), " "))
		if err != nil || p.held.bytes != entropy {
			t.Fatalf("%x reads back as %v, %v", entropy, p.held, err)
		}
	})
}

func TestEdits(t *testing.T) {
	for _, v := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0},
		{"abc", "abd", 1}, {"abc", "acb", 1}, {"abc", "ab", 1}, {"abc", "xabc", 1},
		{"kitten", "sitting", 3}, {"ca", "abc", 3},
	} {
		if got := edits([]rune(v.a), []rune(v.b)); got != v.want {
			t.Errorf("edits(%q, %q) = %d, want %d", v.a, v.b, got, v.want)
		}
	}
}
