#!/usr/bin/env bash
# excelize v2.11.1: CalcCellValue of NPV(0.1,B1:B4) takes the first cell of the range
# and leaves the others out, without an error: -909.09 instead of 118.84.
#
# Its NPV turns each argument into one number, and a range becomes its first cell.
# One would have guessed what the cells written one by one give, as Excel and
# LibreOffice have it, and as IRR and XNPV of the same range do in this library. A
# sheet that values a stream of payments is recalculated in Go to the first payment.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat >main.go <<'GO'
package main

import (
	"fmt"

	"github.com/xuri/excelize/v2"
)

func main() {
	for _, flows := range [][]float64{{-1000, 300, 420, 680}, {-90, 40, 40, 40}} {
		book := excelize.NewFile()
		check(book.SetSheetCol("Sheet1", "B1", &flows))
		for _, formula := range []string{"NPV(0.1,B1:B4)", "NPV(0.1,B1,B2,B3,B4)", "IRR(B1:B4)"} {
			check(book.SetCellFormula("Sheet1", "A1", formula))
			value, err := book.CalcCellValue("Sheet1", "A1")
			fmt.Println(flows, formula, value, err)
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
[[ $got == '[-1000 300 420 680] NPV(0.1,B1:B4) -909.090909090909 <nil>
[-1000 300 420 680] NPV(0.1,B1,B2,B3,B4) 118.844341233522 <nil>
[-1000 300 420 680] IRR(B1:B4) 0.163405602574348 <nil>
[-90 40 40 40] NPV(0.1,B1:B4) -81.8181818181818 <nil>
[-90 40 40 40] NPV(0.1,B1,B2,B3,B4) 8.61279967215352 <nil>
[-90 40 40 40] IRR(B1:B4) 0.158885175585747 <nil>' ]]
