package market

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"vaefolio/vaelib/tabular"
)

// mostHeadLines bounds the lines that a layout is told from.
const mostHeadLines = 25

// head is the start of a file, from which its layout is told.
type head struct {
	stem    string     // the file's name without folder and ending
	ending  string     // of the name, in lower case: csv, txt
	folder  bool       // the file lies in a folder of others
	typed   bool       // the file knows the types of its columns: Parquet and Arrow
	lines   [][]string // fields of the first lines that aren't blank; of typed files names, then values
	number  []int      // of each line in the file, from 1
	bytes   int        // length of the lines
	header  int        // index of the line of names above the numbers; -1: there is none
	dialect dialect

	described int // the last line below the header that describes the columns, such as their currencies; 0: none

	times  []int // columns of times of typed files
	source *tabular.File
	notes  []string
}

// mostFields bounds those of a line: some layouts have several columns a symbol.
const mostFields = 1 << 16

// checkFields refuses a line of more than [mostFields], whatever separates them.
func checkFields(file string, number int, line []byte) error {
	for _, separator := range []byte(",;\t|") {
		if n := bytes.Count(line, []byte{separator}); n >= mostFields {
			return &DataError{File: file, Line: number, Msg: fmt.Sprintf(
				"%s fields, more than the %s that a table of prices may have: write fewer columns", count(n+1),
				count(mostFields))}
		}
	}
	return nil
}

// headOf looks at the start of a text file.
func headOf(s *tabular.File, name string, folder bool) (*head, error) {
	h := &head{folder: folder, source: s, notes: s.Notes}
	h.stem, h.ending = stem(name)
	size := tabular.HeadSize
	start := s.Lines.Peek(size)
	for len(start) == size && !bytes.ContainsAny(start, "\r\n") && size < tabular.LongestLine {
		size *= 2
		start = s.Lines.Peek(size)
	}
	whole := len(start) < size
	var raw [][]byte
	for number := 1; len(start) > 0 && len(raw) < mostHeadLines; number++ {
		line, rest, ended := bytes.Cut(start, []byte{s.Lines.End()})
		if start = rest; !ended && !whole && len(raw) > 0 {
			break // the last line may be cut off
		}
		if err := checkFields(s.Shown, number, line); err != nil {
			return nil, err
		}
		if line = tabular.TrimLine(line, number); len(bytes.Trim(line, " \t,;")) > 0 {
			raw = append(raw, line)
			h.bytes += len(line) + 1
			h.number = append(h.number, number)
		}
	}
	h.dialect = dialectOf(raw)
	var cut [][]byte
	for _, line := range raw {
		cut, _ = tabular.Cut(cut[:0], line, h.dialect.separator)
		fields := make([]string, len(cut))
		for i, f := range cut {
			fields[i] = string(f)
		}
		h.lines = append(h.lines, fields)
	}
	h.findHeader()
	return h, nil
}

// findHeader looks for the line of names: the first with the name of a time, or
// else the one above the first line of numbers.
func (h *head) findHeader() {
	data := slices.IndexFunc(h.lines, h.isData)
	if data < 0 {
		h.header = min(0, len(h.lines)-1)
		return
	}
	h.header = data - 1
	best := 0
	for i, fields := range h.lines[:data] {
		if len(fields) < 2 {
			continue
		}
		if find(fields, timeWords) >= 0 {
			h.header = i
			break
		}
		if rank := slices.Index(naming, canon(fields[0])) + 1; rank > best && len(fields) == len(h.lines[data]) {
			h.header, best = i, rank
		}
	}
	h.dropDescriptions(data)
}

// naming are what the first cell of a line of names is called where several lines stand
// above the numbers, as Datastream writes them; the last are the best names.
var naming = []string{"name", "isin", "instrument", "security", "code", "ric", "symbol", "ticker"}

// describing are the first cells of lines that describe columns.
var describing = words("name isin instrument security code ric symbol ticker currency ccy curr unit units exchange " +
	"country sector description source frequency assetclass währung waehrung devise type")

// dropDescriptions takes the lines between the header and the first row of numbers out
// that only describe the columns.
func (h *head) dropDescriptions(data int) {
	first := h.header + 1
	for first < data && len(h.lines[first]) > 1 && describing[canon(h.lines[first][0])] &&
		!slices.ContainsFunc(h.lines[first][1:], h.isNumber) {
		h.described = h.number[first]
		h.notes = append(h.notes, "without the line "+h.lines[first][0])
		h.lines, h.number = slices.Delete(h.lines, first, first+1), slices.Delete(h.number, first, first+1)
		data--
	}
}

