package bybittest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Fault is what goes wrong with one answer.
type Fault int

// The faults. Those from Repeat to Zero and Ignoring concern pages of candles,
// Empty and Hole pages of funding too, and do nothing to other answers.
const (
	None        Fault = iota
	Reset             // the connection ends without an answer
	Cut               // the connection ends within the body
	Truncated         // half of the JSON, in a sound answer
	Slow              // the first half of the body, and no more until the client gives up
	Forbidden         // 403 with a page
	TooOften          // 403 that says access too frequent
	BadGateway        // 502 with a page
	TooMany           // 429
	Limited           // code 10006 without a header that says until when
	LimitedFor        // code 10006 with a header: 2 seconds, by the exchange's clock
	TimedOut          // code 10016
	Gzip              // sound, packed
	Skew              // sound, but its clock is an hour off
	Huge              // 2 MiB of blanks before the JSON
	Repeat            // the page begins one candle too late in time
	Unsorted          // sound rows in a strange order
	Twice             // every row twice
	Numbers           // JSON numbers instead of strings
	Empty             // no rows
	Hole              // a row in the middle is left out
	WrongType         // a boolean among the numbers
	Text              // a word among the numbers
	Short             // a row lacks its last cell
	Zero              // a close of 0
	Mislabelled       // the answer is of another category
	Ignoring          // the newest rows, whatever start and end say
	Faults            // how many there are
)

// spoil does to the rows of a page what the fault says.
func (f Fault) spoil(rows [][]any) [][]any {
	if len(rows) == 0 {
		return rows
	}
	middle := len(rows) / 2
	switch f {
	case Unsorted:
		slices.Reverse(rows[middle:])
		rows[0], rows[middle] = rows[middle], rows[0]
	case Twice:
		rows = append(rows, slices.Clone(rows)...)
	case Numbers:
		for _, row := range rows {
			for j, cell := range row {
				row[j] = number(cell.(string))
			}
		}
	case Empty:
		return [][]any{}
	case Hole:
		return slices.Delete(rows, middle, middle+1)
	case WrongType:
		rows[middle][3] = true
	case Text:
		rows[middle][3] = "n/a"
	case Short:
		rows[middle] = rows[middle][:6]
	case Zero:
		rows[middle][4] = "0"
	}
	return rows
}

// number is written into JSON as it stands.
type number string

// MarshalJSON writes the digits without quotes.
func (n number) MarshalJSON() ([]byte, error) { return []byte(n), nil }

// write sends the answer as the fault lets it.
func (f Fault) write(w http.ResponseWriter, r *http.Request, answer any, now time.Time) {
	body := encode(answer)
	header := w.Header()
	header.Set("Content-Type", "application/json")
	page := func(status int, title string) {
		header.Set("Content-Type", "text/html")
		w.WriteHeader(status)
		fmt.Fprintf(w, "<!DOCTYPE HTML>\n<HTML><HEAD><TITLE>%s</TITLE></HEAD><BODY><H1>%d</H1></BODY></HTML>\n",
			title, status)
	}
	refuse := func(code int, message string) {
		w.Write(encode(map[string]any{"retCode": code, "retMsg": message, "result": map[string]any{},
			"time": now.UnixMilli()}))
	}
	switch f {
	case Reset:
		panic(http.ErrAbortHandler)
	case Cut:
		header.Set("Content-Length", strconv.Itoa(len(body)))
		w.Write(body[:len(body)/2])
		panic(http.ErrAbortHandler)
	case Truncated:
		w.Write(body[:len(body)/2])
	case Slow:
		w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush() // a client that has gone is what this waits for
		<-r.Context().Done()
	case Forbidden:
		page(http.StatusForbidden, "ERROR: The request could not be satisfied")
	case TooOften:
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, "403, access too frequent")
	case BadGateway:
		page(http.StatusBadGateway, "502 Bad Gateway")
	case TooMany:
		w.WriteHeader(http.StatusTooManyRequests)
	case LimitedFor:
		header.Set("X-Bapi-Limit-Status", "0")
		header.Set("X-Bapi-Limit-Reset-Timestamp", strconv.FormatInt(now.Add(2*time.Second).UnixMilli(), 10))
		refuse(10006, "Too many visits. Exceeded the API Rate Limit.")
	case Limited:
		refuse(10006, "Too many visits!")
	case TimedOut:
		refuse(10016, "Request timeout, please try again later")
	case Gzip:
		header.Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		z.Write(body)
		z.Close()
	case Skew:
		fields := answer.(map[string]any)
		fields["time"] = now.Add(time.Hour).UnixMilli()
		w.Write(encode(fields))
	case Mislabelled:
		if result := answer.(map[string]any)["result"].(map[string]any); result["category"] != nil {
			result["category"] = "option"
		}
		w.Write(encode(answer))
	case Huge:
		blanks := bytes.Repeat([]byte{' '}, 1<<20)
		for range 2 {
			if _, err := w.Write(blanks); err != nil {
				return // the client has seen enough
			}
		}
		w.Write(body)
	default:
		w.Write(body)
	}
}
