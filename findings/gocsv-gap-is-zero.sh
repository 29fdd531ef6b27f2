#!/usr/bin/env bash
# gocsv v0.0.0-20240520201108-78e41c74b4b1: an empty field read into a float64 is
# 0, and a comma in a number is a decimal point, wherever the file comes from.
#
# One would have guessed an error for the empty field, as strconv.ParseFloat and
# encoding/json give one, and either 1234 or an error for "1,234" beside closes
# that are written with points. What comes out is a price of 0 before an asset's
# listing, and 1.234 where a broker wrote thousands with a comma; "1,234.5" is an
# error, so that only round prices are divided by a thousand. A field of type
# *float64 tells the gap, and a type of one's own the comma.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat >main.go <<'GO'
package main

import (
	"fmt"

	"github.com/gocarina/gocsv"
)

func main() {
	var rows []struct {
		Date  string  `csv:"date"`
		Close float64 `csv:"close"`
	}
	err := gocsv.UnmarshalString("date,close\n2024-01-02,\n2024-01-03,999.5\n2024-01-04,\"1,234\"\n", &rows)
	fmt.Println(rows, err)
	err = gocsv.UnmarshalString("date,close\n2024-01-05,\"1,234.5\"\n", &rows)
	fmt.Println("with thousands and decimals:", err != nil)
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/gocarina/gocsv@v0.0.0-20240520201108-78e41c74b4b1 >/dev/null 2>&1
got=$(go run .)
printf '%s\n' "$got"
[[ $got == '[{2024-01-02 0} {2024-01-03 999.5} {2024-01-04 1.234}] <nil>
with thousands and decimals: true' ]]
