package main

import (
	"bytes"
	"context"
	"io"
	"math"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"vaefolio/internal/bybittest"
	"vaefolio/scripts/internal/cli"
	"vaefolio/scripts/internal/clitest"
	"vaefolio/vaelib/stream"
)

// changing is an exchange on which DDDUSDT is listed 70 hours after the beginning, and
// AAAUSDT ends after 105.
func changing(t *testing.T) (*bybittest.Exchange, string) {
	t.Helper()
	var listings []bybittest.Listing
	for _, symbol := range symbols {
		l := bybittest.Listing{Symbol: symbol, Quote: "USDT", First: begin}
		switch symbol {
		case "DDDUSDT":
			l.First = begin.Add(70 * time.Hour)
		case "AAAUSDT":
			l.Until = begin.Add(105 * time.Hour)
		}
		listings = append(listings, l)
	}
	exchange := bybittest.New(listings...)
	exchange.SetNow(now)
	server := httptest.NewServer(exchange)
	t.Cleanup(server.Close)
	return exchange, server.URL
}

// overSets runs the verb with the built-in model.
func overSets(ctx context.Context, stdout io.Writer, args ...string) (code int, stderr string) {
	v := verb
	v.Run = func(ctx context.Context, c *config, to *cli.IO) error { return followWith(ctx, quick(), c, to) }
	var messages bytes.Buffer
	code = v.Execute(ctx, append(slices.Clone(small), args...), stdout, &messages)
	return code, messages.String()
}

// A listing enters when its window is full, a delisting leaves, and the lines of the
// exchange are those of the files, at any break.
func TestListingsComeAndGo(t *testing.T) {
	exchange, url := changing(t)
	out := newLineWriter()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var code int
	var stderr string
	done := make(chan struct{})
	go func() {
		defer close(done)
		code, stderr = overSets(ctx, out, "-base-url", url, "-symbols", strings.Join(symbols, ","), "-lines", "16")
	}()
	out.next(t)
	for hour := 100; hour < 115; hour++ {
		exchange.SetNow(begin.Add(time.Duration(hour+1)*time.Hour + time.Minute))
		out.next(t)
	}
	select {
	case <-done:
	case <-patience(t).Done():
		t.Fatal("it doesn't end")
	}
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	var members []string
	lines := parse(t, out.String())
	for _, line := range lines {
		members = append(members, strings.ReplaceAll(strings.Join(line.Weights.Names, ""), "USDT", ""))
		var sum float64
		for _, w := range line.Weights.Numbers {
			sum += w
		}
		if math.Abs(sum-1) > 1e-12 || !slices.Equal(line.Weights.Names, line.Close.Names) {
			t.Errorf("%s: weights %v sum to %v, closes of %v", line.Candle, line.Weights, sum, line.Close.Names)
		}
	}
	want := slices.Concat(slices.Repeat([]string{"AAABBBCCC"}, 6), slices.Repeat([]string{"BBBCCC"}, 5),
		slices.Repeat([]string{"BBBCCCDDD"}, 5)) // DDD's 40 returns are there 110 hours after the beginning
	if !slices.Equal(members, want) {
		t.Errorf("to hold: %v, want %v", members, want)
	}
	for _, said := range []string{
		"AAAUSDT: not traded in linear at present", "the built-in model, over sets of assets: AAAUSDT, BBBUSDT, CCCUSDT, DDDUSDT",
		"3 symbols to choose from; left out until they have moved over 40 returns: DDDUSDT",
		"candle of 2024-03-05T09:00:00Z: AAAUSDT has no full window of 40 returns any more, and is sold",
		"candle of 2024-03-05T14:00:00Z: DDDUSDT can be held from here on, with 40 returns",
	} {
		if !strings.Contains(stderr, said) {
			t.Errorf("stderr lacks %q:\n%s", said, stderr)
		}
	}
	// What is sold counts in the turnover: at least what AAA had drifted to.
	if sold := lines[6].Turnover; sold == nil || *sold < lines[5].Weights.Numbers[0]/2 {
		t.Errorf("turnover %v at the delisting of %v", sold, lines[5].Weights)
	}

	folder := writeFolder(t, exchange, asIs)
	files := func(args ...string) string {
		var stdout bytes.Buffer
		if code, stderr := overSets(t.Context(), &stdout, append([]string{"-replay", folder}, args...)...); code != 0 {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		return stdout.String()
	}
	if got := files("-from", "2024-03-05T03:00:00Z"); got != out.String() {
		t.Errorf("replay:\n%s\nlive:\n%s", got, out.String())
	}
	path := filepath.Join(t.TempDir(), "lines.jsonl")
	files("-from", "2024-03-05T03:00:00Z", "-to", "2024-03-05T10:00:00Z", "-out", path)
	if files("-out", path); read(t, path) != out.String() {
		t.Error("a file that was gone on with is another")
	}

	// Whatever comes later, the lines until then are the same.
	cut := begin.Add(107 * time.Hour)
	rng := stream.New(1, "test", 0)
	folder = writeFolder(t, exchange, func(opening time.Time) float64 {
		if opening.After(cut) {
			return math.Exp(rng.NormFloat64())
		}
		return 1
	})
	until, _, _ := strings.Cut(out.String(), `{"time":"2024-03-05T13:00:00Z"`)
	if got := files("-from", "2024-03-05T03:00:00Z"); !strings.HasPrefix(got, until) || got == out.String() {
		t.Error("lines know what comes after them")
	}
}

func TestSetsRefuse(t *testing.T) {
	exchange, url := changing(t)
	folder := writeFolder(t, exchange, asIs)
	quoted := strconv.Quote(folder)
	for args, says := range map[string]string{
		"-base-url " + url:                                                 "name it by -symbols",
		"-base-url " + url + " -symbols XUSDT,YUSDT":                       "trades none of XUSDT, YUSDT",
		"-base-url " + url + " -symbols BBBUSDT,BBBUSDT":                   "named twice",
		"-replay " + quoted + " -symbols BBBUSDT,BBCUSDT":                  "BBCUSDT",
		"-replay " + quoted + " -exclude BBCUSDT":                          "did you mean BBBUSDT",
		"-replay " + quoted + " -wish volatility=1":                        "knows no conditions",
		"-replay " + quoted + " -density two-stage":                        "no second stage",
		"-replay " + quoted + " -lower -0.1":                               "no weights below 0",
		"-model " + strconv.Quote(model) + " -symbols A -replay " + quoted: "leave -symbols out",
		"-model " + strconv.Quote(model) + " -exclude A -replay " + quoted: "leave -exclude out",
	} {
		var stdout bytes.Buffer
		code, stderr := overSets(t.Context(), &stdout, clitest.Words(args)...)
		if code == 0 || stdout.Len() > 0 || !strings.Contains(stderr, says) {
			t.Errorf("%s: exit code %d: %s, want %q", args, code, stderr, says)
		}
	}
	var stdout bytes.Buffer
	code, stderr := overSets(t.Context(), &stdout, "-replay", folder, "-symbols", "BBBUSDT,DDDUSDT")
	if code != 0 || stdout.Len() > 0 || !strings.Contains(stderr, "1 of 2 symbols have moved over 40 returns: a portfolio needs two") {
		t.Errorf("one symbol with a window: exit code %d: %s", code, stderr)
	}
}
