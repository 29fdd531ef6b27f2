package bybit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"golang.org/x/time/rate"

	"vaefolio/vaelib/stream"
)

// Hosts that the zero [Options] use. The exchange has others, by region.
const (
	DefaultBaseURL   = "https://api.bybit.com"
	DefaultStreamURL = "wss://stream.bybit.com"
)

// Options of a [Client]. The zero value of each field means its default.
type Options struct {
	BaseURL   string // of REST; default [DefaultBaseURL]
	StreamURL string // of WebSocket; default [DefaultStreamURL]
	// default: one of its own; a Timeout set there bounds an attempt too, a CheckRedirect is overruled
	HTTP     *http.Client
	Limiter  *rate.Limiter // default 100 requests a second in bursts of 20: the exchange allows 600 in 5 seconds
	Parallel int           // requests under way at once; default 8
	Attempts int           // of one request, the first included; default 6
	Timeout  time.Duration // of one attempt, body included; default 20 s
	MaxBody  int64         // bytes of one answer, unpacked; default 16 MiB
	// Backoff makes the waits between attempts: default 0.5 s, doubled up to 30
	// s, each times a random number in [0.5, 1.5) that Seed decides.
	Backoff func() backoff.BackOff
	Seed    uint64
	// PingInterval is the time between pings of a WebSocket; default 20 s.
	PingInterval time.Duration

	// Clocks, for tests: the time, a wait that ends early with the context, and
	// a ticker with the function that stops it.
	Now  func() time.Time
	Wait func(ctx context.Context, d time.Duration) error
	Tick func(d time.Duration) (ticks <-chan time.Time, stop func())
}

