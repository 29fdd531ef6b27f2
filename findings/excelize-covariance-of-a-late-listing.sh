#!/usr/bin/env bash
# excelize v2.11.1: CalcCellValue of COVARIANCE.P and COVARIANCE.S is wrong where one
# of the columns has empty cells at its beginning, while CORREL and VAR aren't.
#
# An empty cell counts as a 0 in the sum of products and in the number of rows, but
# not in the mean that is taken off, so that the covariance of a column with itself
# is not its variance. One would have guessed the rows where both numbers are there,
# as Excel documents it (empty cells are passed over), and as CORREL does here:
# correlation times deviations gives another number than the covariance beside it.
# Returns of an asset that was listed later than the others look like this, and its
# beta is wrong without an error.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat >main.go <<'GO'
package main

import (
	"fmt"

	"github.com/xuri/excelize/v2"
)

func main() {
	market, listed := []float64{4, -2, 6, 1, 3, -5}, []float64{5, 2, 3, -4}
	for _, empty := range []int{0, 2} {
		book := excelize.NewFile()
		check(book.SetSheetCol("Sheet1", "A1", &market))
		check(book.SetSheetCol("Sheet1", "B3", &listed))
		first := 3 - empty // the rows from here on are looked at
		fmt.Println("empty cells:", empty)
		for _, f := range []string{"COVARIANCE.P(B%[1]d:B6,B%[1]d:B6)", "VAR.P(B%[1]d:B6)",
			"COVARIANCE.S(A%[1]d:A6,B%[1]d:B6)", "CORREL(A%[1]d:A6,B%[1]d:B6)*STDEV(A3:A6)*STDEV(B3:B6)"} {
			formula := fmt.Sprintf(f, first)
			check(book.SetCellFormula("Sheet1", "D1", formula))
			value, err := book.CalcCellValue("Sheet1", "D1")
			fmt.Println(" ", formula, value, err)
		}
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/xuri/excelize/v2@v2.11.1 >/dev/null 2>&1
got=$(go run .)
printf '%s\n' "$got"
[[ $got == 'empty cells: 0
  COVARIANCE.P(B3:B6,B3:B6) 11.25 <nil>
  VAR.P(B3:B6) 11.25 <nil>
  COVARIANCE.S(A3:A6,B3:B6) 17.8333333333333 <nil>
  CORREL(A3:A6,B3:B6)*STDEV(A3:A6)*STDEV(B3:B6) 17.8333333333333 <nil>
empty cells: 2
  COVARIANCE.P(B1:B6,B1:B6) 8.25 <nil>
  VAR.P(B1:B6) 11.25 <nil>
  COVARIANCE.S(A1:A6,B1:B6) 10.8 <nil>
  CORREL(A1:A6,B1:B6)*STDEV(A3:A6)*STDEV(B3:B6) 17.8333333333333 <nil>' ]]
