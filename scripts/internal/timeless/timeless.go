// Package timeless compares files of two runs of one configuration: their bytes are
// the same but for what clocks say.
package timeless

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"strings"
)

// Equal says whether two contents of a file of a run, by its slashed name, are the
// same but for times.
func Equal(name string, a, b []byte) bool {
	switch path.Base(name) {
	case "history.csv":
		a, b = withoutColumns(a), withoutColumns(b)
	case "report.html":
		a, b = timesOfReport.ReplaceAll(a, []byte("$1")), timesOfReport.ReplaceAll(b, []byte("$1"))
		return EqualReports(a, b)
	case "diagnostics.json":
		a, b = timesOfSearches.ReplaceAll(a, []byte("$1")), timesOfSearches.ReplaceAll(b, []byte("$1"))
	case "summary.json":
		return EqualSummaries(a, b)
	case "manifest.json", "timings.json", "timings.csv":
		return true
	}
	return bytes.Equal(a, b)
}

// EqualReports compares reports but for how long two searches took, and for the
// name of the folder, which commands have.
func EqualReports(a, b []byte) bool {
	plain := func(text []byte) []byte { return places.ReplaceAll(searches.ReplaceAll(text, nil), []byte("$1")) }
	return bytes.Equal(plain(a), plain(b))
}

// EqualSummaries is Equal of a summary.json.
func EqualSummaries(a, b []byte) bool {
	x, errX := withoutTimes(a)
	y, errY := withoutTimes(b)
	return errX == nil && errY == nil && x == y
}

// IsTime says whether a field of summary.json, or a column of a history, depends on
// the machine's speed.
func IsTime(field string) bool {
	return strings.HasSuffix(field, "seconds") || strings.HasSuffix(field, "_per_second") || field == "seconds_by_stage"
}

// withoutTimes is a JSON object with 0 in place of times, and all else in place.
func withoutTimes(text []byte) (string, error) {
	var o map[string]json.RawMessage
	if err := json.Unmarshal(text, &o); err != nil {
		return "", err
	}
	s := string(text)
	for name, value := range o {
		if IsTime(name) {
			s = strings.Replace(s, fmt.Sprintf("%q: %s", name, value), fmt.Sprintf("%q: 0", name), 1)
		}
	}
	return s, nil
}

// withoutColumns is a history without the columns of times.
func withoutColumns(text []byte) []byte {
	var kept []string
	var times []bool
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, ",")
		if times == nil {
			for _, name := range cells {
				times = append(times, IsTime(name))
			}
		}
		for k := range cells {
			if k < len(times) && times[k] {
				cells[k] = ""
			}
		}
		kept = append(kept, strings.Join(cells, ","))
	}
	return []byte(strings.Join(kept, ""))
}

// searches is what a report says of the times of two searches.
var searches = regexp.MustCompile(`it took [^<]*? ms, the latent search [^<]*? ms\.`)

// timesOfSearches are what the diagnostics of a model over sets say of the times of
// searches.
var timesOfSearches = regexp.MustCompile(
	`("(?:latent_seconds|projected_gradient_seconds|` +
		`projected_gradient_share_of_time|projected_gradient_median_in_latent_seconds)": )[-+.e0-9]+`)

// places are the commands of a report that name its folder.
var places = regexp.MustCompile(`(go run \./scripts/(?:verify|generate -model) )[^<]*`)

// timesOfReport are what a report says of times.
var timesOfReport = regexp.MustCompile(`(<dt>(?:Time|Speed)</dt><dd>)[^<]*`)
