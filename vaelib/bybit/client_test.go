package bybit_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/cenkalti/backoff/v5"
	"golang.org/x/time/rate"

	"vaefolio/internal/bybittest"
	"vaefolio/internal/sharedtest"
	"vaefolio/vaelib/bybit"
)

// start is when the tests' exchange has its clock: 30 seconds into a minute.
var start = time.Date(2024, 3, 1, 12, 0, 30, 0, time.UTC)

// waits records what a client waits instead of waiting.
type waits struct {
	mu   sync.Mutex
	list []time.Duration
}

func (w *waits) wait(ctx context.Context, d time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = append(w.list, d)
	return ctx.Err()
}

// options are those of a client that never waits.
func options(url string) bybit.Options {
	return bybit.Options{
		BaseURL: url, StreamURL: "ws" + strings.TrimPrefix(url, "http"),
		Limiter: rate.NewLimiter(rate.Inf, 1), Attempts: 4, Timeout: 30 * time.Second, MaxBody: 1 << 20,
		Backoff: func() backoff.BackOff { return &backoff.ZeroBackOff{} },
		Wait:    (&waits{}).wait,
		Tick:    func(time.Duration) (<-chan time.Time, func()) { return nil, func() {} },
	}
}

func newClient(t *testing.T, opt bybit.Options) *bybit.Client {
	t.Helper()
	client, err := bybit.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// serve starts an exchange and returns a client of it.
func serve(t *testing.T, exchange *bybittest.Exchange, change func(*bybit.Options)) *bybit.Client {
	t.Helper()
	exchange.SetNow(start)
	server := httptest.NewServer(exchange)
	t.Cleanup(server.Close)
	opt := options(server.URL)
	if change != nil {
		change(&opt)
	}
	return newClient(t, opt)
}

// replay answers every request with one recorded body.
func replay(t *testing.T, status int, header http.Header, body []byte) *bybit.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for key, values := range header {
			w.Header()[key] = values
		}
		w.WriteHeader(status)
		w.Write(body)
	}))
	t.Cleanup(server.Close)
	return newClient(t, options(server.URL))
}

