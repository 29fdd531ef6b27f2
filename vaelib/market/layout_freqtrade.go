package market

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"vaefolio/vaelib/tabular"
)

// freqtrade is the JSON of freqtrade and ccxt: an array of candles, each an
// array of the Unix time, open, high, low, close and volume.
type freqtrade struct{}

func (freqtrade) name() string { return "freqtrade" }

func (freqtrade) recognise(h *head) (*plan, error) {
	if h.ending != "json" {
		return nil, nil
	}
	start := bytes.TrimLeft(h.source.Lines.Peek(64), " \t\r\n")
	if len(start) == 0 || start[0] != '[' || !bytes.HasPrefix(bytes.TrimLeft(start[1:], " \t\r\n"), []byte("[")) {
		return nil, &DataError{File: h.source.Shown,
			Msg: "is no JSON of candles, [[time,open,high,low,close,volume],...]: write a CSV or Parquet"}
	}
	p := newPlan("freqtrade", candlesShape)
	p.width, p.times = 6, []int{0}
	p.open, p.high, p.low, p.close, p.volume = 1, 2, 3, 4, 5
	if m := binanceName.FindStringSubmatch(h.stem); m != nil {
		p.symbol = m[1]
	}
	return p, nil
}

// jsonRows walks an array of arrays of numbers.
type jsonRows struct {
	scanner
	decoder *json.Decoder
	values  []json.Number
}

func newJSONRows(s *tabular.File) *jsonRows {
	r := &jsonRows{scanner: scanner{Rows: tabular.Rows{File: s.Shown}, dialect: dialect{separator: ',', decimal: '.'}},
		decoder: json.NewDecoder(s.Lines)}
	r.decoder.UseNumber()
	if _, err := r.decoder.Token(); err != nil {
		r.refuse(err)
	}
	return r
}

func (r *jsonRows) refuse(err error) {
	if errors.Is(err, io.ErrUnexpectedEOF) || err == io.EOF {
		err = errors.New("it ends before its last bracket")
	}
	r.err = r.errorf(0, "is no sound JSON of candles: %v", err)
}

func (r *jsonRows) next() bool {
	if r.err != nil {
		return false
	}
	if !r.decoder.More() {
		if _, err := r.decoder.Token(); err != nil {
			r.refuse(err)
		}
		return false
	}
	r.Number++
	r.values = r.values[:0]
	if err := r.decoder.Decode(&r.values); err != nil {
		r.refuse(fmt.Errorf("candle %d is no row of numbers", r.Number))
		return false
	}
	r.fields = r.fields[:0]
	for _, v := range r.values {
		r.fields = append(r.fields, []byte(v))
	}
	return true
}
