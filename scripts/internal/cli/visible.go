package cli

import (
	"strconv"
	"strings"
	"unicode"
)

// visible spells the letters of a text that have no picture as Go does in quotes:
// text from outside, such as the message of a server or the name of a file, could
// otherwise steer the terminal, or turn what stands behind it round. Ends of lines
// stay.
func visible(text string) string {
	if strings.IndexFunc(text, isInvisible) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if isInvisible(r) {
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func isInvisible(r rune) bool {
	return r != '\n' && r != '\t' && !unicode.IsPrint(r)
}
