#!/usr/bin/env bash
# gota v0.12.0: WriteCSV writes floats with six decimals, and the median of
# numbers with a NaN is one of the upper ones.
#
# A coin's closes of 0.0000123 and 0.0000118 are both 0.000012 when they are read
# back, and one of 0.0000004 is 0: a return of -4 % is 0, and the last one -100 %.
# One would have guessed the shortest text that gives the number again, which
# WriteJSON of the same frame has. The median counts NaN as the largest number,
# while the mean is NaN; and the largest is NaN if the NaN stands first, and else
# isn't.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat >main.go <<'GO'
package main

import (
	"bytes"
	"fmt"
	"math"

	"github.com/go-gota/gota/dataframe"
	"github.com/go-gota/gota/series"
)

func main() {
	closes := dataframe.New(series.New([]float64{0.0000123, 0.0000118, 0.0000004}, series.Float, "close"))
	var text, json bytes.Buffer
	check(closes.WriteCSV(&text))
	check(closes.WriteJSON(&json))
	fmt.Println("CSV, read back:", dataframe.ReadCSV(&text).Col("close").Float())
	fmt.Print("JSON: ", json.String())
	for _, x := range [][]float64{{1, 2, math.NaN()}, {math.NaN(), 1, 2}} {
		s := series.New(x, series.Float, "x")
		fmt.Println(x, "median", s.Median(), "mean", s.Mean(), "largest", s.Max())
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/go-gota/gota/dataframe@v0.12.0 >/dev/null 2>&1
got=$(go run .)
printf '%s\n' "$got"
[[ $got == 'CSV, read back: [1.2e-05 1.2e-05 0]
JSON: [{"close":0.0000123},{"close":0.0000118},{"close":4e-7}]
[1 2 NaN] median 2 mean NaN largest 2
[NaN 1 2] median 2 mean NaN largest NaN' ]]
