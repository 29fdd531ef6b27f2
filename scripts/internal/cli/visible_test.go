package cli

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
)

// What comes from outside reaches the terminal without letters that steer it.
func TestVisible(t *testing.T) {
	for text, want := range map[string]string{
		"plain\nlines\tand ümläute €": "plain\nlines\tand ümläute €",
		"a\x1b[2Jb":                   `a\x1b[2Jb`,
		"a\u202eb\u2066":              `a\u202eb\u2066`,
		"\u009b31m\a\r":               `\u009b31m\a\r`,
		"zero\u200bwidth":             `zero\u200bwidth`,
	} {
		if got := visible(text); got != want {
			t.Errorf("visible(%q) = %q, want %q", text, got, want)
		}
	}
	const hostile = "a\x1b[2J\u202eb"
	v := Verb[Common]{Name: "say", Run: func(_ context.Context, _ *Common, stream *IO) error {
		stream.Note("%s", hostile)
		table := stream.Table("table", Column{Name: "name"})
		if err := table.Row(hostile); err != nil {
			return err
		}
		return errors.Join(table.Close(), errors.New(hostile))
	}}
	var stdout, stderr bytes.Buffer
	if code := v.Execute(t.Context(), nil, &stdout, &stderr); code != 1 {
		t.Errorf("exit code %d", code)
	}
	if text := stdout.String() + stderr.String(); strings.ContainsFunc(text, isInvisible) || strings.Count(text, `\x1b[2J\u202e`) != 3 {
		t.Errorf("said was %q", text)
	}
}
