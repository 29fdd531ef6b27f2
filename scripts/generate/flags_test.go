package main

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vaefolio/scripts/internal/clitest"
)

var update = flag.Bool("update", false, "write the texts of -h in testdata anew")

func TestHelp(t *testing.T) {
	for name, args := range map[string]string{"help.txt": "-h", "help-latent.txt": "-mode latent -h"} {
		path := filepath.Join("testdata", name)
		code, stdout, stderr := execute(t, strings.Fields(args)...)
		if code != 0 || stderr != "" {
			t.Errorf("%s: exit code %d, stderr %q", args, code, stderr)
		}
		if *update {
			if err := os.WriteFile(path, []byte(stdout), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), stdout); diff != "" {
			t.Errorf("%s differs from %s (-want +got); go test -update writes it anew:\n%s", args, path, diff)
		}
	}
}

// Each mode has a sentence in the help, and lists its own flags.
func TestHelpOfEveryMode(t *testing.T) {
	for name := range modes {
		if verb.Modes.Does[name] == "" {
			t.Errorf("no sentence says what %s does", name)
		}
		var stdout, stderr bytes.Buffer
		code := verb.Execute(context.Background(), []string{"-h", "-mode", name}, &stdout, &stderr)
		if code != 0 || strings.Contains(stdout.String(), "-clusters") != (name == "styles") {
			t.Errorf("%s: exit code %d\n%s", name, code, stdout.String())
		}
	}
	if len(verb.Modes.Does) != len(modes) {
		t.Errorf("%d modes, and sentences for %d", len(modes), len(verb.Modes.Does))
	}
}

func TestFlagsOfOtherModes(t *testing.T) {
	refused := map[string]string{}
	for args, want := range map[string]string{
		"-mode sample -starts 8":                               "-starts goes with -mode latent: leave it out",
		"-starts 64":                                           "-starts goes with -mode latent: give -mode latent, or leave it out",
		"-mode sample -objective sharpe":                       "-objective goes with -mode latent",
		"-mode latent -volatility 0.2":                         "-volatility goes with -objective return-at-volatility",
		"-mode latent -from-weights w.csv":                     "-from-weights goes with -mode interpolate, styles or outcomes, or with -radii X",
		"-mode latent -horizon 10":                             "-horizon goes with -mode robust, stress or outcomes",
		"-mode latent -candidates 10":                          "-candidates goes with -mode robust, diversify or stress",
		"-mode robust -clusters 3":                             "-clusters goes with -mode styles",
		"-mode robust -path spherical":                         "-path goes with -mode interpolate",
		"-mode robust -paths 10":                               "-paths goes with -mode outcomes",
		"-mode robust -draws 10":                               "-draws goes with -mode condition",
		"-mode diversify -crises 2":                            "-crises goes with -mode robust or stress",
		"-mode diversify -shocks 1,2":                          "-shocks goes with -mode robust or stress",
		"-mode robust -within 0.02":                            "-within goes with -mode diversify",
		"-mode diversify -held-out 0.2":                        "-held-out goes with -mode robust or styles",
		"-mode outcomes -scenarios 10":                         "-scenarios goes with -mode robust",
		"-mode outcomes -from-weights w.csv -n 3":              "-n goes with -mode other than styles or outcomes, or with -mode outcomes and without -from-weights",
		"-mode stress -sweep halton -side 4":                   "-side goes with -sweep grid",
		"-mode stress -sweep halton -density prior":            "-density goes with -mode sample, condition, latent, robust or diversify",
		"-mode stress -capital 4":                              "-capital goes with -traded-value FILE",
		"-mode styles -from-weights w.csv -n 5":                "-n goes with -mode other than styles or outcomes",
		"-mode interpolate -from-weights w.csv -density prior": "-density goes with -mode sample",
		"-mode sample -to 2024-01-01":                          "-to goes with -mode other than sample, condition or interpolate, or with -prices PATH",
		"-mode condition -rf 0.01":                             "-rf goes with -mode other than sample, condition or interpolate, or with -prices PATH",
	} {
		refused["-model nowhere "+args] = want
	}
	clitest.Foreign(t, verb, refused)
}

// What a run of one mode writes as its configuration, with the defaults of all the
// others, repeats the run.
func TestConfigOfModeRepeats(t *testing.T) {
	for mode, args := range map[string]string{
		"sample": "-n 3 -density prior", "latent": "-n 2 -density prior -starts 2 -iterations 2 -radii 1,2",
		"stress": "-n 2 -sweep halton -candidates 20 -shocks 1.5",
	} {
		dir := t.TempDir()
		first, second := filepath.Join(dir, "first"), filepath.Join(dir, "second")
		more := []string{"-model", files.model, "-backend", "go", "-mode", mode, "-out", first}
		if mode != "sample" {
			more = append(more, "-prices", files.prices)
		}
		if code, _, stderr := execute(t, append(strings.Fields(args), more...)...); code != 0 {
			t.Fatalf("%s: exit code %d, %s", mode, code, stderr)
		}
		code, _, stderr := execute(t, "-config", filepath.Join(first, "config.toml"), "-out", second)
		if code != 0 {
			t.Fatalf("%s from its own configuration: exit code %d, %s", mode, code, stderr)
		}
		for _, name := range []string{"weights.csv", "config.toml"} {
			want, err := os.ReadFile(filepath.Join(first, name))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(filepath.Join(second, name)); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: %s of the repetition differs: %v", mode, name, err)
			}
		}
	}
}
