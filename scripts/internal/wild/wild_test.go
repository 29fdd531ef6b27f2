// Package wild runs the built verbs on files and flags as people have them.
package wild

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"vaefolio/internal/sharedtest"
	"vaefolio/scripts/internal/clitest"
)

// Each case is a folder with inputs and cmd.sh, which runs verbs in BIN. What
// it prints, on both streams, must match the patterns and none of the others.
var cases = []struct {
	folder string
	want   []string
	never  []string
}{
	{"01-intraday-equity-annualisation", []string{`periods per year: 3276 \(13 times of 30m a session`}, []string{"gap of"}},
	{"06-mixed-intervals-in-one-folder", []string{`evaluate: .*BTCUSDT_D\.csv.*BTCUSDT\.csv`}, []string{"diversification_ratio"}},
	{"08-forward-filled-delisted-tail", []string{
		`DEAD: close unchanged on 234 of 235 rows, on all rows: delisted and filled forward`,
		`DEAD: close unchanged on 400 of 600 rows, since 2021-07-20: delisted and filled forward`,
	}, nil},
	{"11-sector-names-with-commas", []string{`(?s)XOM +0\.1000.*rc=0.*XOM +0\.1000.*rc=0.*XOM +0\.1000.*rc=0`}, nil},
	{"22-sector-file-typo-and-percent-cap", []string{
		`optimize: sectors\.csv:2: column 1: symbol BTCUSD is not among the prices, and BTCUSDT is in no sector: did you mean BTCUSDT\?`,
		`optimize: sectors_nomatch\.csv:2: .*did you mean BTCUSDT\?`,
		`optimize: -sector-cap L1=40: .*a share: 0\.4\?`, `optimize: -sector-cap L1=1:40: .*a share: 0\.4\?`,
		`corpus: sectors\.csv:2: .*did you mean BTCUSDT\?`, `(?s)rc=1.*rc=1.*rc=2.*rc=2.*rc=0.*rc=1`,
	}, nil},
	{"24-calendar-days-with-empty-weekends", []string{
		`(?s)rows without a price, dropped: 25.*periods per year: 252 .*rc=0.*SPY and QQQ: unchanged on every Saturday and Sunday.*periods per year: 365 .*rc=0`,
	}, nil},
	{"36-percent-where-a-share-is-meant", []string{
		`-max-weight: .*so that 10 is no limit: a share: 0\.1\?`, `-max-weight: .*so that 25 is no limit: a share: 0\.25\?`,
		`-sector-cap X=40: .*a share: 0\.4\?`, `evaluate: -rf 4\.5 is 450 % a year: a share is meant: 0\.045\?`, `optimize: -rf 4\.5 is 450 % a year`,
		`project: percent\.csv: row 1 sums to 100: percent\?`, `project: dollars\.csv: row 1 sums to 100000: amounts\?`,
	}, []string{"rc=0"}},
	{"39-yfinance-dates-east-of-greenwich", []string{
		`(?s)(periods per year: 252 .*0\.18554361414227158.*){4}`, `479 shared times, 2022-02-01 to 2023-12-01`,
	}, []string{"periods per year: 365", "gap of", "2022-01-02"}},
}

func TestWild(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the verbs: run without -short")
	}
	shell, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash, which the cases are written for")
	}
	wild := sharedtest.Path(t, "cases", "wild")
	bin := clitest.Programs(t, filepath.Join(t.TempDir(), "bin"), "evaluate", "optimize", "backtest", "project", "corpus")
	for _, c := range cases {
		t.Run(c.folder, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), c.folder)
			if err := os.CopyFS(dir, os.DirFS(filepath.Join(wild, c.folder))); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command("chmod", "-R", "u+w", dir).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			run := exec.Command(shell, filepath.Join(dir, "cmd.sh"))
			run.Env = append(os.Environ(), "BIN="+bin)
			out, _ := run.CombinedOutput() // a refusal is an answer: its text and exit code are looked at
			said := string(out)
			for _, want := range c.want {
				if !regexp.MustCompile(want).MatchString(said) {
					t.Errorf("nothing matches %s in\n%s", want, said)
				}
			}
			for _, never := range c.never {
				if strings.Contains(said, never) {
					t.Errorf("%s is in\n%s", never, said)
				}
			}
		})
	}
}
