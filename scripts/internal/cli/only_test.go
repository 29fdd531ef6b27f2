package cli

import (
	"context"
	"strings"
	"testing"
)

// climb has flags of one mode, flags that depend on others, and those of a struct
// that may stand in verbs with other modes.
type climb struct {
	Mode   string   `flag:"mode" choice:"walk|ride|swim" default:"walk" help:"how"`
	Map    string   `flag:"map" help:"a map"`
	Boots  bool     `flag:"boots" only:"mode=walk" help:"boots"`
	Water  Water    `only:"mode=swim"`
	Pace   float64  `flag:"pace" only:"mode!=swim" default:"5" help:"the pace"`
	Detour int      `flag:"detour" only:"mode=ride or map and mode=walk" help:"a detour"`
	Guess  bool     `flag:"guess" only:"!map" help:"guesses"`
	Stops  []string `flag:"stops" help:"stops"`
	Beds   int      `flag:"beds" only:"stops=hut|inn" default:"1" help:"beds"`
	Other  int      `flag:"other" only:"elsewhere or mode=ride" help:"what another verb has too"`
	Common
}

// Water has flags of its own.
type Water struct {
	Deep  bool    `flag:"deep" help:"deep"`
	Depth float64 `flag:"depth" only:"deep" default:"2" help:"the depth"`
}

func climber(text *[]byte) Verb[climb] {
	return Verb[climb]{
		Name:    "climb",
		Modes:   Modes{Flag: "mode", Does: map[string]string{"walk": "Walks.", "ride": "Rides.", "swim": "Swims."}},
		Presets: map[string]func(*climb){"full": func(*climb) {}, "wet": func(c *climb) { c.Water.Depth = 9 }},
		Run: func(_ context.Context, _ *climb, io *IO) error {
			if text != nil {
				*text = io.Config()
			}
			return nil
		},
	}
}

func TestFlagsOfOtherModes(t *testing.T) {
	for _, c := range []struct{ args, refused string }{
		{"", ""},
		{"-boots", ""},
		{"-boots -mode walk", ""},
		{"-mode ride -boots", "-boots goes with -mode walk: leave it out"},
		{"-mode ride -boots=false", "-boots goes with -mode walk"},
		{"-deep", "-deep goes with -mode swim: give -mode swim, or leave it out"},
		{"-mode swim -deep -depth 3", ""},
		{"-mode swim -depth 3", "-depth goes with -deep: give -deep, or leave it out"},
		{"-mode swim -depth 2", "-depth goes with -deep"}, // its default
		{"-depth 3", "-depth goes with -mode swim"},
		{"-mode swim -pace 3", "-pace goes with -mode other than swim"},
		{"-detour 1", "-detour goes with -mode ride, or with -map TEXT and with -mode walk"},
		{"-detour 1 -map a", ""},
		{"-detour 1 -mode ride", ""},
		{"-guess", ""},
		{"-guess -map a", "-guess goes without -map: leave one of them out"},
		{"-detour 1", "and with -mode walk: give -mode ride, or -map TEXT, or leave it out"},
		{"-detour 1 -mode swim", "and with -mode walk: leave it out"},
		{"-beds 2", "-beds goes with -stops hut or inn"},
		{"-beds 2 -stops tent,inn", ""},
		{"-other 1", "-other goes with -mode ride: give -mode ride, or leave it out"},
		{"-other 1 -mode walk", "-other goes with -mode ride: leave it out"},
	} {
		code, _, stderr := execute(climber(nil), strings.Fields(c.args)...)
		if (code == 2) != (c.refused != "") || !strings.Contains(stderr, c.refused) || strings.Count(stderr, "\n") > 1 {
			t.Errorf("%s: exit code %d, stderr %q, want %q", c.args, code, stderr, c.refused)
		}
	}
}