// isData says whether a line has a time and a number, or a time and gaps alone.
func (h *head) isData(fields []string) bool {
	if len(fields) < 2 || find(fields, timeWords) >= 0 {
		return false
	}
	timed, numbers, words := false, 0, 0
	for i, f := range fields {
		switch {
		case i < 3 && !timed && isTime(f):
			timed = true
		case isGap([]byte(f)):
		case h.isNumber(f):
			numbers++
		default:
			words++
		}
	}
	return timed && (numbers > 0 && fields[0] != "" || words == 0)
}

func (h *head) isNumber(field string) bool {
	_, ok := h.dialect.amount([]byte(field))
	return ok || strings.HasSuffix(field, "%") && h.isNumber(field[:len(field)-1])
}

// isTime says whether a field is a time in one of the known forms.
func isTime(field string) bool {
	_, msg := MonthFirst.parse([]byte(field))
	if msg != "" {
		_, msg = DayFirst.parse([]byte(field))
	}
	return msg == ""
}

// names is the header's line; nil for a file without one.
func (h *head) names() []string {
	if h.header < 0 {
		return nil
	}
	return h.lines[h.header]
}

// rows are the lines below the header.
func (h *head) rows() [][]string { return h.lines[h.header+1:] }

// column is the values of a field in the rows.
func (h *head) column(i int) []string {
	var out []string
	for _, fields := range h.rows() {
		if i < len(fields) {
			out = append(out, fields[i])
		}
	}
	return out
}

// orderOf tells from the dates in a field whether the day or the month stands
// first; 0 where they don't say.
func (h *head) orderOf(i int) DateOrder {
	if h.yearsFirst(i) {
		return 0
	}
	for _, text := range h.column(i) {
		_, asDay := DayFirst.parse([]byte(text))
		_, asMonth := MonthFirst.parse([]byte(text))
		if asDay == "" && asMonth != "" {
			return DayFirst
		}
		if asMonth == "" && asDay != "" {
			return MonthFirst
		}
	}
	return 0
}

// yearsFirst says whether dates of three numbers of at most two digits may begin by
// the year: the last changes no less often than the first two, as a day does.
func (h *head) yearsFirst(i int) bool {
	seen := [3]map[string]bool{{}, {}, {}}
	for _, text := range h.column(i) {
		date, _, _ := strings.Cut(text, " ")
		parts := strings.FieldsFunc(date, func(r rune) bool { return r == '/' || r == '-' || r == '.' })
		if len(parts) != 3 || len(parts[0]) > 2 || len(parts[2]) != 2 {
			return false
		}
		for k, p := range parts {
			seen[k][p] = true
		}
	}
	return len(seen[2]) > 0 && len(seen[2]) >= max(len(seen[0]), len(seen[1]))
}

