package choose

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/internal/inorder"
	"vaefolio/vaelib/internal/parallel"
)

// Stress is something bad that may happen to a portfolio. The loss is a share of
// its wealth, and the sum of what each asset contributes to it.
type Stress struct {
	Name string
	// Contribute writes the loss that each asset contributes at weights w (n) to
	// dst (n). It may be called from several goroutines at once.
	Contribute func(dst, w []float64)
}

// Stresses makes a stress of every scenario: asset j contributes the loss
// -w_j r_j.
func (s *Scenarios) Stresses() []Stress {
	var all []Stress
	for i, name := range s.Names {
		r := s.Returns.RawRowView(i)
		all = append(all, Stress{name, func(dst, w []float64) {
			for j, v := range w {
				dst[j] = -v * r[j]
			}
		}})
	}
	return all
}

// AssetToZero is the stress in which one asset loses everything and the others
// nothing.
func AssetToZero(asset int, symbol string) Stress {
	return Stress{symbol + " to zero", func(dst, w []float64) {
		clear(dst)
		dst[asset] = w[asset]
	}}
}

// VolatilityTimes is the stress in which every volatility is factor times that of
// the covariance per period (n x n), correlations as they are, and the portfolio
// falls by a number of its standard deviations over a horizon; a mean return is
// not counted on. A fall of x compounds: the loss is 1 - exp(-x), never more than
// everything. The contributions are Euler's, the shares w_j (cov w)_j / w'cov w of
// the loss.
func VolatilityTimes(factor float64, cov *mat.SymDense, deviations float64, horizon int) Stress {
	scale := factor * deviations * math.Sqrt(float64(horizon))
	return Stress{fmt.Sprintf("volatility times %g", factor), func(dst, w []float64) {
		mat.NewVecDense(len(dst), dst).MulVec(cov, mat.NewVecDense(len(w), w))
		floats.Mul(dst, w)
		variance := inorder.Sum(dst)
		if !(variance > 0) {
			clear(dst)
			return
		}
		floats.Scale(-math.Expm1(-scale*math.Sqrt(variance))/variance, dst)
	}}
}

// CorrelationsToOne is the stress in which all assets move as one, volatilities
// as in the covariance per period (n x n): the portfolio's volatility is then
// |w.sigma|, of which it falls by a number of deviations over a horizon, as in
// VolatilityTimes. The difference from VolatilityTimes(1, ...) is what
// diversification was counted on for.
func CorrelationsToOne(cov *mat.SymDense, deviations float64, horizon int) Stress {
	n := cov.SymmetricDim()
	sigma := make([]float64, n)
	for j := range sigma {
		sigma[j] = math.Sqrt(cov.At(j, j))
	}
	scale := deviations * math.Sqrt(float64(horizon))
	return Stress{"correlations to one", func(dst, w []float64) {
		floats.MulTo(dst, w, sigma)
		volatility := inorder.Sum(dst) // negative where net short: then a rise is the loss
		if volatility == 0 {
			clear(dst)
			return
		}
		floats.Scale(-math.Expm1(-scale*math.Abs(volatility))/volatility, dst)
	}}
}

// Liquidation is the stress of having to sell everything within one period:
// asset j costs w_j sigma_j sqrt(w_j capital / traded_j), the square-root law
// of market impact with a coefficient of 1 (Tóth et al. 2011, "Anomalous price
// impact and the critical nature of liquidity in financial markets"). Traded
// is the value traded in a period (n), in the currency of the capital, and the
// covariance per period gives the volatilities. No asset costs more than it is
// worth.
func Liquidation(cov *mat.SymDense, traded []float64, capital float64) (Stress, error) {
	if len(traded) != cov.SymmetricDim() || !(capital > 0) {
		return Stress{}, fmt.Errorf("liquidation of a capital of %v with %d values traded for %d assets: give a "+
			"positive capital and a value each", capital, len(traded), cov.SymmetricDim())
	}
	impact := make([]float64, len(traded))
	for j, v := range traded {
		if !(v > 0) {
			return Stress{}, fmt.Errorf(
				"asset %d trades %v: without trade it can't be sold at any price", j+1, v)
		}
		impact[j] = math.Sqrt(cov.At(j, j) * capital / v)
	}
	return Stress{"liquidation", func(dst, w []float64) {
		for j, v := range w {
			size := math.Abs(v)
			dst[j] = size * min(1, impact[j]*math.Sqrt(size))
		}
	}}, nil
}

// Driver is an asset's part of a loss.
type Driver struct {
	Asset int
	Loss  float64 // share of the portfolio's wealth
}

