package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Command spells the command that repeats the run from the repository's root, in
// another folder: every recorded value that is not the default as a flag.
func (s *IO) Command() string {
	words := []string{"go", "run", "./scripts/" + s.verb}
	for i, o := range s.options {
		texts := o.texts()
		if !s.options.isRecorded(o) || s.options.effect(o, nothing) == no || texts == nil ||
			slices.Equal(texts, s.defaults[i].texts()) {
			continue
		}
		if o.isInput() {
			texts[0] = s.fromRoot(texts[0])
		}
		if o.isList() {
			for j, text := range texts {
				if strings.ContainsAny(text, `,"`) {
					texts[j] = `"` + text + `"`
				}
			}
			texts = []string{strings.Join(texts, ",")}
		}
		switch {
		case o.isBool() && texts[0] == "true":
			words = append(words, o.spelled())
		case o.isBool() || texts[0] == "" || texts[0][0] == '-':
			words = append(words, o.spelled()+"="+quoted(texts[0]))
		default:
			words = append(words, o.spelled(), quoted(texts[0]))
		}
	}
	if s.options.flag("out") != nil {
		words = append(words, "-out", "again")
	}
	return strings.Join(words, " ")
}

// fromRoot is the path of an input as the repository's root leads to it: absolute,
// unless the verb runs there.
func (s *IO) fromRoot(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	if _, err := os.Stat(filepath.Join("scripts", s.verb)); err == nil {
		return path
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	return absolute
}

// plainLetters need no quotes in a shell.
const plainLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.,/:=+@%"

// quoted spells a text as one word of a shell.
func quoted(text string) string {
	if strings.Trim(text, plainLetters) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