func recorded(t *testing.T, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(sharedtest.Path(t, "data", "bybit_responses", name))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestNewRefusesURLs(t *testing.T) {
	for _, opt := range []bybit.Options{
		{BaseURL: "api.bybit.com"}, {BaseURL: "ftp://api.bybit.com"}, {BaseURL: "https://"}, {BaseURL: "://"}, {StreamURL: "https://stream.bybit.com"},
	} {
		if _, err := bybit.New(opt); err == nil {
			t.Errorf("%+v is accepted", opt)
		}
	}
}

func TestServerTime(t *testing.T) {
	for name, want := range map[string]string{
		"time_live_2023.json":    "2023-10-02T07:59:42.169993116Z",
		"time_testnet_2026.json": "2026-09-13T11:40:11.10702861Z",
		"docs_time.json":         "2023-07-06T10:30:03.423213947Z",
	} {
		t.Run(name, func(t *testing.T) {
			got, err := replay(t, 200, nil, recorded(t, name)).ServerTime(t.Context())
			if err != nil || got.Format(time.RFC3339Nano) != want {
				t.Errorf("server time is %v, %v, want %s", got, err, want)
			}
		})
	}
	client := replay(t, 200, nil, []byte(`{"retCode":0,"result":{"timeSecond":"1","timeNano":"soon"}}`))
	var decode *bybit.DecodeError
	if _, err := client.ServerTime(t.Context()); !errors.As(err, &decode) {
		t.Errorf("a time that is a word gives %v, want a DecodeError", err)
	}
}

// Every answer that is none of use gives a typed error of its class.
func TestErrors(t *testing.T) {
	html := func(status int, title string) string {
		return fmt.Sprintf("<html><head><title>%s</title></head><body>%d</body></html>", title, status)
	}
	for _, c := range []struct {
		name   string
		status int
		header http.Header
		body   string
		file   string // recorded, instead of body
		class  error
		kind   any
		text   string
	}{
		{name: "parameter", status: 200, body: `{"retCode":10001,"retMsg":"whatever\nit says","result":{}}`, class: bybit.ErrSymbol, kind: new(*bybit.APIError), text: "AAAUSDT: /v5/market/kline: exchange code 10001: whatever it says: check symbol and category"},
		{name: "symbol", status: 200, body: `{"retCode":10029,"retMsg":"","result":{}}`, class: bybit.ErrSymbol, kind: new(*bybit.APIError)},
		{name: "region", status: 200, body: `{"retCode":10009,"retMsg":"","result":{}}`, class: bybit.ErrRefused, kind: new(*bybit.APIError)},
		{name: "compliance", status: 200, body: `{"retCode":10024,"retMsg":"","result":{}}`, class: bybit.ErrRefused, kind: new(*bybit.APIError), text: "regional host"},
		{name: "route", status: 200, body: `{"retCode":10017,"retMsg":"Route not found","result":{}}`, kind: new(*bybit.APIError), text: "Route not found"},
		{name: "server", status: 200, body: `{"retCode":10000,"retMsg":"Server Timeout","result":{}}`, class: bybit.ErrUnavailable, kind: new(*bybit.APIError)},
		{name: "recorded symbol", status: 200, file: "error_10001_not_supported_symbols.json", class: bybit.ErrSymbol, kind: new(*bybit.APIError)},
		{name: "recorded other words", status: 200, file: "error_10001_instruments_option_symbol.json", class: bybit.ErrSymbol, kind: new(*bybit.APIError)},
		{name: "recorded limit", status: 200, file: "error_10006_rate_limit.json", class: bybit.ErrRateLimited, kind: new(*bybit.APIError), text: "fewer requests"},
		{name: "recorded timeout", status: 200, file: "error_10016_request_timeout.json", class: bybit.ErrUnavailable, kind: new(*bybit.APIError)},
		{name: "recorded time stamp", status: 200, file: "error_10002_timestamp.json", kind: new(*bybit.APIError)},
		{name: "country", status: 403, body: html(403, "ERROR: The request &amp; more"), class: bybit.ErrRefused, kind: new(*bybit.HTTPError), text: "HTTP 403 forbidden (ERROR: The request & more): this country"},
		{name: "too frequent", status: 403, body: "403, access too frequent. Please try again in 10 minutes.", class: bybit.ErrRateLimited, kind: new(*bybit.HTTPError), text: "wait 10m0s"},
		{name: "too frequent, in a page", status: 403, body: html(403, "Forbidden") + "<p>access too frequent</p>", class: bybit.ErrRateLimited, kind: new(*bybit.HTTPError)},
		{name: "gateway", status: 502, body: html(502, "502 Bad Gateway"), class: bybit.ErrUnavailable, kind: new(*bybit.HTTPError), text: "502 Bad Gateway"},
		{name: "too many", status: 429, class: bybit.ErrRateLimited, kind: new(*bybit.HTTPError)},
		{name: "not found", status: 404, body: "404 page not found", kind: new(*bybit.HTTPError), text: "check the base URL"},
		{name: "page with status 200", status: 200, body: html(200, "Log in to the hotel"), kind: new(*bybit.HTTPError), text: "Log in to the hotel"},
		{name: "truncated", status: 200, body: `{"retCode":0,"result":{"symbol":"AAAUSDT","list":[["170`, kind: new(*bybit.DecodeError), text: "unexpected end"},
		{name: "empty", status: 200, kind: new(*bybit.DecodeError)},
		{name: "no code", status: 200, body: `{}`, kind: new(*bybit.DecodeError), text: "no retCode"},
		{name: "code of another type", status: 200, body: `{"retCode":"0"}`, kind: new(*bybit.DecodeError)},
		{name: "no result", status: 200, body: `{"retCode":0}`, kind: new(*bybit.DecodeError)},
		{name: "result of another type", status: 200, body: `{"retCode":0,"result":[]}`, kind: new(*bybit.DecodeError)},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := []byte(c.body)
			if c.file != "" {
				body = recorded(t, c.file)
			}
			client := replay(t, c.status, c.header, body)
			_, err := client.Klines(t.Context(), bybit.KlineQuery{
				Category: bybit.Linear, Symbol: "AAAUSDT", Interval: bybit.Day, From: start.AddDate(0, 0, -3), Now: start,
			})
			if err == nil || !errors.As(err, c.kind) {
				t.Fatalf("error is %T %v, want a %T", err, err, c.kind)
			}
			if c.class != nil && !errors.Is(err, c.class) {
				t.Errorf("%v is not of the class %v", err, c.class)
			}
			if !strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error says %q, want one line with %q", err, c.text)
			}
		})
	}
}

