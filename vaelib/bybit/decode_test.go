package bybit

import (
	"errors"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"vaefolio/internal/sharedtest"
)

func TestDecodeKlines(t *testing.T) {
	const good = `["1709251200000","1","2","0.5","1.5","10","15"]`
	for _, c := range []struct {
		name, body string
		row        int
		text       string // of the error; "" for none
	}{
		{"strings", `{"symbol":"A","list":[` + good + `]}`, 0, ""},
		{"numbers", `{"symbol":"A","list":[[1709251200000,1,2,0.5,1.5e0,10,15]]}`, 0, ""},
		{"listing day", `{"symbol":"A","list":[["1709251200000","0","2","0","1.5","10","15"]]}`, 0, ""},
		{"flat", `{"symbol":"A","list":[["1709251200000","1","1","1","1","0","0"]]}`, 0, ""},
		{"none", `{"symbol":"A","list":[]}`, 0, ""},
		{"null", `{"symbol":"A","list":null}`, -1, "no list"},
		{"object", `{"symbol":"A","list":{}}`, -1, "cannot unmarshal object"},
		{"other symbol", `{"symbol":"B","list":[]}`, -1, `symbol "B"`},
		{"boolean", `{"symbol":"A","list":[` + good + `,["1709164800000","1",true,"0.5","1.5","10","15"]]}`, 1, "high: true where a number should be"},
		{"null cell", `{"symbol":"A","list":[["1709164800000","1","2","0.5",null,"10","15"]]}`, 0, "close: null"},
		{"list cell", `{"symbol":"A","list":[["1709164800000","1","2","0.5",["1"],"10","15"]]}`, 0, `close: ["1"]`},
		{"word", `{"symbol":"A","list":[["1709164800000","1","2","0.5","n/a","10","15"]]}`, 0, `close "n/a" is no number`},
		{"empty cell", `{"symbol":"A","list":[["1709164800000","","2","0.5","1","10","15"]]}`, 0, `open "" is no number`},
		{"not a number", `{"symbol":"A","list":[["1709164800000","NaN","2","0.5","1","10","15"]]}`, 0, `open "NaN"`},
		{"infinite", `{"symbol":"A","list":[["1709164800000","Inf","2","0.5","1","10","15"]]}`, 0, `open "Inf"`},
		{"overflow", `{"symbol":"A","list":[["1709164800000","1e999","2","0.5","1","10","15"]]}`, 0, `open "1e999"`},
		{"hexadecimal", `{"symbol":"A","list":[["1709164800000","0x1p4","2","0.5","1","10","15"]]}`, 0, `open "0x1p4"`},
		{"negative", `{"symbol":"A","list":[["1709164800000","1","2","0.5","1","-10","15"]]}`, 0, "volume -10 is below 0"},
		{"zero", `{"symbol":"A","list":[["1709164800000","1","2","0.5","0.0","10","15"]]}`, 0, "close is 0"},
		{"six cells", `{"symbol":"A","list":[["1709164800000","1","2","0.5","1","10"]]}`, 0, "not a list of 7"},
		{"eight cells", `{"symbol":"A","list":[["1709164800000","1","2","0.5","1","10","15","1"]]}`, 0, "not a list of 7"},
		{"row that is none", `{"symbol":"A","list":["1709164800000"]}`, 0, "not a list of 7"},
		{"null row", `{"symbol":"A","list":[null]}`, 0, "not a list of 7"},
		{"time of day", `{"symbol":"A","list":[["1709164860000","1","2","0.5","1","10","15"]]}`, 0, "2024-02-29T00:01:00Z is not an opening of the interval D"},
		{"seconds", `{"symbol":"A","list":[["1709164800","1","2","0.5","1","10","15"]]}`, 0, "not an opening"},
		{"time in the far future", `{"symbol":"A","list":[["1709164800000000","1","2","0.5","1","10","15"]]}`, 0, "no time in Unix milliseconds"},
		{"time with a point", `{"symbol":"A","list":[[1709164800000.0,"1","2","0.5","1","10","15"]]}`, 0, "no time in Unix milliseconds"},
		{"negative time", `{"symbol":"A","list":[["-86400000","1","2","0.5","1","10","15"]]}`, 0, "no time in Unix milliseconds"},
	} {
		t.Run(c.name, func(t *testing.T) {
			candles, err := decodeKlines([]byte(c.body), "A", Day)
			if c.text == "" {
				if err != nil || strings.Contains(c.body, "17") != (len(candles) == 1) {
					t.Errorf("%v, %v", candles, err)
				}
				return
			}
			var decode *DecodeError
			if !errors.As(err, &decode) || decode.Index != c.row || decode.Symbol != "A" || !strings.Contains(decode.Msg, c.text) {
				t.Errorf("error is %v, want one of row %d with %q", err, c.row, c.text)
			}
		})
	}
}

