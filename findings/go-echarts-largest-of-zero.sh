#!/usr/bin/env bash
# go-echarts v2.6.7: VisualMap{Min: -50, Max: 0}, the colours of a map of drawdowns, is
# written without its Max, and ECharts, which takes 200 then, draws all of them in
# the lowest fifth of its colours.
#
# The fields are float32 with omitempty, which can't tell 0 from not set. One would
# have guessed -50 to 0, as Max: 0.001 gives it (-50 to 0.001). The scale of a radar
# (Indicator) is the same. There is no error, and the picture looks finished: losses
# of 5 % and of 45 % have nearly one colour. Axes are all right: their Max is an any.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat >main.go <<'GO'
package main

import (
	"fmt"
	"regexp"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
)

func main() {
	for _, largest := range []float32{10, 0.001, 0} {
		chart := charts.NewHeatMap()
		chart.SetGlobalOptions(charts.WithVisualMapOpts(opts.VisualMap{Min: -50, Max: largest}))
		chart.SetXAxis([]string{"OAK"}).AddSeries("drawdown", []opts.HeatMapData{{Value: [3]any{0, 0, -20}}})
		page := string(chart.RenderContent())
		fmt.Println(largest, regexp.MustCompile(`"visualMap":\[[^]]*\]`).FindString(page))
	}
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/go-echarts/go-echarts/v2@v2.6.7 >/dev/null 2>&1
got=$(go run .)
printf '%s\n' "$got"
[[ $got == '10 "visualMap":[{"calculable":null,"min":-50,"max":10}]
0.001 "visualMap":[{"calculable":null,"min":-50,"max":0.001}]
0 "visualMap":[{"calculable":null,"min":-50}]' ]]
