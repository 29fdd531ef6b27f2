// Package market turns files of prices into dense windows of returns.
//
// In goes a wide CSV (a time, then one column of closes a symbol) or a folder
// of kline CSVs (SYMBOL.csv with timestamp, open, high, low, close, volume).
// Out comes a [Panel]: closes T x n with NaN where a symbol was not listed,
// and a [Cleaning] that says what was dropped, sorted, ignored or odd. A panel
// is ragged, since assets are born and die; a [Window] of it is dense:
//
//	panel, cleaning, err := market.Load("prices/", market.Options{})
//	fmt.Print(cleaning)
//	window, dropped, err := panel.Window("BTCUSDT", "ETHUSDT")
//	fmt.Println(dropped)
//	train, test, err := window.Split(0.75, 0)
//	figures(test.Returns, test.PeriodsPerYear())
//
// Returns are simple, per period: close over the close before, less 1. Nothing
// is filled, smoothed or guessed. What cannot be meant (text in a number, a
// price of 0, two prices at one time) is refused by a [*DataError] with file,
// line and column; what can be put right without a guess (identical rows
// twice, rows out of order) is put right and counted.
//
// Prices of perpetuals are not what a holder of them earns: [LoadFunding] reads
// the rates that longs pay to shorts, and [Window.WithFunding] takes them off.
// A [Universe] says which symbols could have been chosen at a time, and
// [CheckSurvivorship] suspects a list of today's.
//
// [ReadSectors] reads which symbol belongs to which sector, in whole or in
// part.
package market
