// Package portfolio holds the type that passes between the others: many weight
// vectors with the symbols of their columns, ids of their rows and, where they
// are known, the conditions that each of them meets. It reads and writes them
// as CSV, and parses the wish for conditions that a conditional model is given.
//
//	p, err := portfolio.ReadCSV("weights.csv", portfolio.ReadOptions{Symbols: symbols})
//	// weights.csv:17: row p16 sums to 0.98: weights sum to 1 within 1e-6
//	err = run.WriteFile("copy.csv", p.WriteCSV)
//
//	wish, err := portfolio.ParseWish("volatility=0.4,sector.L1<=0.35", p.Conditions.Names, nil)
//
// # Files
//
// Weights: a header of symbols, after an optional first column id; a row for
// each portfolio, which sums to 1. Conditions: a header of names after the same
// column id. Numbers are written with as many digits as bring back the same
// float64. Lines end in LF or CRLF. Names hold no comma and no quote, so that
// nothing needs escaping; quotes around a field are taken off.
package portfolio
