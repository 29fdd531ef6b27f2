// Package live chooses portfolios candle by candle: what a trained model and the
// last closes say, as one line of JSON for each closed candle.
//
// In go candles as they close, from an exchange or from files, and a model with a
// density of its codes; out come lines:
//
//	settings := live.Settings{Symbols: model.Symbols(), Set: set, Interval: "60", Lookback: 720, ...}
//	source, err := live.Follow(ctx, client, bybit.Linear, &settings, journal.Last(), note)
//	engine, err := live.NewEngine(generator, density, settings)
//	err = engine.Resume(journal.Last())
//	loop := live.Loop{Engine: engine, Out: journal, Note: note}
//	err = loop.Run(ctx, source)
//
// [Follow] has the candles of an exchange, [Replay] those of files, at full speed.
// Who has others hands them to an [Engine] row by row, which a [Joiner] makes of
// candles that come symbol by symbol.
//
// # What a line rests on
//
// The line of a candle is a function of the last closes up to its own, Lookback+1
// of them or, with a conditional model, as many as its conditions of the market
// take, if more ([Settings.Needed]); of the settings, the model, and the line
// before (for turnover alone). Nothing
// that happened after the candle's close has a part in it, nor when the program
// was started, in which order the symbols' candles came, or how often the
// connection broke. So the same candles from files give the same bytes, and a
// program that was down writes on its return what it would have written.
//
// The regime is that of a hidden Markov model fitted to the window's basket
// returns; its filtered probabilities at the window's last row use all rows of
// the fit and none after.
//
// # A conditional model
//
// is asked for portfolios of the market as it is: its conditions of the market
// (package corpus) are measured at the candle by the law that they had in the
// training set, with the thresholds and the regime model fitted there; terms of
// the wish are put in; the rest is what the training portfolio nearest to both
// had. A line says all that was asked for, and how far off that portfolio was: at
// several standard deviations the market is like none that the model has seen.
//
// # A model over sets of assets
//
// is placed at each decision in the symbols that have a close in every row of the
// lookback, and have moved in it: a listing enters at the candle that fills its window,
// and one that ends leaves at the next. So the run outlives both:
//
//	settings := live.Settings{Symbols: followed, Set: set, OverSets: model, Density: trained.Aggregate, ...}
//	rows, err := live.FollowListed(ctx, client, bybit.Linear, &settings, journal.Last(), note)
//	engine, err := live.NewEngine(nil, nil, settings)
//	err = loop.RunRows(ctx, rows)
package live