// A file is refused as flags are, but for what a run writes down of flags that it
// doesn't use.
func TestKeysOfOtherModes(t *testing.T) {
	var text []byte
	for _, args := range [][]string{nil, {"-boots"}, {"-mode", "swim", "-deep", "-depth", "7"}, {"-preset", "wet"}} {
		if code, _, stderr := execute(climber(&text), args...); code != 0 {
			t.Fatalf("%v: %s", args, stderr)
		}
		file, first := write(t, "c.toml", string(text)), string(text)
		code, _, stderr := execute(climber(&text), "-config", file)
		if code != 0 || string(text) != first {
			t.Errorf("%v: from its own configuration: exit code %d, %s\n%s", args, code, stderr, text)
		}
	}
	for _, c := range []struct{ file, refused string }{
		{"mode = 'ride'\nboots = true\n", "c.toml:2: boots goes with -mode walk: leave it out"},
		{"depth = 3.0\n", "c.toml:1: depth goes with -mode swim"},
		{"depth = 2.0\n", ""},
		{"depth = 9.0\n", ""}, // of a preset
	} {
		code, _, stderr := execute(climber(nil), "-config", write(t, "c.toml", c.file))
		if (code == 2) != (c.refused != "") || !strings.Contains(stderr, c.refused) {
			t.Errorf("%q: exit code %d, stderr %q, want %q", c.file, code, stderr, c.refused)
		}
	}
}

// What depends on a flag that the verb varies itself has an effect in some runs.
func TestVaryingFlags(t *testing.T) {
	v := climber(nil)
	v.Varying = func(c *climb) []string { return c.Stops }
	for args, want := range map[string]int{"-deep": 2, "-deep -stops mode": 0, "-mode walk -depth 3 -stops mode": 2,
		"-depth 3 -stops mode,deep": 0} {
		if code, _, stderr := execute(v, strings.Fields(args)...); code != want {
			t.Errorf("%s: exit code %d, want %d: %s", args, code, want, stderr)
		}
	}
}

// The command that repeats a run has no flags that it would refuse.
func TestCommandOfMode(t *testing.T) {
	v := climber(nil)
	var command string
	v.Run = func(_ context.Context, _ *climb, io *IO) error { command = io.Command(); return nil }
	if code, _, stderr := execute(v, "-preset", "wet", "-boots"); code != 0 || command != "go run ./scripts/climb -boots" {
		t.Errorf("exit code %d, %s: %q", code, stderr, command)
	}
}

func TestHelpOfModes(t *testing.T) {
	for _, c := range []struct {
		args    string
		has, no []string
	}{
		{"-h", []string{"Modes (climb -mode M -h lists", "  swim\n      Swims.", "Flags that all have:", "  -map TEXT", "  -guess\n      guesses (only without -map;",
			"  -beds N\n      beds (only with -stops hut or inn;"}, []string{"-boots", "-deep", "-pace", "-detour", "-other"}},
		{"-mode swim -h", []string{"\nWater:\n  -deep", "  -depth X\n      the depth (only with -deep;"}, []string{"Modes", "-boots", "-pace"}},
		{"-h -mode walk", []string{"\nFlags:", "  -boots", "a detour (only with -map TEXT;"}, []string{"-deep", "-other", "Water:"}},
		{"-mode ride -map a -h", []string{"a detour (default 0)", "  -other"}, []string{"-guess", "-boots"}},
	} {
		code, stdout, stderr := execute(climber(nil), strings.Fields(c.args)...)
		if code != 0 || stderr != "" {
			t.Errorf("%s: exit code %d, %s", c.args, code, stderr)
		}
		for _, want := range c.has {
			if !strings.Contains(stdout, want) {
				t.Errorf("%s doesn't say %q:\n%s", c.args, want, stdout)
			}
		}
		for _, unwanted := range c.no {
			if strings.Contains(stdout, "\n  "+unwanted) || strings.Contains(stdout, unwanted+":") {
				t.Errorf("%s says %q:\n%s", c.args, unwanted, stdout)
			}
		}
	}
}
