// Package tabular opens files of tables, however they are packed, and writes
// Parquet. What the tables mean, prices, weights or returns, is for others to say.
//
// [Open] tells text, gzip, zstd, bzip2, zip, UTF-16, Latin-1, Parquet and Arrow apart
// by their first bytes. Text is walked line by line, other files by columns, a batch of rows at a
// time; [OpenText] spells all of them as one CSV:
//
//	file, err := tabular.OpenText("weights.parquet")
//
// [WriteParquet] writes named columns, which pandas, polars, DuckDB and R's arrow
// read without a guess at types:
//
//	err := tabular.WriteParquet(file, []tabular.Series{
//		{Name: "id", Texts: []string{"a", "b"}},
//		{Name: "sharpe", Numbers: []float64{1.2, math.NaN()}},
//	})
//
// Numbers are float64; NaN, which stands for what is undefined, is null.
package tabular