func TestRecordedRefusal(t *testing.T) {
	var page struct {
		Status int    `json:"http_status"`
		Type   string `json:"content_type"`
		Body   string `json:"body"`
	}
	if err := json.Unmarshal(recorded(t, "http_403_cloudfront_html.json"), &page); err != nil {
		t.Fatal(err)
	}
	client := replay(t, page.Status, http.Header{"Content-Type": {page.Type}}, []byte(page.Body))
	_, err := client.ServerTime(t.Context())
	var refused *bybit.HTTPError
	if !errors.As(err, &refused) || !errors.Is(err, bybit.ErrRefused) || errors.Is(err, bybit.ErrRateLimited) {
		t.Fatalf("error is %v", err)
	}
	if refused.Text != "ERROR: The request could not be satisfied" {
		t.Errorf("title is %q", refused.Text)
	}
}

// What can pass is tried again, what can't is not.
func TestRetries(t *testing.T) {
	const all = 4 // attempts
	for fault, want := range map[bybittest.Fault]int{
		bybittest.Reset: all, bybittest.Cut: all, bybittest.BadGateway: all, bybittest.TooMany: all,
		bybittest.Limited: all, bybittest.LimitedFor: all, bybittest.TimedOut: all,
		bybittest.Truncated: 1, bybittest.Forbidden: 1, bybittest.TooOften: 1, bybittest.Huge: 1,
	} {
		exchange := bybittest.New()
		exchange.SetFault(func(int, *http.Request) bybittest.Fault { return fault })
		client := serve(t, exchange, nil)
		if _, err := client.ServerTime(t.Context()); err == nil {
			t.Errorf("fault %d gives no error", fault)
		}
		if got := len(exchange.Requests()); got != want {
			t.Errorf("fault %d: %d requests, want %d", fault, got, want)
		}
		// All but the last attempt fail.
		exchange.SetFault(func(number int, _ *http.Request) bybittest.Fault {
			if number < want+all-1 {
				return fault
			}
			return bybittest.None
		})
		if now, err := client.ServerTime(t.Context()); want == all && (err != nil || !now.Equal(start)) {
			t.Errorf("fault %d that passes: %v, %v", fault, now, err)
		}
	}
}

// Waits grow, and the exchange's header is added to them; one that asks for
// longer than a request may take ends it.
func TestWaits(t *testing.T) {
	recorder := &waits{}
	exchange := bybittest.New()
	client := serve(t, exchange, func(o *bybit.Options) { o.Wait, o.Backoff = recorder.wait, nil })
	for _, c := range []struct {
		fault  bybittest.Fault
		asked  time.Duration
		clocks string
	}{{bybittest.TimedOut, 0, ""}, {bybittest.LimitedFor, 2 * time.Second, "the local clock is years off"}, {bybittest.Limited, 0, ""}} {
		recorder.list = nil
		exchange.SetFault(func(int, *http.Request) bybittest.Fault { return c.fault })
		if _, err := client.ServerTime(t.Context()); err == nil {
			t.Fatal("no error")
		}
		if len(recorder.list) != 3 {
			t.Fatalf("fault %d: waited %v, want 3 times", c.fault, recorder.list)
		}
		for i, d := range recorder.list {
			mean := 500 * time.Millisecond << i
			if d < c.asked+mean/2 || d > c.asked+mean+mean/2+time.Millisecond {
				t.Errorf("fault %d: wait %d is %s, want %s and %s with jitter of a half", c.fault, i, d, c.asked, mean)
			}
		}
	}
	later := http.Header{"X-Bapi-Limit-Reset-Timestamp": {"1709294000000"}}
	client = replay(t, 200, later, []byte(`{"retCode":10006,"retMsg":"","result":{},"time":1709290000000}`))
	var api *bybit.APIError
	if _, err := client.ServerTime(t.Context()); !errors.As(err, &api) || api.Wait != 4000*time.Second {
		t.Errorf("error is %v, want one with a wait of 4,000 s", err)
	}
}