// EnsureDefaults gives the fields that are zero their defaults.
func (o *Options) EnsureDefaults() {
	if o.BaseURL == "" {
		o.BaseURL = DefaultBaseURL
	}
	if o.StreamURL == "" {
		o.StreamURL = DefaultStreamURL
	}
	if o.Limiter == nil {
		o.Limiter = rate.NewLimiter(100, 20)
	}
	if o.Parallel <= 0 {
		o.Parallel = 8
	}
	if o.HTTP == nil {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.MaxIdleConnsPerHost = o.Parallel // connections are kept, not made anew for each request
		o.HTTP = &http.Client{Transport: transport}
	}
	if o.Attempts <= 0 {
		o.Attempts = 6
	}
	if o.Timeout <= 0 {
		o.Timeout = 20 * time.Second
	}
	if o.MaxBody <= 0 {
		o.MaxBody = 16 << 20
	}
	if o.Backoff == nil {
		o.Backoff = jittered(o.Seed)
	}
	if o.PingInterval <= 0 {
		o.PingInterval = 20 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Wait == nil {
		o.Wait = wait
	}
	if o.Tick == nil {
		o.Tick = func(d time.Duration) (<-chan time.Time, func()) {
			t := time.NewTicker(d)
			return t.C, t.Stop
		}
	}
}

// jitter is waits that grow, each times a random number in [0.5, 1.5).
type jitter struct {
	backoff.ExponentialBackOff
	rng *rand.Rand
}

// jittered returns the maker of waits: those of the n-th request that it is
// called for are decided by the seed and n.
func jittered(seed uint64) func() backoff.BackOff {
	var n atomic.Uint64
	return func() backoff.BackOff {
		j := &jitter{*backoff.NewExponentialBackOff(), stream.New(seed, "bybit.backoff", n.Add(1))}
		j.RandomizationFactor, j.Multiplier, j.MaxInterval = 0, 2, 30*time.Second
		return j
	}
}

// NextBackOff returns the next wait.
func (j *jitter) NextBackOff() time.Duration {
	return time.Duration((0.5 + j.rng.Float64()) * float64(j.ExponentialBackOff.NextBackOff()))
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Client asks the exchange. It is safe for concurrent use; all its requests
// share one limiter.
type Client struct {
	opt   Options
	slots chan struct{} // as many as requests may be under way

	mu      sync.Mutex
	refusal *HTTPError // the last 403
	until   time.Time  // nothing is asked before
}

// New returns a client. It is an error when a URL has no host or another
// scheme than http and https, or ws and wss.
func New(opt Options) (*Client, error) {
	opt.EnsureDefaults()
	for _, u := range []struct {
		url     *string
		schemes string
	}{{&opt.BaseURL, "http https"}, {&opt.StreamURL, "ws wss"}} {
		parsed, err := url.Parse(*u.url)
		if err != nil || parsed.Host == "" || !strings.Contains(" "+u.schemes+" ", " "+parsed.Scheme+" ") {
			return nil, fmt.Errorf("URL %q has no host or is not of %s: give one such as %s",
				*u.url, strings.ReplaceAll(u.schemes, " ", " or "), DefaultBaseURL)
		}
		*u.url = strings.TrimRight(*u.url, "/")
	}
	own := *opt.HTTP
	own.CheckRedirect = sameHost
	opt.HTTP = &own
	return &Client{opt: opt, slots: make(chan struct{}, opt.Parallel)}, nil
}

// sameHost follows a redirect within one host alone: an answer of another is not
// the exchange's. One that is not followed is an [*HTTPError].
func sameHost(request *http.Request, via []*http.Request) error {
	const most = 10
	if len(via) >= most || request.URL.Hostname() != via[0].URL.Hostname() {
		return http.ErrUseLastResponse
	}
	return nil
}

// BaseURL is where the client asks.
func (c *Client) BaseURL() string { return c.opt.BaseURL }

// ServerTime is the clock of the exchange.
func (c *Client) ServerTime(ctx context.Context) (time.Time, error) {
	const path = "/v5/market/time"
	var result struct {
		Nano scalar `json:"timeNano"`
	}
	if err := c.get(ctx, path, nil, "", &result); err != nil {
		return time.Time{}, err
	}
	ns, err := strconv.ParseInt(string(result.Nano), 10, 64)
	if err != nil || ns <= 0 {
		return time.Time{}, &DecodeError{Path: path, Index: -1, Msg: fmt.Sprintf(
			"timeNano %q is no time in nanoseconds", string(result.Nano))}
	}
	return time.Unix(0, ns).UTC(), nil
}

// longestWait is the longest that a request waits because the exchange asks it
// to; beyond it the error is returned.
const longestWait = time.Minute

// get asks for path and decodes the result, trying again where that can help.
// The symbol is for messages. A result of another category than asked for is a
// [*DecodeError].
func (c *Client) get(ctx context.Context, path string, query url.Values, symbol string, result any) error {
	pause := c.opt.Backoff()
	pause.Reset()
	for attempt := 1; ; attempt++ {
		raw, err := c.attempt(ctx, path, query, symbol)
		if err == nil {
			return decodeResult(raw, path, symbol, query.Get("category"), result)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		asked, next := waitOf(err), pause.NextBackOff()
		if !retryable(err) || attempt == c.opt.Attempts || asked > longestWait || next == backoff.Stop {
			return err
		}
		if err := c.opt.Wait(ctx, asked+next); err != nil {
			return err
		}
	}
}

// decodeResult decodes the result of an answer, which must be of the category; ""
// where none was asked for.
func decodeResult(raw []byte, path, symbol, category string, result any) error {
	fail := func(format string, args ...any) error {
		return &DecodeError{Path: path, Symbol: symbol, Index: -1, Msg: fmt.Sprintf(format, args...)}
	}
	if err := json.Unmarshal(raw, result); err != nil {
		return fail("result is not as documented: %s", malformed(err))
	}
	if category == "" {
		return nil
	}
	var of struct {
		Category string `json:"category"`
	}
	if err := json.Unmarshal(raw, &of); err != nil {
		return fail("result is not as documented: %s", malformed(err))
	}
	if of.Category != category {
		return fail("result is of category %s, not %s", strconv.Quote(oneLine(of.Category)), category)
	}
	return nil
}

// attempt asks once and returns the result of an answer with code 0.
func (c *Client) attempt(ctx context.Context, path string, query url.Values, symbol string) (json.RawMessage, error) {
	if err := c.opt.Limiter.Wait(ctx); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%s: the limit of requests leaves no time before the deadline: %w",
			place(path, symbol), context.DeadlineExceeded)
	}
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := c.refused(); err != nil {
		return nil, err
	}
	status, header, body, err := c.fetch(ctx, path, query)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Code    *int            `json:"retCode"`
		Message string          `json:"retMsg"`
		Result  json.RawMessage `json:"result"`
		Time    int64           `json:"time"` // of the server; may be missing
	}
	decoded := json.Unmarshal(body, &answer)
	if status != http.StatusOK || decoded != nil && bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) {
		e := newHTTPError(path, status, header, body)
		if e.Status == http.StatusForbidden {
			c.refuse(e)
		}
		return nil, e
	}
	if decoded != nil {
		return nil, &DecodeError{Path: path, Symbol: symbol, Index: -1,
			Msg: "answer is not as documented: " + malformed(decoded)}
	}
	switch {
	case answer.Code == nil:
		return nil, &DecodeError{Path: path, Symbol: symbol, Index: -1,
			Msg: "answer has no retCode: is the base URL that of the exchange?"}
	case *answer.Code != 0:
		return nil, &APIError{Path: path, Symbol: symbol, Code: *answer.Code, Message: answer.Message,
			Wait: c.untilReset(header, answer.Time)}
	case len(answer.Result) == 0:
		return nil, &DecodeError{Path: path, Symbol: symbol, Index: -1, Msg: "answer has no result"}
	}
	return answer.Result, nil
}

