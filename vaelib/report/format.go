package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"vaefolio/vaelib/number"
)

// Format is how a number is written.
type Format int

const (
	Number     Format = iota // four significant digits
	Percent                  // a share: 0.25 is written 25.0 %
	Ratio                    // two decimals: 1.42
	Scientific               // two significant digits: 3.1e−16
)

// write writes a finite number.
func (f Format) write(x float64) string {
	switch f {
	case Percent:
		return fixed(100*x, 1) + " %"
	case Ratio:
		return fixed(x, 2)
	case Scientific:
		if x == 0 {
			return "0"
		}
		return minus(strconv.FormatFloat(x, 'e', 1, 64))
	}
	size := math.Abs(x)
	switch {
	case x == 0:
		return "0"
	case size >= 1e15 || size < 1e-4:
		return minus(strconv.FormatFloat(x, 'e', 3, 64))
	case size >= 1000:
		return grouped(int64(math.Round(x)))
	}
	digits := 3 - int(math.Floor(math.Log10(size)))
	s := strconv.FormatFloat(x, 'f', digits, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return minus(s)
}

// fixed writes x with so many decimals, and no minus before a zero.
func fixed(x float64, decimals int) string {
	s := strconv.FormatFloat(x, 'f', decimals, 64)
	if strings.Trim(s, "-0.") == "" {
		s = strings.TrimPrefix(s, "-")
	}
	return minus(s)
}

// minus writes the typographic minus sign.
func minus(s string) string { return strings.ReplaceAll(s, "-", "−") }

// grouped writes a whole number with commas between thousands.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "−", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// plural writes a count with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return grouped(int64(n)) + " " + noun + "s"
}

// text writes v for a sentence or a list of facts.
func text(v number.Value, f Format) string {
	x, known := v.Float()
	if !known {
		return "n/a — " + v.Reason()
	}
	return f.write(x)
}

// with appends a unit where v is defined.
func with(v number.Value, f Format, unit string) string {
	if _, known := v.Float(); !known {
		return text(v, f)
	}
	return text(v, f) + " " + unit
}

func date(t time.Time) string {
	if t.IsZero() {
		return "—"
	}
	return t.UTC().Format(time.DateOnly)
}

// text writes a span as its dates and length.
func (s Span) text() string {
	if s.Periods == 0 {
		return "none"
	}
	return fmt.Sprintf("%s to %s, %s", date(s.From), date(s.To), plural(s.Periods, "period"))
}
