package market

import (
	"bytes"
	"strings"
	"unicode"

	"vaefolio/vaelib/tabular"
)

// mostFooter bounds the lines below a table: more are another table.
const mostFooter = 200

// rowTime reads the time of the current row. Ended says that the rows are over, and what
// follows is none of the table: another one, or what vendors and spreadsheets write below.
func (p *plan) rowTime(r rows, c *Cleaning) (at moment, ended bool, err error) {
	if err = r.sound(); err == nil && !p.hasWidth(r) {
		err = ragged(r, p.width)
	}
	if err == nil {
		at, err = r.moment(p.times)
	}
	if err == nil {
		p.rows++
		return at, false, nil
	}
	if p.until {
		return at, true, nil
	}
	if n, place := r.footer(p); n > 0 {
		c.Below, c.BelowAt = n, place
		return at, true, nil
	}
	return at, false, err
}

// footer reads on to the end of a file where the current line and those below it are text,
// such as a source or a disclaimer, or sums up the columns. It returns how many there are,
// and where the first is and how it begins; 0 where one of them may be a row.
func (s *scanner) footer(p *plan) (n int, place string) {
	if p.rows == 0 || !s.isText() || s.hasNumber(p) && !s.sums(p) || s.isCut(p) {
		return 0, ""
	}
	first := s.errorf(0, "%s", excerpt(bytes.Trim(s.Line, `",;`))).Error()
	for n = 1; s.Next() && n < mostFooter; n++ {
		s.fields, _ = tabular.Cut(s.fields[:0], s.Line, s.dialect.separator)
		if len(s.fields) <= p.times[len(p.times)-1] {
			continue
		}
		if _, err := s.moment(p.times); err == nil && (s.hasNumber(p) || !s.isText()) {
			return 0, ""
		}
	}
	if n == mostFooter || s.Err() != nil {
		return 0, ""
	}
	return n, first
}

// isText says whether the current line begins by a word, perhaps behind a mark, that no
// date begins by, or is drawn.
func (s *scanner) isText() bool {
	first := bytes.TrimLeft(s.fields[0], "\" \t")
	bare := bytes.TrimLeft(first, "*#(†‡©<-=_/ ")
	if len(bare) == 0 {
		return len(s.fields) == 1 && len(first) > 2
	}
	marked := len(bare) < len(first) && first[0] != '-' && first[0] != '/'
	words := bytes.FieldsFunc(bare, func(r rune) bool { return !unicode.IsLetter(r) })
	return len(words) > 0 && len(bare) > 2 && len([]rune(string(words[0]))) > 1 &&
		(marked || bytes.HasPrefix(bare, words[0])) &&
		!isGap(s.fields[0]) && monthOf(words[0]) == 0 && !isWeekday(words[0])
}

// isCut says whether the current line may be a row that ends early, or whose time is
// wrong, where rows begin by a symbol: text alone does not tell them from a footer.
func (s *scanner) isCut(p *plan) bool {
	at := p.times[0]
	if at == 0 {
		return false
	}
	if at < len(s.fields) && bytes.ContainsAny(s.fields[at], "0123456789") {
		return true
	}
	return !bytes.ContainsAny(s.fields[0], " :") && !summing[canon(string(s.fields[0]))]
}

// hasNumber says whether the current line has a number where the rows of the plan do.
func (s *scanner) hasNumber(p *plan) bool {
	fields := append([]int{p.close}, p.columns...)
	for _, i := range fields {
		if i < 0 || i >= len(s.fields) {
			continue
		}
		if _, ok := s.dialect.amount(s.fields[i]); ok && len(s.fields[i]) > 0 {
			return true
		}
	}
	return false
}

// sums says whether the current line has numbers as none of the rows do: it sums them up,
// or is a sentence.
func (s *scanner) sums(p *plan) bool {
	return summing[canon(string(s.fields[0]))] || !p.hasWidth(s) && bytes.ContainsAny(s.fields[0], " :")
}

// summing are what the lines are called that sum up the columns above them.
var summing = words("total totals sum average avg mean median min minimum max maximum stdev stddev std count highest " +
	"lowest high low difference change changepct summe mittelwert durchschnitt gesamt moyenne media promedio totale " +
	"volatility return variance")

// footer finds none: a file that knows the types of its columns has rows alone.
func (r *typedRows) footer(*plan) (n int, place string) { return 0, "" }
func (r *typedRows) sound() error                       { return nil }

// footer finds none in JSON.
func (r *jsonRows) footer(*plan) (n int, place string) { return 0, "" }
func (r *jsonRows) sound() error                       { return nil }

// below says in words what was passed over.
func (c *Cleaning) below() string {
	return ", the first " + strings.Replace(c.BelowAt, `: "`, `, "`, 1)
}
