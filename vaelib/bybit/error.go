package bybit

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Classes of errors, for errors.Is.
var (
	// ErrSymbol: the exchange doesn't know the symbol, or a parameter.
	ErrSymbol = errors.New("symbol or parameter not accepted by the exchange")
	// ErrRateLimited: too many requests; waiting helps.
	ErrRateLimited = errors.New("too many requests")
	// ErrRefused: nothing will be answered to this address or country; another
	// host or network may, or time.
	ErrRefused = errors.New("refused by the exchange")
	// ErrUnavailable: the exchange or the way to it is out of order.
	ErrUnavailable = errors.New("exchange can't be reached or is out of order")
)

// Codes of answers, from the exchange's documentation.
const (
	codeServer     = 10000
	codeParameter  = 10001
	codeRateLimit  = 10006
	codeRegion     = 10009
	codeTimeout    = 10016
	codeCompliance = 10024
	codeSymbol     = 10029
)

// APIError is an answer with a code other than 0.
type APIError struct {
	Path    string // of the request
	Symbol  string // asked for; "" where none was
	Code    int
	Message string        // of the exchange; it varies for one code
	Wait    time.Duration // how long the exchange asks to wait; 0: it doesn't say
}

func (e *APIError) Error() string {
	text := fmt.Sprintf("%s: exchange code %d: %s", place(e.Path, e.Symbol), e.Code, oneLine(e.Message))
	switch {
	case errors.Is(e, ErrSymbol):
		text += ": check symbol and category"
	case errors.Is(e, ErrRefused):
		text += ": the exchange doesn't serve this region; a regional host may"
	case errors.Is(e, ErrRateLimited):
		text += ": wait, or ask for fewer requests a second"
	}
	return text
}

// Is tells the class of the error.
func (e *APIError) Is(class error) bool {
	switch e.Code {
	case codeParameter, codeSymbol:
		return class == ErrSymbol
	case codeRateLimit:
		return class == ErrRateLimited
	case codeRegion, codeCompliance:
		return class == ErrRefused
	case codeServer, codeTimeout:
		return class == ErrUnavailable
	}
	return false
}

// HTTPError is an answer that is none of the exchange's interface: a status
// other than 200, or a page where JSON should be.
type HTTPError struct {
	Path   string
	Status int
	Text   string        // title or first words of the body
	Wait   time.Duration // how long to wait before another try; 0: not known
}

// banWait is how long an address is banned that asked too often.
const banWait = 10 * time.Minute

func (e *HTTPError) Error() string {
	text := fmt.Sprintf("%s: HTTP %d %s", e.Path, e.Status, strings.ToLower(http.StatusText(e.Status)))
	if e.Text != "" {
		text += fmt.Sprintf(" (%s)", e.Text)
	}
	switch {
	case e.Status == http.StatusForbidden && errors.Is(e, ErrRateLimited):
		text += fmt.Sprintf(": this address asked too often, wait %s", e.Wait)
	case e.Status == http.StatusForbidden:
		text += ": this country or address is not served by this host; another host may"
	case e.Status == http.StatusTooManyRequests:
		text += ": wait, or ask for fewer requests a second"
	case e.Status >= 500:
		text += ": out of order, try again later"
	default:
		text += ": no answer of the exchange's interface, check the base URL"
	}
	return text
}

// Is tells the class of the error.
func (e *HTTPError) Is(class error) bool {
	switch {
	case e.Status == http.StatusForbidden:
		return class == ErrRefused || class == ErrRateLimited && tooFrequent.MatchString(e.Text)
	case e.Status == http.StatusTooManyRequests:
		return class == ErrRateLimited
	case e.Status >= 500:
		return class == ErrUnavailable
	}
	return false
}

