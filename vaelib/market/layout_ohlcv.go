package market

import "regexp"

// ohlcv is a file of candles without a header, as Kraken's archives, ccxt and many
// programs that save what an exchange's API answers write them: Unix time, open, high,
// low, close, volume, perhaps the count of trades. Coinbase has the low and the high
// first. Which column is which shows in the numbers: no other is above the high or
// below the low, and the open comes before the close.
type ohlcv struct{}

func (ohlcv) name() string { return "ohlcv" }

// krakenName is the interval, in minutes, at the end of the name of a file of Kraken's.
var krakenName = regexp.MustCompile(`_(1|5|15|30|60|240|720|1440)$`)

// fewestCandles are so many that four columns in a fixed order are no accident.
const fewestCandles = 5

func (ohlcv) recognise(h *head) (*plan, error) {
	if len(h.names()) > 0 || len(h.lines) < fewestCandles || !h.folder {
		return nil, nil
	}
	width := len(h.lines[0])
	if width < 6 || width > 8 {
		return nil, nil
	}
	numbers := make([][]float64, 0, len(h.lines))
	for _, fields := range h.lines {
		if len(fields) != width || len(fields[0]) < 10 || !isTime(fields[0]) {
			return nil, nil
		}
		row := make([]float64, 4)
		for k := range row {
			v, ok := h.dialect.number([]byte(fields[k+1]))
			if !ok || v <= 0 {
				return nil, nil
			}
			row[k] = v
		}
		numbers = append(numbers, row)
	}
	high, low := extreme(numbers, 1), extreme(numbers, -1)
	if high < 0 || low < 0 {
		return nil, nil
	}
	p := newPlan("ohlcv", candlesShape)
	p.skip, p.width, p.times = h.skip(), width, []int{0}
	p.high, p.low, p.volume = high+1, low+1, 5
	for k := range 4 {
		switch {
		case k == high || k == low:
		case p.open < 0:
			p.open = k + 1
		default:
			p.close = k + 1
		}
	}
	p.symbol = krakenName.ReplaceAllString(h.stem, "")
	p.said = append(p.said, "without a header")
	return p, nil
}

// extreme is the one column whose number is the largest of every row (sign 1) or the
// smallest (-1), below 0 where there is none or more than one.
func extreme(rows [][]float64, sign float64) int {
	found := -1
	for k := range rows[0] {
		is := true
		for _, row := range rows {
			for _, v := range row {
				is = is && sign*row[k] >= sign*v
			}
		}
		switch {
		case is && found >= 0:
			return -1
		case is:
			found = k
		}
	}
	return found
}
