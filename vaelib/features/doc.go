// Package features describes the state of a market at a time by what was known
// then: rolling mean, volatility, momentum, drawdown, tail risk, trend,
// dispersion, a volatility index, and the shape of the correlations.
//
// In goes a ragged [market.Panel] (or a dense [market.Window]), out comes a
// [Table]: named columns over the times of the returns, per asset and for
// baskets of assets, each value with a flag that says whether it is defined:
//
//	table, err := features.Build(ctx, panel, features.Config{})
//	scaler, err := table.Fit(0, split)         // training rows only
//	scaled, err := scaler.Apply(table)         // the same numbers for all rows
//	rows := scaled.Complete(0, scaled.Len())   // rows past every warm-up
//	conditions, err := scaled.Matrix(rows)     // N x c, finite
//
// # What is known when
//
// Row t of a table rests on returns 0 to t and on nothing later. Return t ends
// with the close of the candle that the file labels [Table.Times][t]; exchanges
// label a candle by its opening, so that the row may be acted on from
// [Table.Known](t), one interval later. Altering any price after row t leaves
// every value up to row t as it was, bit for bit.
//
// # Undefined values
//
// A value is undefined while its window reaches back before the first return
// of an asset, over a time at which the asset had none, or where the quantity
// has no meaning (momentum at zero volatility). Undefined values hold 0 and are
// flagged; none is ever NaN.
//
// # Accuracy and cost
//
// Windows slide in O(T), whatever their width: each is joined from two
// pre-joined parts (van Herk 1992; Gil & Werman 1993), and nothing that left a
// window is ever subtracted. So rounding doesn't add up over the rows, and one
// wild return doesn't spoil those after it. VaR and CVaR cost O(T log w).
package features
