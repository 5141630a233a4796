package network

// MaxMarket is the longest name of a market in bytes.
const MaxMarket = 64

// ValidMarket reports whether the text names a market: one or two parts with a
// slash between them, each of lower-case letters and digits with single hyphens
// inside.
func ValidMarket(name string) bool {
	if len(name) == 0 || len(name) > MaxMarket {
		return false
	}
	slashes := 0
	inWord := false // whether the previous character was a letter or a digit
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			inWord = true
		case (c == '-' || c == '/') && inWord:
			inWord = false
			if c == '/' {
				slashes++
			}
		default:
			return false
		}
	}
	return inWord && slashes <= 1
}