// The seed decides the jitter.
func TestSeed(t *testing.T) {
	exchange := bybittest.New()
	exchange.SetFault(func(int, *http.Request) bybittest.Fault { return bybittest.TimedOut })
	waited := func(seed uint64) []time.Duration {
		recorder := &waits{}
		client := serve(t, exchange, func(o *bybit.Options) { o.Wait, o.Backoff, o.Seed = recorder.wait, nil, seed })
		for range 2 {
			if _, err := client.ServerTime(t.Context()); err == nil {
				t.Fatal("no error")
			}
		}
		return recorder.list
	}
	one, again, other := waited(1), waited(1), waited(2)
	if len(one) != 6 || !slices.Equal(one, again) || slices.Equal(one, other) || slices.Equal(one[:3], one[3:]) {
		t.Errorf("waits %v with a seed, %v with the same, %v with another", one, again, other)
	}
}

// After a 403 nothing is asked until it may have passed.
func TestBan(t *testing.T) {
	exchange := bybittest.New()
	exchange.SetFault(func(number int, _ *http.Request) bybittest.Fault {
		if number == 0 {
			return bybittest.TooOften
		}
		return bybittest.None
	})
	now := start
	client := serve(t, exchange, func(o *bybit.Options) { o.Now = func() time.Time { return now } })
	for _, c := range []struct {
		after, left time.Duration
		requests    int
	}{{0, 10 * time.Minute, 1}, {time.Minute, 9 * time.Minute, 1}, {9*time.Minute + 59*time.Second, time.Second, 1}, {10 * time.Minute, 0, 2}} {
		now = start.Add(c.after)
		_, err := client.ServerTime(t.Context())
		var refused *bybit.HTTPError
		switch {
		case c.left == 0 && err != nil:
			t.Errorf("after %s: %v", c.after, err)
		case c.left > 0 && (!errors.As(err, &refused) || refused.Wait != c.left || !errors.Is(err, bybit.ErrRateLimited)):
			t.Errorf("after %s: %v, want a refusal with %s left", c.after, err, c.left)
		}
		if got := len(exchange.Requests()); got != c.requests {
			t.Errorf("after %s: %d requests, want %d", c.after, got, c.requests)
		}
	}
}

func TestSlowAnswer(t *testing.T) {
	exchange := bybittest.New()
	exchange.SetFault(func(int, *http.Request) bybittest.Fault { return bybittest.Slow })
	client := serve(t, exchange, func(o *bybit.Options) { o.Timeout, o.Attempts = time.Millisecond, 2 })
	_, err := client.ServerTime(t.Context())
	var connection *bybit.ConnectionError
	if !errors.As(err, &connection) || !errors.Is(err, bybit.ErrUnavailable) || !strings.Contains(err.Error(), "no whole answer within 1ms") {
		t.Errorf("error is %v", err)
	}
}

func TestNoServer(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	client := newClient(t, options(server.URL))
	server.Close()
	var connection *bybit.ConnectionError
	if _, err := client.ServerTime(t.Context()); !errors.As(err, &connection) {
		t.Errorf("error is %v, want a ConnectionError", err)
	}
}

