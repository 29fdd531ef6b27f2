package market

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"vaefolio/vaelib/tabular"
)

// Sectors says which symbol belongs to which sector, in whole or in part.
type Sectors struct {
	Names  []string                // sectors in the order of the file
	shares map[string][]membership // of each symbol
	file   string
	lines  map[string]int // of each symbol, the first
}

// mostSectors bounds those of one symbol.
const mostSectors = 1000

// membership is the share of a symbol in a sector.
type membership struct {
	sector string
	share  float64
}

// ReadSectors reads a CSV, or a table packed as prices may be, with the columns
// symbol (or ticker), sector (or GICS Sector, industry and the like) and, where
// memberships are fractional, share: above 0, at most 1, and at most 1 in sum
// over the sectors of a symbol. Without the third column every share is 1. Other
// columns are passed over.
// It returns a [*DataError] for anything else.
func ReadSectors(path string) (*Sectors, error) {
	file, err := tabular.OpenText(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readSectors(file, path)
}

// ReadSectorsFS is [ReadSectors] for a file of fsys.
func ReadSectorsFS(fsys fs.FS, name string) (*Sectors, error) {
	file, err := fsys.Open(name)
	if err != nil {
		return nil, tabular.OpenError(name, err)
	}
	defer file.Close()
	return readSectors(file, name)
}

func readSectors(r io.Reader, name string) (*Sectors, error) {
	lines := newScanner(r, name)
	lines.planned = true
	header, atSymbol, atSector, atShare, err := lines.sectorHeader()
	if err != nil {
		return nil, err
	}
	s := &Sectors{shares: map[string][]membership{}, file: name, lines: map[string]int{}}
	total, named := map[string]float64{}, map[string]string{} // by the name in small letters
	for lines.next() {
		if lines.unclosed == nil && len(lines.fields) == 1 && bytes.ContainsAny(lines.fields[0], " :") {
			continue // a source, or a remark
		}
		if err := lines.sectorRow(len(header)); err != nil {
			return nil, err
		}
		symbol, sector, share := string(lines.fields[atSymbol]), string(lines.fields[atSector]), 1.0
		if symbol == "" {
			return nil, lines.errorf(atSymbol+1, "symbol is empty")
		}
		if sector == "" {
			return nil, lines.errorf(atSector+1, "sector of %s is empty: name one, or delete the row if it has none%s",
				symbol, merged(atSector < atSymbol && len(s.Names) > 0))
		}
		if strings.ContainsAny(symbol, ",;") || strings.Count(symbol, " ") > 3 {
			return nil, lines.errorf(atSymbol+1, "%s are several symbols in one field: give each a row",
				excerpt(lines.fields[atSymbol]))
		}
		if atShare >= 0 {
			if share, err = lines.share(atShare); err != nil {
				return nil, err
			}
			if !(share > 0 && share <= 1) {
				hint := ""
				if share > 1 && share <= 100 {
					hint = ": in percent? Write 0.5 or 50% for a half"
				}
				return nil, lines.errorf(atShare+1, "share %v of %s in %s is not above 0 and at most 1%s", share,
					symbol, sector, hint)
			}
		}
		if s.shares[symbol] == nil {
			s.lines[symbol] = lines.Number
		}
		if len(s.shares[symbol]) == mostSectors {
			return nil, lines.errorf(0, "%s is in more than %d sectors: leave the smallest out", symbol, mostSectors)
		}
		if s.Share(symbol, sector) > 0 {
			return nil, lines.errorf(0, "%s is in %s already: keep one of the rows", symbol, sector)
		}
		s.shares[symbol] = append(s.shares[symbol], membership{sector, share})
		if total[symbol] += share; total[symbol] > 1+1e-9 {
			return nil, lines.errorf(0, "shares of %s sum to %.6g, above 1: give fractions in a third column, share",
				symbol, total[symbol])
		}
		lower := strings.ToLower(sector)
		if other, known := named[lower]; known && other != sector {
			return nil, lines.errorf(atSector+1, "sector %s is %s in other lines: write them alike", sector, other)
		} else if !known {
			named[lower], s.Names = sector, append(s.Names, sector)
		}
	}
	if lines.err != nil {
		return nil, lines.err
	}
	if len(s.Names) == 0 {
		return nil, &DataError{File: name, Msg: "no rows below the header"}
	}
	return s, nil
}

// merged explains an empty field of a spreadsheet.
func merged(may bool) string {
	if !may {
		return ""
	}
	return " (spreadsheets leave all but the first of merged cells empty: fill them down)"
}

// sectorRow refuses a row of another width than the header, but for empty fields at its end.
func (s *scanner) sectorRow(want int) error {
	s.fields = tabular.WithoutEmptyEnd(s.fields, want)
	if s.unclosed != nil {
		return s.unclosed
	}
	if len(s.fields) != want {
		return s.ragged(want)
	}
	return nil
}

// skipToSectors passes over titles and remarks above the header, and tells the dialect.
func (s *scanner) skipToSectors() {
	lines := bytes.Split(s.Lines.Peek(tabular.HeadSize), []byte{'\n'})
	lines = lines[:min(len(lines), mostHeadLines)]
	for above, line := range lines {
		if line = tabular.TrimLine(line, above+1); len(line) == 0 {
			continue
		}
		d := dialect{separator: ',', decimal: '.'}
		if bytes.IndexByte(line, ',') < 0 {
			d = dialectOf(lines[above:])
		}
		fields, _ := tabular.Cut(nil, line, d.separator)
		names := make([]string, len(fields))
		for i, f := range fields {
			names[i] = string(f)
		}
		symbol, sector, _ := sectorFields(names)
		if symbol < 0 || sector < 0 {
			continue
		}
		s.dialect = d
		for s.Number < above {
			s.Lines.Line()
			s.Number++
		}
		return
	}
}

// sectorHeader reads the header, and finds the columns in it: of the share -1 where there
// is none.
func (s *scanner) sectorHeader() (header []string, symbol, sector, share int, err error) {
	s.skipToSectors()
	if header, err = s.header(); err != nil {
		return nil, 0, 0, 0, err
	}
	for i, word := range header {
		if word != "" && slices.Contains(header[:i], word) {
			return nil, 0, 0, 0, s.errorf(i+1, "column %s is there twice: keep the one that is meant", word)
		}
	}
	if symbol, sector, share = sectorFields(header); symbol < 0 || sector < 0 {
		return nil, 0, 0, 0, s.errorf(0, "header %q is not symbol,sector or symbol,sector,share",
			strings.Join(header, ","))
	}
	return header, symbol, sector, share, nil
}

// sectorWords are what a column of sectors may be called, the best name first.
var sectorWords = []string{"sector", "gicssector", "sectorname", "icbsector", "group", "category", "assetclass",
	"class", "industry", "gicsindustry", "subindustry", "sektor", "branche"}

// sectorFields are the columns of the symbol, the sector and the share; -1: there is
// none. In three columns the last may be called weight, which may mean the share, and
// may be the weight in an index: that isn't guessed.
func sectorFields(header []string) (symbol, sector, share int) {
	if symbol, sector = find(header, words("symbol symbols ticker tickers")), -1; symbol < 0 {
		symbol = find(header, symbolWords)
	}
	for _, word := range sectorWords {
		if sector < 0 {
			sector = slices.IndexFunc(header, func(name string) bool { return canon(name) == word })
		}
	}
	share = find(header, words("share membership fraction"))
	if len(header) == 3 && share < 0 && find(header, words("weight weights")) >= 0 {
		return -1, -1, -1
	}
	return symbol, sector, share
}

// share reads a number, or one in percent.
func (s *scanner) share(field int) (float64, error) {
	if x, ok := percentage(s, field); ok {
		return x, nil
	}
	return s.number(field, "share")
}

// Share returns the share of a symbol in a sector, in [0, 1]; 0 for a symbol
// or sector that the file does not name.
func (s *Sectors) Share(symbol, sector string) float64 {
	for _, m := range s.shares[symbol] {
		if m.sector == sector {
			return m.share
		}
	}
	return 0
}

// Shares returns the shares of the symbols in one sector (length N): the row
// of a sector bound, Lo <= shares.w <= Hi. It returns an error for an unknown
// sector, and for one that holds none of the symbols.
func (s *Sectors) Shares(sector string, symbols []string) ([]float64, error) {
	if !slices.Contains(s.Names, sector) {
		if similar := near(sector, s.Names); len(similar) > 0 {
			return nil, fmt.Errorf("unknown sector %s: did you mean %s?", sector, strings.Join(similar, " or "))
		}
		return nil, fmt.Errorf("unknown sector %s: the file has %s", sector, enumerate(s.Names))
	}
	shares := make([]float64, len(symbols))
	empty := true
	for i, symbol := range symbols {
		shares[i] = s.Share(symbol, sector)
		empty = empty && shares[i] == 0
	}
	if empty {
		return nil, fmt.Errorf("sector %s holds none of the %d symbols chosen, such as %s: "+
			"its members in the file are such as %s", sector, len(symbols), symbols[0], s.members(sector)[0])
	}
	return shares, nil
}

// Unassigned returns those of the symbols that belong to no sector.
func (s *Sectors) Unassigned(symbols []string) []string {
	var out []string
	for _, symbol := range symbols {
		if len(s.shares[symbol]) == 0 {
			out = append(out, symbol)
		}
	}
	return out
}

// members are the symbols of a sector in the order of the file.
func (s *Sectors) members(sector string) []string {
	var members []string
	for symbol := range s.shares {
		if s.Share(symbol, sector) > 0 {
			members = append(members, symbol)
		}
	}
	slices.SortFunc(members, func(a, b string) int { return s.lines[a] - s.lines[b] })
	return members
}

// CheckSymbols returns a [*DataError] where one of the symbols is in no sector
// and a name of the file that is none of them looks like it: no bound on the
// sector would hold it.
func (s *Sectors) CheckSymbols(symbols []string) error {
	var strangers []string
	for symbol := range s.shares {
		if !slices.Contains(symbols, symbol) {
			strangers = append(strangers, symbol)
		}
	}
	slices.SortFunc(strangers, func(a, b string) int { return s.lines[a] - s.lines[b] })
	for _, symbol := range s.Unassigned(symbols) {
		// Short tickers look alike without being meant.
		if similar := near(symbol, strangers); len(similar) > 0 &&
			(len(symbol) > 3 || strings.EqualFold(symbol, similar[0])) {
			return &DataError{File: s.file, Line: s.lines[similar[0]], Column: 1, Msg: fmt.Sprintf(
				"symbol %s is not among the prices, and %s is in no sector: did you mean %s? (if not, give %s a "+
					"sector too)", similar[0], symbol, symbol, symbol)}
		}
	}
	return nil
}
