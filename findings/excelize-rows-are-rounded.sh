#!/usr/bin/env bash
# excelize v2.11.1: GetRows gives cells as they look, so that a close of 184.63749
# under the format 0.00 is read as 184.64, a weight of 0.12345 as 12%, and
# 2 January 2024 as 01-02-24.
#
# One would have guessed the values, which openpyxl 3.1.5 reads from the same file.
# Returns of a coin at 0.31 are off by whole percents, weights don't sum to 1, and
# the date has the month first wherever the sheet was written. RawCellValue gives
# 184.63749 and the serial day 45293.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check openpyxl==3.1.5
env/bin/python - <<'PY'
import datetime
import openpyxl

book = openpyxl.Workbook()
book.active.append([datetime.date(2024, 1, 2), 184.63749, 0.12345])
for cell, form in zip(book.active[1], ("mm-dd-yy", "0.00", "0%")):
    cell.number_format = form
book.save("closes.xlsx")
print("openpyxl:", [cell.value for cell in openpyxl.load_workbook("closes.xlsx").active[1]][1:])
PY
cat >main.go <<'GO'
package main

import (
	"fmt"

	"github.com/xuri/excelize/v2"
)

func main() {
	book, err := excelize.OpenFile("closes.xlsx")
	if err != nil {
		panic(err)
	}
	fmt.Println(book.GetRows("Sheet"))
	fmt.Println(book.GetRows("Sheet", excelize.Options{RawCellValue: true}))
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/xuri/excelize/v2@v2.11.1 >/dev/null 2>&1
got=$(go run .)
printf '%s\n' "$got"
[[ $got == '[[01-02-24 184.64 12%]] <nil>
[[45293 184.63749 0.12345]] <nil>' ]]