func TestContext(t *testing.T) {
	exchange := bybittest.New(bybittest.Listing{Symbol: "AAAUSDT"})
	ctx, cancel := context.WithCancel(t.Context())
	exchange.SetFault(func(int, *http.Request) bybittest.Fault {
		cancel()
		return bybittest.Slow
	})
	client := serve(t, exchange, nil)
	query := bybit.KlineQuery{Category: bybit.Linear, Symbol: "AAAUSDT", Interval: bybit.Day, From: start.AddDate(0, 0, -3), Now: start}
	if _, err := client.Klines(ctx, query); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled request gives %v", err)
	}
	err := client.KlinesAll(ctx, []bybit.KlineQuery{query, query}, func(int, *bybit.Series, error) error {
		t.Error("each is called after the end")
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled requests give %v", err)
	}
	_, err = client.Funding(ctx, bybit.FundingQuery{Category: bybit.Linear, Symbol: "AAAUSDT"})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled funding gives %v", err)
	}
	limited := serve(t, bybittest.New(), func(o *bybit.Options) { o.Limiter = rate.NewLimiter(rate.Every(time.Hour), 1) })
	ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := limited.ServerTime(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := limited.ServerTime(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a limit beyond the deadline gives %v", err)
	}
}

// A redirect is followed within the host that was asked, and no further.
func TestRedirects(t *testing.T) {
	exchange := bybittest.New(bybittest.Listing{Symbol: "AAAUSDT"})
	exchange.SetNow(start)
	asked := 0
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		exchange.ServeHTTP(w, r)
	}))
	defer target.Close()
	for _, c := range []struct {
		name, to string
		follows  bool
	}{
		{"within the host", target.URL, true},
		{"another host", strings.Replace(target.URL, "127.0.0.1", "localhost", 1), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked = 0
			door := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, c.to+r.URL.RequestURI(), http.StatusFound)
			}))
			defer door.Close()
			client := newClient(t, options(door.URL))
			now, err := client.ServerTime(t.Context())
			if c.follows {
				if err != nil || !now.Equal(start) {
					t.Errorf("%v, %v, want %v", now, err, start)
				}
				return
			}
			var answer *bybit.HTTPError
			if !errors.As(err, &answer) || answer.Status != http.StatusFound || !strings.Contains(err.Error(), "leads to localhost") || asked > 0 {
				t.Errorf("error %v, and the other host was asked %d times", err, asked)
			}
			err = client.Follow(t.Context(), bybit.FollowQuery{Category: bybit.Linear, Interval: "1", Symbols: []string{"AAAUSDT"}, Since: start}, nil)
			if !errors.As(err, &answer) || asked > 0 {
				t.Errorf("the stream: %v, and the other host was asked %d times", err, asked)
			}
		})
	}
}

// What the exchange says reaches a message without letters that steer a terminal
// or turn the writing round.
func TestTextFromOutside(t *testing.T) {
	query := bybit.KlineQuery{Category: bybit.Linear, Symbol: "AAAUSDT", Interval: bybit.Day, From: start.AddDate(0, 0, -3), Now: start}
	for name, body := range map[string]string{
		"message": `{"retCode":10001,"retMsg":"a\u001b[2J\u009b1mb\u202ec\u0007","result":{}}`,
		"page":    "<html><title>a\x1b[2J\u202eb</title></html>",
		"symbol":  `{"retCode":0,"result":{"category":"linear","symbol":"a\u001b\u202e","list":[]}}`,
		"cell":    `{"retCode":0,"result":{"category":"linear","symbol":"AAAUSDT","list":[["\u001b\u202e","1","1","1","1","1","1"]]}}`,
		"json":    "{\"retCode\":\x1b}",
	} {
		_, err := replay(t, 200, nil, []byte(body)).Klines(t.Context(), query)
		if err == nil || strings.ContainsFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%s: error %q", name, err)
		}
	}
}
