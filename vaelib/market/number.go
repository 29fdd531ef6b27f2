package market

import (
	"bytes"
	"strconv"
	"strings"

	"vaefolio/vaelib/tabular"
)

// dialect is how the fields of a text file are written.
type dialect struct {
	separator byte
	decimal   byte // '.' or ','
}

// gaps are the words by which programs write that there is no number, in lower
// case: pandas, R, FRED, Excel, Bloomberg and Yahoo among them.
var gaps = map[string]bool{
	"": true, "nan": true, "na": true, "n/a": true, "null": true, "none": true, ".": true, "-": true, "--": true,
	"nat": true, "<na>": true,
	"—": true, "–": true,
	"#n/a": true, "#n/a n/a": true, "#value!": true, "#div/0!": true, "missing": true, "nil": true,
}

// isGap says whether a field stands for no number.
func isGap(field []byte) bool {
	return len(field) <= 8 && gaps[string(bytes.ToLower(field))]
}

// number reads a number in the dialect: with a sign, a currency's sign, groups
// of thousands. It doesn't read gaps.
func (d dialect) number(field []byte) (float64, bool) {
	if d.decimal != ',' {
		if v, ok := short(field); ok {
			return v, true
		}
		v, err := strconv.ParseFloat(string(field), 64)
		if err == nil || err.(*strconv.NumError).Err == strconv.ErrRange {
			return v, !bytes.ContainsAny(field, "xX_")
		}
	}
	clean := plainNumber(string(field), d.decimal)
	if clean == "" {
		return 0, false
	}
	v, err := strconv.ParseFloat(clean, 64)
	return v, err == nil || err.(*strconv.NumError).Err == strconv.ErrRange
}

// short reads what most fields are: at most 15 digits with or without a point. A
// quotient of two whole numbers below 2^53 is the nearest float64, as
// strconv.ParseFloat has it (Clinger 1990), and is found in a third of the time.
func short(field []byte) (float64, bool) {
	if len(field) == 0 || len(field) > 16 {
		return 0, false
	}
	digits, after := int64(0), -1
	for _, c := range field {
		switch {
		case c >= '0' && c <= '9':
			digits = 10*digits + int64(c-'0')
			if after >= 0 {
				after++
			}
		case c == '.' && after < 0:
			after = 0
		default:
			return 0, false
		}
	}
	switch {
	case after < 0 && len(field) == 16, after >= 0 && len(field) == 1:
		return 0, false
	case after <= 0:
		return float64(digits), true
	}
	return float64(digits) / powers[after], true
}

// powers are those of 10 that a float64 holds exactly and short needs.
var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// currencies may stand before or after a price.
const currencies = "$€£¥₹₩₽₺₿"

// plainNumber takes currency signs and groups of thousands off and puts a point
// for the decimal mark; "" for what is no such number.
func plainNumber(field string, decimal byte) string {
	sign := ""
	if strings.HasPrefix(field, "-") || strings.HasPrefix(field, "+") {
		sign, field = field[:1], field[1:]
	}
	field = strings.Trim(field, currencies+" \u00a0\u202f")
	field, exponent, _ := strings.Cut(strings.ToLower(field), "e")
	if exponent != "" {
		exponent = "e" + exponent
	}
	mark := string(rune(decimal))
	whole, fraction, dotted := strings.Cut(field, mark)
	group := ","
	if decimal == ',' {
		group = "."
	}
	for _, sep := range []string{group, "'", "’", " ", "\u00a0", "\u202f"} {
		groups := strings.Split(whole, sep)
		if len(groups) == 1 {
			continue
		}
		if len(groups[0]) == 0 || len(groups[0]) > 3 {
			return ""
		}
		for _, g := range groups[1:] {
			if len(g) != 3 {
				return ""
			}
		}
		whole = strings.Join(groups, "")
	}
	for _, part := range []string{whole, fraction} {
		if strings.Trim(part, "0123456789") != "" {
			return ""
		}
	}
	if whole == "" && fraction == "" {
		return ""
	}
	if dotted {
		whole += "." + fraction
	}
	return sign + whole + exponent
}

// amount reads a number that may end in K, M, B or T, as volumes do.
func (d dialect) amount(field []byte) (float64, bool) {
	if v, ok := d.number(field); ok {
		return v, true
	}
	if len(field) < 2 {
		return 0, false
	}
	scale, ok := map[byte]float64{'K': 1e3, 'M': 1e6, 'B': 1e9, 'T': 1e12}[field[len(field)-1]&^0x20]
	if !ok {
		return 0, false
	}
	v, ok := d.number(bytes.TrimRight(field[:len(field)-1], " "))
	return v * scale, ok
}

// dialectOf finds the separator and the decimal mark of the lines at a file's
// start. Semicolons and tabs come before commas, which may be decimal marks.
func dialectOf(lines [][]byte) dialect {
	d := dialect{separator: ',', decimal: '.'}
	best := 0
	for _, sep := range []byte("\t;|,") {
		with := 0
		for _, line := range lines {
			if bytes.IndexByte(line, sep) >= 0 {
				with++
			}
		}
		if with > best && 2*with >= len(lines) {
			best, d.separator = with, sep
		}
	}
	decimals, thousands, points := 0, 0, 0
	var fields [][]byte
	for _, line := range lines {
		fields, _ = tabular.Cut(fields[:0], line, d.separator)
		for i, field := range fields {
			text := strings.TrimLeft(strings.Trim(string(field), currencies+" "), "+-")
			if i == 0 || strings.Trim(text, "0123456789.,'") != "" {
				continue
			}
			comma, point := strings.LastIndexByte(text, ','), strings.LastIndexByte(text, '.')
			switch {
			case comma > point && point >= 0, comma >= 0 && plainNumber(text, '.') == "":
				decimals++
			case comma >= 0 && point > comma:
				points += 2
			case comma >= 0:
				thousands++
			case point >= 0:
				points++
			}
		}
	}
	if decimals > 0 && points < 2*decimals || d.separator != ',' && thousands > 0 && points == 0 {
		d.decimal = ','
	}
	return d
}