// canon is a header's name without case, blanks, marks and brackets: Adj Close,
// adj_close and <ADJ.CLOSE> are one. So are close and 4. close, as Alpha Vantage
// numbers them.
func canon(name string) string {
	if isNumbered(name) {
		name = name[len("4. "):]
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
}

// isNumbered says whether a name begins as in 4. close.
func isNumbered(name string) bool {
	return len(name) > 3 && name[0] >= '0' && name[0] <= '9' && name[1] == '.' && name[2] == ' '
}

// words is a set of words.
func words(text string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(text) {
		set[w] = true
	}
	return set
}

// What the columns of price files are called, as canon writes it.
var (
	timeWords = words("date dates datetime time timestamp observationdate opentime unix snappedat tradedate " +
		"tradingdate datadate formatteddate timeperiodstart startat ts t day month period caldt " +
		"datetimeutc dateutc timeutc utc datum fecha data datetimelocal bartime unixtimestamp " +
		"unixtime localtime gmttime indexlevel0 dt tsevent windowstart timeopen opentimems dlycaldt " +
		"timestampms asofdate effectivedate tradetime 日期 时间 交易日期 日付")
	adjustedWords = words("adjclose adjustedclose adjcloseprice closeadj closeadjusted adjustedcloseprice " +
		"adjclosing adjprc adjusted")
	closeWords = words("close closelast price last pxlast closeprice closingprice settle settleprice lastprice " +
		"prc closeusd priceclose closing ultimo schlusskurs zuletzt schluss dernier cierre " +
		"chiusura fechamento último dlyprc prccd prccm trdprc1 clot clôture cloture lastpx 收盘 收盘价")
	openWords = words("open eröffn eröffnung openprice pxopen opening priceopen ouv ouverture abertura " +
		"apertura erster dlyopen 开盘 开盘价")
	highWords = words("high hoch highprice pxhigh pricehigh haut plushaut máximo massimo máxima dlyhigh 最高 最高价")
	lowWords  = words("low tief lowprice pxlow pricelow bas plusbas mínimo minimo mínima dlylow 最低 最低价")
	// What is called so holds returns, which are read with -returns.
	returnWords = words("ret return returns dlyret dailyreturn totalreturn dailyret")
	volumeWords = words("volume vol tickvol tickvolume pxvolume volumeusd volumefrom volumebtc shvol dlyvol volumen " +
		"stuecke stücke 成交量")
	turnoverWords = words("turnover quotevolume quoteassetvolume volumeusdt amount volumeto")
	symbolWords   = words("symbol ticker tic name code secid securitycode isin cusip permno instrument asset coin " +
		"pair stock act sym ric uniqueid seriesid tickersymbol symbols actsymbol stockcode " +
		"tscode security variable instrumentname sid sedol figi wkn 股票代码 证券代码 代码")
	splitWords = words("splitfactor splitcoefficient splitratio")
	// A close over one of these is adjusted for splits: CRSP's and Compustat's.
	factorWords = words("cfacpr ajexdi dlycumfacpr")
	otherWords  = words("marketcap marketcapitalization totalvolume adjopen adjhigh adjlow adjvolume dividend " +
		"dividends divcash dividendamount stocksplits splitfactor splitcoefficient splitratio " +
		"exdividend change changepct changepercent chg pctchange tradecount count trades " +
		"numberoftrades openinterest openint oi spread bid ask vwap adjfactor factor ret returns " +
		"average averageprice closetime ignore takerbuyvolume takerbuyquotevolume " +
		"takerbuybaseassetvolume takerbuyquoteassetvolume sharesoutstanding per marketcapusd " +
		"capitalgains currency exchange openinterest fundingrate volumeeth volumeusdc " +
		"year quarter week weekday dayofweek " +
		"tickdirection side size weightedaverage index unnamed0 variation var retx dlyretx dlyret cfacpr cfacshr " +
		"ajexdi shrout bidlo askhi numtrd conversiontype conversionsymbol prevclose preclose rtype publisherid " +
		"instrumentid trfd devise währung 成交额 振幅 涨跌幅 涨跌额 换手率")
)

// isField says whether a name is that of a number of one asset, and not of an
// asset.
func isField(name string) bool {
	c := canon(name)
	return returnWords[c] || adjustedWords[c] || closeWords[c] || openWords[c] || highWords[c] || lowWords[c] ||
		volumeWords[c] || turnoverWords[c] || otherWords[c] || strings.HasPrefix(c, "volume") ||
		strings.HasPrefix(c, "vol") && len(c) > 3 && len(name) > 0 && name[len(name)-1] == '.'
}

// find is the place of the first name among the words, -1 without one.
func find(names []string, words map[string]bool) int {
	for i, name := range names {
		if words[canon(name)] {
			return i
		}
	}
	return -1
}

// stem is a file's name without its folder and the endings that say how it is
// packed, and ending is the last of them, in lower case, without gz and the like.
func stem(name string) (stem, ending string) {
	name = name[strings.LastIndexByte(name, '/')+1:]
	for _, packed := range []string{".gz", ".zst", ".bz2", ".zip"} {
		n := len(name) - len(packed)
		if n <= 0 || !strings.EqualFold(name[n:], packed) {
			continue
		}
		inner := strings.ToLower(name[strings.LastIndexByte(name[:n], '.')+1 : n])
		if _, known := endings[inner]; known || packed != ".zip" { // what a zip holds may have another name
			name = name[:n]
		}
		break
	}
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		return name[:i], strings.ToLower(name[i+1:])
	}
	return name, ""
}
