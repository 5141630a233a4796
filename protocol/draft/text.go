package draft

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// CleanLine makes one line of a text: control and invisible formatting
// characters go, runs of white space become one space.
func CleanLine(text string) string {
	return strings.Join(strings.Fields(strings.Map(visible, strings.ToValidUTF8(text, "\uFFFD"))), " ")
}

// CleanText is [CleanLine] line by line: paragraphs stay, at most one empty
// line stands between them.
func CleanText(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.NewReplacer("\r", "\n", "\u2028", "\n", "\u2029", "\n\n").Replace(text)
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		line = CleanLine(line)
		if line == "" && (len(out) == 0 || out[len(out)-1] == "") {
			continue
		}
		out = append(out, line)
	}
	return strings.TrimRight(strings.Join(out, "\n"), "\n")
}

// visible turns what a screen would act on, instead of show, into a space or
// nothing: controls, and the characters that reorder or hide text.
func visible(r rune) rune {
	switch {
	case r == '\u200b' || r == '\ufeff' || r == '\u00ad' || r == '\u2060':
		return -1
	case r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069', r == '\u200e', r == '\u200f':
		return -1
	case unicode.IsControl(r):
		return ' '
	}
	return r
}

// Cut shortens a text to at most limit bytes, at a rune's boundary, with an
// ellipsis in place of what is missing.
func Cut(text string, limit int) string {
	const ellipsis = "…"
	if len(text) <= limit {
		return text
	}
	if limit < len(ellipsis) {
		return ""
	}
	end := limit - len(ellipsis)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return strings.TrimRightFunc(text[:end], unicode.IsSpace) + ellipsis
}

// thousands writes a count as people read it: 9,120.
func thousands(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// Language makes a BCP 47 tag of what publishers write ("EN", "en_GB"). It
// answers "" for what can't be one.
func Language(text string) string {
	text = strings.ReplaceAll(strings.TrimSpace(text), "_", "-")
	if len(text) > 35 {
		return ""
	}
	parts := strings.Split(text, "-")
	for i, part := range parts {
		if part == "" || len(part) > 8 || strings.Trim(part, alphanumeric) != "" {
			return ""
		}
		switch {
		case i == 0 && (len(part) < 2 || strings.Trim(strings.ToLower(part), letters) != ""):
			return ""
		case i > 0 && len(part) == 2:
			parts[i] = strings.ToUpper(part)
		default:
			parts[i] = strings.ToLower(part)
		}
	}
	return strings.Join(parts, "-")
}

const (
	letters      = "abcdefghijklmnopqrstuvwxyz"
	digits       = "0123456789"
	alphanumeric = letters + "ABCDEFGHIJKLMNOPQRSTUVWXYZ" + digits
)

// Category makes "scheme:code" of a classification, "" when that can't be done.
// CPV codes lose their check digit, and codes that went through a spreadsheet
// their ".0", so that the same thing is always called the same.
func Category(scheme, code string) string {
	scheme = strings.ToLower(strings.TrimSpace(scheme))
	code = strings.TrimSpace(code)
	code = strings.TrimSuffix(code, ".0")
	if scheme == "cpv" {
		code, _, _ = strings.Cut(code, "-")
	}
	if scheme == "" || len(scheme) > 16 || strings.Trim(scheme, letters+digits+"-") != "" || !strings.ContainsAny(scheme[:1], letters) {
		return ""
	}
	if code == "" || len(code) > 64 || strings.Trim(code, alphanumeric+"._-") != "" {
		return ""
	}
	return scheme + ":" + code
}

// IsCurrency reports whether a text has the form of an ISO 4217 code.
func IsCurrency(code string) bool {
	return len(code) == 3 && strings.Trim(code, strings.ToUpper(letters)) == ""
}
