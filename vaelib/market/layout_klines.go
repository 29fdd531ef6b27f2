package market

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// klineFiles are a folder of files, one an asset, each with a time and the
// numbers of a period: open, high, low, close, volume in any order, of which the
// close alone has to be there. The fetch verb writes them, and so do Yahoo,
// Stooq, Nasdaq, Investing.com, TradingView, Alpha Vantage, Tiingo, CoinGecko
// and ccxt, with other names for the columns. Where there are closes adjusted
// for splits and dividends, they are the prices.
type klineFiles struct{}

func (klineFiles) name() string { return klineLayout }

// mostColumns bounds those of a kline file.
const mostColumns = 100

func (klineFiles) recognise(h *head) (*plan, error) {
	names := h.names()
	if len(names) == 0 {
		return nil, nil
	}
	if err := h.checkNames(); err != nil {
		return nil, err
	}
	alone := !h.folder && !h.candles(names)
	const remedy = "a folder holds kline files, SYMBOL.csv with timestamp,open,high,low,close,volume"
	if len(names) > mostColumns && h.folder {
		return nil, h.errorf(h.header, 0, "%d columns: %s", len(names), remedy)
	}
	p := newPlan(klineLayout, candlesShape)
	p.skip, p.width, p.times = h.skip(), len(names), h.timeFields()
	if len(p.times) == 0 && !h.hasLetters(names) {
		if h.folder {
			return nil, h.errorf(h.header, 0, "no column date, time or timestamp: %s", remedy)
		}
		return nil, nil
	}
	if names, p.times = h.spelledOut(names, p.times); len(p.times) == 0 {
		return nil, nil
	}
	p.numbers(names)
	switch {
	case p.close < 0 && len(names) == 2 && h.folder && !isField(names[1-p.times[0]]): // a series of FRED
		p.close = 1 - p.times[0]
		p.symbol = names[p.close]
	case p.close < 0 && p.earned < 0 && h.folder:
		return nil, h.errorf(h.header, 0, "no column close: %s", remedy)
	case p.close < 0 && p.earned < 0, alone:
		return nil, nil
	}
	if m := tradingView.FindStringSubmatch(h.stem); m != nil {
		p.symbol = m[1]
	}
	return p, p.leaveOut(h)
}

// tradingView is the name of a file that TradingView exports: BINANCE_BTCUSDT, 1D.
var tradingView = regexp.MustCompile(`^[A-Z0-9]+_([^,]+), [0-9]*[A-Z]*( \([0-9]+\))?$`)

// letters are what Polygon, OKX and others call the numbers of a candle.
var letters = map[string]string{"o": "open", "h": "high", "l": "low", "c": "close", "v": "volume", "t": "timestamp",
	"ts": "timestamp"}

// hasLetters says whether columns have the letters of a candle and of its time.
func (h *head) hasLetters(names []string) bool {
	return h.folder && slices.Contains(names, "t") != slices.Contains(names, "ts") &&
		!slices.ContainsFunc([]string{"o", "h", "l", "c"}, func(letter string) bool {
			return !slices.Contains(names, letter)
		})
}

// spelledOut writes the letters of a candle as words.
func (h *head) spelledOut(names []string, times []int) ([]string, []int) {
	if !h.hasLetters(names) {
		return names, times
	}
	names = slices.Clone(names)
	for i, name := range names {
		names[i] = cmp.Or(letters[name], name)
	}
	return names, []int{slices.Index(names, "timestamp")}
}

// candles says whether the columns of a file that lies alone are the numbers of
// one asset.
func (h *head) candles(names []string) bool {
	open, high, low := find(names, openWords) >= 0, find(names, highWords) >= 0, find(names, lowWords) >= 0
	if open && high && low {
		return true
	}
	fields, others := 0, 0
	for i, name := range names {
		switch {
		case timeWords[canon(name)], name == "" && h.counts(i):
		case isField(name):
			fields++
		default:
			others++
		}
	}
	return fields > 1 && others == 0
}

// numbers finds the fields of a candle by their names.
func (p *plan) numbers(names []string) {
	raw := find(names, closeWords)
	if p.close = find(names, adjustedWords); p.close < 0 {
		p.close, p.split, p.factor = raw, find(names, splitWords), find(names, factorWords)
	} else {
		p.raw = raw
		p.said = append(p.said, "adjusted closes")
	}
	p.open, p.high, p.low = find(names, openWords), find(names, highWords), find(names, lowWords)
	if p.volume = find(names, volumeWords); p.volume < 0 {
		for i, name := range names {
			if strings.HasPrefix(canon(name), "volume") && i != p.close {
				p.volume = i
				break
			}
		}
	}
	p.turnover, p.earned = find(names, turnoverWords), find(names, returnWords)
}

// leaveOut notes the columns that are not read, and refuses those that are
// there twice.
func (p *plan) leaveOut(h *head) error {
	names := h.names()
	used := func(i int) bool {
		numbers := []int{p.asset, p.close, p.raw, p.factor, p.open, p.high, p.low, p.volume}
		for _, j := range append(numbers, p.times...) {
			if i == j {
				return true
			}
		}
		return false
	}
	for i, name := range names {
		if used(i) {
			continue
		}
		if j := column(names, name); used(j) && name != "" {
			return h.errorf(h.header, i+1, "column %s is there twice: keep one of them", name)
		}
		if name != "" {
			p.ignored = append(p.ignored, name)
		}
	}
	return nil
}