func TestRecordedMessages(t *testing.T) {
	for _, c := range []struct {
		file    string
		op      string
		success bool
		candle  Candle
	}{
		{file: "docs_ws_kline.json", candle: Candle{time.UnixMilli(1672324800000).UTC(), 16649.5, 16677, 16608, 16677, 2.081, 34666.4005}},
		{file: "docs_ws_pong_linear.json", op: "ping", success: true},
		{file: "ws_pong_spot.json", op: "ping", success: true},
		{file: "ws_subscribe_ok.json", op: "subscribe", success: true},
		{file: "ws_subscribe_error.json", op: "subscribe"},
	} {
		t.Run(c.file, func(t *testing.T) {
			raw, err := os.ReadFile(sharedtest.Path(t, "data", "bybit_responses", c.file))
			if err != nil {
				t.Fatal(err)
			}
			m, err := decodeMessage(raw)
			if err != nil || m.Op != c.op || m.Success != c.success {
				t.Fatalf("message is %+v, %v", m, err)
			}
			if c.op != "" {
				return
			}
			updates, err := m.updates("BTCUSDT", "5")
			if err != nil || len(updates) != 1 || updates[0] != (update{c.candle, false}) {
				t.Errorf("updates are %v, %v, want %v", updates, err, c.candle)
			}
		})
	}
}

func FuzzDecodeKlines(f *testing.F) {
	for _, seed := range []string{
		`{"symbol":"A","list":[["1709251200000","1","2","0.5","1.5","10","15"]]}`,
		`{"symbol":"A","list":[[1709251200000,1,2,0.5,1.5e0,10,15],["1709164800000","1","2","0.5","0x1p4","10","15"]]}`,
		`{"symbol":"A","list":[[null,true,[],{},"","-0","1e-999"]]}`,
		`{"symbol":"A","list":null}`, `[]`, `{"list":[[]]}`, "\xff", `{"symbol":"A","list":[["`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		candles, err := decodeKlines(body, "A", Day)
		if err != nil {
			var decode *DecodeError
			if !errors.As(err, &decode) || candles != nil || strings.ContainsAny(err.Error(), "\n\r") {
				t.Fatalf("error is %q with %v", err, candles)
			}
			return
		}
		for i, candle := range candles {
			checkCandle(t, i, candle, Day)
		}
	})
}

func FuzzDecodeMessage(f *testing.F) {
	for _, seed := range []string{
		`{"topic":"kline.5.BTCUSDT","data":[{"start":1672324800000,"end":1672325099999,"interval":"5","open":"16649.5","close":"16677","high":"16677","low":"16608","volume":"2.081","turnover":"34666.4005","confirm":false,"timestamp":1672324988882}],"ts":1672324988882,"type":"snapshot"}`,
		`{"success":true,"ret_msg":"subscribe","conn_id":"c","req_id":"sub1","op":"subscribe"}`,
		`{"success":true,"ret_msg":"pong","op":"ping"}`,
		`{"topic":"kline.5.BTCUSDT","data":null}`, `{"topic":1}`, `null`, `{"topic":"kline.5.BTCUSDT","data":[{"start":"x","confirm":1}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := decodeMessage(raw)
		var updates []update
		if err == nil {
			updates, err = m.updates("BTCUSDT", "5")
		}
		if err != nil {
			var decode *DecodeError
			if !errors.As(err, &decode) || updates != nil || strings.ContainsAny(err.Error(), "\n\r") {
				t.Fatalf("error is %q with %v", err, updates)
			}
			return
		}
		for i, u := range updates {
			checkCandle(t, i, u.candle, "5")
		}
	})
}

// checkCandle says what no decoder may let through.
func checkCandle(t *testing.T, i int, c Candle, interval Interval) {
	t.Helper()
	for _, x := range []float64{c.Open, c.High, c.Low, c.Close, c.Volume, c.Turnover} {
		if math.IsNaN(x) || math.IsInf(x, 0) || x < 0 {
			t.Fatalf("candle %d has %v", i, x)
		}
	}
	if c.Close == 0 || !interval.Floor(c.Start).Equal(c.Start) || c.Start.Before(time.Unix(0, 0)) {
		t.Fatalf("candle %d is %v", i, c)
	}
}

func TestWatch(t *testing.T) {
	type ping struct {
		received    int64
		reading     bool
		unconfirmed int64
	}
	for _, c := range []struct {
		name  string
		pings []ping
		text  string // of the error of the last ping
	}{
		{"alive", []ping{{0, true, 1}, {2, true, 0}, {3, true, 0}, {9, true, 0}}, ""},
		{"silent from the start", []ping{{0, true, 0}, {0, true, 0}}, "nothing came"},
		{"silent later", []ping{{1, true, 0}, {5, true, 0}, {5, true, 0}}, "nothing came"},
		{"receiver busy", []ping{{1, true, 0}, {5, true, 0}, {5, false, 0}, {5, false, 0}}, ""},
		{"confirmed late", []ping{{1, true, 2}, {2, true, 1}, {3, true, 0}}, ""},
		{"not confirmed", []ping{{1, true, 1}, {2, true, 1}, {3, true, 1}}, "not confirmed"},
	} {
		var w watch
		for i, p := range c.pings {
			err := w.check(p.received, p.reading, p.unconfirmed)
			if last := i == len(c.pings)-1; (err != nil) != (last && c.text != "") || err != nil && !strings.Contains(err.Error(), c.text) {
				t.Errorf("%s: ping %d gives %v", c.name, i, err)
			}
		}
	}
}

func BenchmarkDecodeKlines(b *testing.B) {
	body := []byte(`{"symbol":"A","list":[` + strings.TrimSuffix(strings.Repeat(`["1709251200000","43057.5","43600","39520","40724.5","102692.021","4182081209.2145"],`, 1000), ",") + `]}`)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, err := decodeKlines(body, "A", Day); err != nil {
			b.Fatal(err)
		}
	}
}
