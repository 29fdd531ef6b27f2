package metrics

import (
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/internal/gemm"
)

// lanes is the number of portfolios that are evaluated side by side.
const lanes = gemm.Columns

// groups are returns laid out for the product with weights: the returns of one
// asset in gemm.Rows periods stand side by side, then those of the next asset
// in these periods, and so on. The last group is filled up with zeros.
type groups struct {
	count, assets int
	data          []float64 // count x assets x gemm.Rows
}

func pack(returns *mat.Dense) groups {
	periods, n := returns.Dims()
	g := groups{count: (periods + gemm.Rows - 1) / gemm.Rows, assets: n}
	g.data = make([]float64, g.count*n*gemm.Rows)
	for period := range periods {
		group, row := period/gemm.Rows, period%gemm.Rows
		for j, r := range returns.RawRowView(period) {
			g.data[(group*n+j)*gemm.Rows+row] = r
		}
	}
	return g
}

// padded is the number of periods with the zeros of the last group.
func (g *groups) padded() int { return g.count * gemm.Rows }

func (g *groups) group(i int) []float64 {
	size := g.assets * gemm.Rows
	return g.data[i*size:][:size]
}

// series writes the returns of one portfolio to dst (padded values). Each is
// the chain of fused multiply-adds over the assets in their order: the same
// bits as those of product, on every machine.
func (g *groups) series(dst, w []float64) { gemm.Vector(dst, g.data, w) }

// product writes the returns of lanes portfolios to dst (padded x lanes), side
// by side for each period; weights (assets x lanes) stand likewise.
func (g *groups) product(dst, weights []float64) {
	for i := range g.count {
		gemm.Multiply(dst[i*gemm.Rows*lanes:], lanes, g.group(i), weights)
	}
}