// fetch makes one request and reads all of its body.
func (c *Client) fetch(ctx context.Context, path string, query url.Values) (status int, header http.Header, body []byte,
	err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.opt.Timeout, fmt.Errorf("no whole answer within %s", c.opt.Timeout))
	defer cancel()
	address := c.opt.BaseURL + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, nil, nil, err
	}
	request.Header.Set("User-Agent", "vaefolio")
	fault := func(err error) error {
		var inURL *url.Error
		if errors.As(err, &inURL) {
			err = inURL.Err // the address is long, and the path is in the message already
		}
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return &ConnectionError{Path: path, Err: err}
	}
	response, err := c.opt.HTTP.Do(request)
	if err != nil {
		return 0, nil, nil, fault(err)
	}
	defer response.Body.Close()
	body, err = io.ReadAll(io.LimitReader(response.Body, c.opt.MaxBody+1))
	if err != nil {
		return 0, nil, nil, fault(err)
	}
	if int64(len(body)) > c.opt.MaxBody {
		return 0, nil, nil, &DecodeError{Path: path, Index: -1, Msg: fmt.Sprintf("answer is longer than %d bytes",
			c.opt.MaxBody)}
	}
	return response.StatusCode, response.Header, body, nil
}

// untilReset is how long it takes until requests are allowed again, by the
// clock of the server where the answer has it; 0 where no header says.
func (c *Client) untilReset(header http.Header, serverTime int64) time.Duration {
	reset, err := strconv.ParseInt(header.Get("X-Bapi-Limit-Reset-Timestamp"), 10, 64)
	if err != nil {
		return 0
	}
	now := c.opt.Now()
	if serverTime > 0 {
		now = time.UnixMilli(serverTime)
	}
	return max(0, time.UnixMilli(reset).Sub(now))
}

// refuse keeps the client from asking while the exchange refuses it.
func (c *Client) refuse(e *HTTPError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refusal, c.until = e, c.opt.Now().Add(e.Wait)
}

// refused returns the refusal that still holds, with the wait that is left.
func (c *Client) refused() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	left := c.until.Sub(c.opt.Now())
	if c.refusal == nil || left <= 0 {
		return nil
	}
	e := *c.refusal
	e.Wait = left
	return &e
}

// scalar is a number of an answer: a JSON string or a JSON number, as written.
type scalar string

// UnmarshalJSON refuses what is neither.
func (s *scalar) UnmarshalJSON(data []byte) error {
	if data[0] == '"' {
		if inside := data[1 : len(data)-1]; !bytes.ContainsRune(inside, '\\') {
			*s = scalar(inside)
			return nil
		}
		return json.Unmarshal(data, (*string)(s))
	}
	if data[0] != '-' && (data[0] < '0' || data[0] > '9') {
		return fmt.Errorf("%s where a number should be", oneLine(string(data)))
	}
	*s = scalar(data)
	return nil
}