// Driver returns the asset with the largest part in the loss, or gain, of weights w (n); nil
// where none has any.
func (s *Stress) Driver(w []float64) *Driver {
	parts := make([]float64, len(w))
	s.Contribute(parts, w)
	all := drivers(parts)
	if len(all) == 0 {
		return nil
	}
	if last := all[len(all)-1]; inorder.Sum(parts) < 0 {
		return &last
	}
	return &all[0]
}

// StressResult is what one stress does to many portfolios.
type StressResult struct {
	Name    string
	Losses  []float64 // N, shares of wealth; negative is a gain
	Mean    float64   // of the losses
	Worst   int       // row with the largest loss
	Drivers []Driver  // of the worst row's loss, the largest first
	Typical []Driver  // of the mean loss over all rows, the largest first
}

// Loss is an asset's part of a loss, by its name.
type Loss struct {
	Symbol string  `json:"symbol"`
	Loss   float64 `json:"loss"` // share of the portfolio's wealth
}

// StressSummary is what one stress does, in a few numbers.
type StressSummary struct {
	Name    string  `json:"name"`
	Mean    float64 `json:"mean_loss"`
	Worst   float64 `json:"worst_loss"`
	Drivers []Loss  `json:"drivers"` // of the worst loss, at most five
	Typical []Loss  `json:"typical"` // of the mean loss, at most five
}

// Summary sums a result up, in the names of the assets (n).
func (r *StressResult) Summary(symbols []string) StressSummary {
	named := func(from []Driver) []Loss {
		var all []Loss
		for _, d := range from[:min(5, len(from))] {
			all = append(all, Loss{symbols[d.Asset], d.Loss})
		}
		return all
	}
	return StressSummary{r.Name, r.Mean, r.Losses[r.Worst], named(r.Drivers), named(r.Typical)}
}

// RunStresses puts the rows of weights (N x n) through stresses. It returns an error where
// there is no stress, or a portfolio has no loss, and the context's.
func RunStresses(
	ctx context.Context, weights *mat.Dense, stresses []Stress, progress func(done, total int, note string),
) ([]StressResult, error) {
	if len(stresses) == 0 {
		return nil, errors.New("no stresses to run: give at least one")
	}
	rows, n := weights.Dims()
	results := make([]StressResult, len(stresses))
	parts := mat.NewDense(rows, n, nil)
	for k, stress := range stresses {
		r := &results[k]
		r.Name, r.Losses = stress.Name, make([]float64, rows)
		if err := parallel.For(ctx, rows, func(_, i int) error {
			stress.Contribute(parts.RawRowView(i), weights.RawRowView(i))
			r.Losses[i] = inorder.Sum(parts.RawRowView(i))
			if math.IsNaN(r.Losses[i]) {
				return fmt.Errorf("stress %q has no loss for portfolio %d: are weights and data finite?",
					stress.Name, i+1)
			}
			return nil
		}); err != nil {
			return nil, err
		}
		r.Mean = inorder.Sum(r.Losses) / float64(rows)
		r.Worst = floats.MaxIdx(r.Losses)
		r.Drivers = drivers(parts.RawRowView(r.Worst))
		mean := make([]float64, n)
		for i := range rows {
			floats.AddScaled(mean, 1/float64(rows), parts.RawRowView(i))
		}
		r.Typical = drivers(mean)
		if progress != nil {
			progress(k+1, len(stresses), stress.Name)
		}
	}
	return results, nil
}

// Hardest returns the count rows of weights that lose most in any of the stresses
// run on them, the hardest hit first, and the largest loss of each.
func Hardest(results []StressResult, count int) (rows []int, losses []float64) {
	largest := make([]float64, len(results[0].Losses))
	for i := range largest {
		largest[i] = math.Inf(-1)
		for _, r := range results {
			largest[i] = max(largest[i], r.Losses[i])
		}
		rows = append(rows, i)
	}
	slices.SortStableFunc(rows, func(a, b int) int { return cmp.Compare(largest[b], largest[a]) })
	rows = rows[:min(count, len(rows))]
	for _, i := range rows {
		losses = append(losses, largest[i])
	}
	return rows, losses
}

// drivers are the assets with a part in a loss or gain, the largest loss first.
func drivers(parts []float64) []Driver {
	var d []Driver
	for j, v := range parts {
		if v != 0 {
			d = append(d, Driver{j, v})
		}
	}
	slices.SortStableFunc(d, func(a, b Driver) int { return cmp.Compare(b.Loss, a.Loss) })
	return d
}
