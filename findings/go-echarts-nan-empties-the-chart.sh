#!/usr/bin/env bash
# go-echarts v2.6.7: one NaN among the values of a chart, and Render writes a page
# whose script ends at "let option_ID =", and returns no error.
#
# The options are encoded as JSON, which has no NaN, and the encoder's error is
# dropped. One would have guessed the error, or a gap in the line, which a nil
# draws. A moving average begins with NaN and a correlation of a halted asset is
# one: the whole report is blank in the browser, while the program says that all
# went well. An infinity does the same.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat >main.go <<'GO'
package main

import (
	"bytes"
	"fmt"
	"math"
	"regexp"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
)

var option = regexp.MustCompile(`let option_\w+ = *(\S?)`)

func main() {
	for _, value := range []any{2.0, nil, math.NaN(), math.Inf(1)} {
		line := charts.NewLine()
		line.SetXAxis([]string{"a", "b", "c"})
		line.AddSeries("mean", []opts.LineData{{Value: value}, {Value: 1.0}, {Value: 1.5}})
		var page bytes.Buffer
		err := line.Render(&page)
		fmt.Printf("%v: error %v, the option begins with %q\n", value, err, option.FindSubmatch(page.Bytes())[1])
	}
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/go-echarts/go-echarts/v2@v2.6.7 >/dev/null 2>&1
got=$(go run .)
printf '%s\n' "$got"
[[ $got == '2: error <nil>, the option begins with "{"
<nil>: error <nil>, the option begins with "{"
NaN: error <nil>, the option begins with ""
+Inf: error <nil>, the option begins with ""' ]]
