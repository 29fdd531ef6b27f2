package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

type sized struct {
	Latent int     `flag:"latent" range:"[1,1024]" auto:"true" help:"a number"`
	Hidden []int   `flag:"hidden" range:"[1,100]" auto:"true" help:"a list"`
	Rate   float64 `flag:"rate" range:"(0,inf)" auto:"true" help:"a number with a fraction"`
	Plain  int     `flag:"plain" range:"[1,9]" default:"3" help:"a number that is never auto"`
	Config string  `flag:"config" unit:"FILE" record:"-" help:"a file"`
}

// A value that is auto stays so through config.toml and the command that repeats a
// run, and differs from every other, an empty list among them.
func TestAuto(t *testing.T) {
	var got sized
	var text []byte
	var command string
	v := Verb[sized]{Name: "sized", Run: func(_ context.Context, c *sized, io *IO) error {
		got, text, command = *c, io.Config(), io.Command()
		return nil
	}}
	execute := func(args ...string) (int, string) {
		var stderr bytes.Buffer
		return v.Execute(t.Context(), args, &bytes.Buffer{}, &stderr), stderr.String()
	}
	file := filepath.Join(t.TempDir(), "config.toml")
	for _, c := range []struct {
		args []string
		want sized
		toml []string
		flag string // of the command that repeats it
	}{
		{nil, sized{Plain: 3}, []string{`latent = "auto"`, `hidden = "auto"`, `rate = "auto"`}, ""},
		{[]string{"-latent", "auto", "-hidden=auto", "-rate", "auto"}, sized{Plain: 3}, []string{`hidden = "auto"`}, ""},
		{[]string{"-latent", "8", "-hidden", "64,32", "-rate", "3e-3"},
			sized{Latent: 8, Hidden: []int{64, 32}, Rate: 3e-3, Plain: 3},
			[]string{"latent = 8", "hidden = [64, 32]", "rate = 0.003"}, " -latent 8 -hidden 64,32 -rate 0.003"},
		{[]string{"-hidden="}, sized{Hidden: []int{}, Plain: 3}, []string{"hidden = []"}, " -hidden="},
		{[]string{"-hidden", "auto", "-latent", "4", "-latent", "auto"}, sized{Plain: 3}, []string{`latent = "auto"`}, ""},
	} {
		if code, stderr := execute(c.args...); code != 0 {
			t.Fatalf("%v: exit code %d, %s", c.args, code, stderr)
		}
		same := func(what string) {
			t.Helper()
			if fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", c.want) {
				t.Errorf("%s of %v: %#v, want %#v", what, c.args, got, c.want)
			}
		}
		same("the flags")
		if !strings.HasSuffix(command, "sized"+c.flag) && !strings.HasSuffix(command, "sized"+c.flag+"''") {
			t.Errorf("%v: repeated by %q, want the flags%q", c.args, command, c.flag)
		}
		for _, line := range c.toml {
			if !slices.Contains(strings.Split(string(text), "\n"), line) {
				t.Errorf("%v: config.toml has no line %s:\n%s", c.args, line, text)
			}
		}
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
		if code, stderr := execute("-config", file); code != 0 {
			t.Fatalf("config of %v: exit code %d, %s", c.args, code, stderr)
		}
		c.want.Config = file
		same("config.toml")
	}
	for wrong, want := range map[string]string{
		"-latent=0":         "lies outside [1,1024]",
		"-latent=Auto":      "is not a whole number",
		"-hidden=64,auto":   `"auto" is not a whole number`,
		"-rate=0":           "lies outside",
		"-plain=auto":       `"auto" is not a whole number`,
		"latent = 0":        "lies outside [1,1024]",
		`latent = "wide"`:   `want a whole number, or "auto", not a text`,
		`hidden = ["auto"]`: `want a list of which each is a whole number, or "auto", not a text`,
		`plain = "auto"`:    "want a whole number, not a text",
	} {
		args := []string{wrong}
		if !strings.HasPrefix(wrong, "-") {
			if err := os.WriteFile(file, []byte(wrong), 0o644); err != nil {
				t.Fatal(err)
			}
			args = []string{"-config", file}
		}
		if code, stderr := execute(args...); code != 2 || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit code %d, %q, want 2 and %q", wrong, code, stderr, want)
		}
	}
	var help bytes.Buffer
	v.Execute(t.Context(), []string{"-h"}, &help, &bytes.Buffer{})
	for _, want := range []string{"-latent N|auto", "-rate X|auto", "-plain N\n", "default auto"} {
		if !strings.Contains(help.String(), want) {
			t.Errorf("the help lacks %q:\n%s", want, help.String())
		}
	}
}

// A default that depends on what is given is overruled by the file and the flags, and
// the command that repeats a run says what differs from it.
func TestDependingDefault(t *testing.T) {
	var got sized
	var command string
	v := Verb[sized]{
		Name: "sized",
		Depending: func(defaults, given *sized) {
			if given.Latent > 0 {
				defaults.Plain = 5
			}
		},
		Run: func(_ context.Context, c *sized, io *IO) error {
			got, command = *c, io.Command()
			return nil
		},
	}
	for _, c := range []struct {
		args  []string
		plain int
		flags string
	}{
		{nil, 3, ""},
		{[]string{"-latent", "2"}, 5, " -latent 2"},
		{[]string{"-latent", "2", "-plain", "3"}, 3, " -latent 2 -plain 3"},
		{[]string{"-plain", "5"}, 5, " -plain 5"},
	} {
		var stderr bytes.Buffer
		if code := v.Execute(t.Context(), c.args, &bytes.Buffer{}, &stderr); code != 0 {
			t.Fatalf("%v: exit code %d, %s", c.args, code, stderr.String())
		}
		if got.Plain != c.plain || command != "go run ./scripts/sized"+c.flags {
			t.Errorf("%v: %d, and %s", c.args, got.Plain, command)
		}
	}
}
