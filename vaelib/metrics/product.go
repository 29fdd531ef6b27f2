package metrics

import (
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/panel"
)

// tiles are returns laid out for the product with weights: tilePeriods periods
// of one asset stand side by side, then those of the next asset, and so on
// through the assets of a tile. The last tile is filled up with zeros.
type tiles struct {
	count, assets int
	data          []float64 // count x assets x tilePeriods
}

// A product is computed in rectangles of tilePeriods x groupRows values.
const (
	tilePeriods = panel.Columns
	groupRows   = panel.Rows
)

func pack(returns *mat.Dense) tiles {
	periods, n := returns.Dims()
	t := tiles{count: (periods + tilePeriods - 1) / tilePeriods, assets: n}
	t.data = make([]float64, t.count*n*tilePeriods)
	for period := range periods {
		tile, lane := period/tilePeriods, period%tilePeriods
		for j, r := range returns.RawRowView(period) {
			t.data[(tile*n+j)*tilePeriods+lane] = r
		}
	}
	return t
}

// padded is the number of periods with the zeros of the last tile.
func (t *tiles) padded() int { return t.count * tilePeriods }

// product writes the returns of the given number of portfolios to s.series,
// padded() values each. Every value is the chain of fused multiply-adds over
// the assets in their order, so that it has the same bits on every machine
// and wherever in a block its portfolio stands.
func (t *tiles) product(s *scratch, rows int, row func(int) []float64) {
	groups := (rows + groupRows - 1) / groupRows
	for g := range groups {
		packed := s.weights[g*groupRows*t.assets:][:groupRows*t.assets]
		for i := range groupRows {
			if g*groupRows+i >= rows {
				for j := range t.assets {
					packed[j*groupRows+i] = 0
				}
				continue
			}
			for j, v := range row(g*groupRows + i) {
				packed[j*groupRows+i] = v
			}
		}
	}
	for tile := range t.count {
		returns := t.data[tile*t.assets*tilePeriods:][:t.assets*tilePeriods]
		for g := range groups {
			weights := s.weights[g*groupRows*t.assets:][:groupRows*t.assets]
			panel.Multiply(s.series[g*groupRows*t.padded()+tile*tilePeriods:], t.padded(), weights, returns)
		}
	}
}