var (
	tooFrequent = regexp.MustCompile(`(?i)too\s+(frequent|many)`)
	pageTitle   = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`)
	pageTag     = regexp.MustCompile(`(?s)<[^>]*>`)
)

// newHTTPError makes an error of a body that is no answer.
func newHTTPError(path string, status int, header http.Header, body []byte) *HTTPError {
	text := string(body)
	if kind, _, _ := mime.ParseMediaType(header.Get("Content-Type")); kind == "text/html" ||
		strings.HasPrefix(strings.TrimSpace(text), "<") {
		page := text
		text = strings.TrimPrefix(html.UnescapeString(pageTag.ReplaceAllString(page, " ")), "\ufeff")
		if title := pageTitle.FindStringSubmatch(page); title != nil {
			text = html.UnescapeString(title[1])
		}
		if tooFrequent.MatchString(page) && !tooFrequent.MatchString(text) {
			text += ": access too frequent"
		}
	}
	if to, err := url.Parse(header.Get("Location")); err == nil && to.Host != "" {
		text = "leads to " + to.Host // another host, or one that leads in a circle
	}
	e := &HTTPError{Path: path, Status: status, Text: oneLine(text)}
	if status == http.StatusForbidden {
		e.Wait = banWait
	}
	if seconds, err := strconv.Atoi(header.Get("Retry-After")); err == nil && seconds > 0 && e.Wait == 0 {
		e.Wait = time.Duration(min(seconds, 86400)) * time.Second
	}
	return e
}

// ConnectionError is a request without an answer: no connection, one that
// broke, or none in time.
type ConnectionError struct {
	Path string
	Err  error
}

func (e *ConnectionError) Error() string {
	return fmt.Sprintf("%s: %s: check the network and the base URL", e.Path, oneLine(e.Err.Error()))
}

func (e *ConnectionError) Unwrap() error { return e.Err }

// Is tells the class of the error.
func (e *ConnectionError) Is(class error) bool { return class == ErrUnavailable }

// DecodeError is an answer that is not what the exchange documents.
type DecodeError struct {
	Path   string // of the request, or topic of the message
	Symbol string // "" where none is at fault
	Index  int    // of the row in the answer; -1 where none is at fault
	Msg    string
}

func (e *DecodeError) Error() string {
	text := place(e.Path, oneLine(e.Symbol))
	if e.Index >= 0 {
		text += fmt.Sprintf(", row %d", e.Index)
	}
	return text + ": " + e.Msg
}

// SubscribeError is the exchange's refusal of a subscription.
type SubscribeError struct {
	Message string // of the exchange; it names the topic
}

func (e *SubscribeError) Error() string {
	return fmt.Sprintf("subscription refused: %s: check symbols and category", oneLine(e.Message))
}

// Is tells the class of the error.
func (e *SubscribeError) Is(class error) bool { return class == ErrSymbol }

// retryable says whether another try can succeed.
func retryable(err error) bool {
	var api *APIError
	var answer *HTTPError
	var connection *ConnectionError
	switch {
	case errors.As(err, &api):
		return api.Code == codeServer || api.Code == codeRateLimit || api.Code == codeTimeout
	case errors.As(err, &answer):
		return answer.Status == http.StatusTooManyRequests || answer.Status >= 500
	}
	return errors.As(err, &connection)
}

// waitOf is how long the exchange asks to wait after an error.
func waitOf(err error) time.Duration {
	var api *APIError
	var answer *HTTPError
	switch {
	case errors.As(err, &api):
		return api.Wait
	case errors.As(err, &answer):
		return answer.Wait
	}
	return 0
}

// place names a request.
func place(path, symbol string) string {
	if symbol == "" {
		return path
	}
	return symbol + ": " + path
}

// longestText bounds what is quoted from outside.
const longestText = 160

// malformed says what is wrong with JSON, in words of ours.
func malformed(err error) string {
	switch e := err.(type) {
	case *json.SyntaxError:
		if strings.HasPrefix(e.Error(), "unexpected end") {
			return fmt.Sprintf("an unexpected end at byte %d", e.Offset)
		}
		return fmt.Sprintf("no sound JSON at byte %d", e.Offset)
	case *json.UnmarshalTypeError:
		return fmt.Sprintf("a JSON %s in the place of another kind of value", e.Value)
	}
	return oneLine(err.Error())
}

// oneLine makes text from outside fit for a message: without letters that have no
// picture, which steer a terminal or turn the writing round.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, strings.ToValidUTF8(text, "?"))
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > longestText {
		text = string(runes[:longestText]) + "..."
	}
	return text
}
