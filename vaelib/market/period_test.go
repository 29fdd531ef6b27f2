package market_test

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"vaefolio/vaelib/market"
)

// Labels of periods: what their first day is, and the last one that -to means by them.
func TestPeriods(t *testing.T) {
	date := func(text string) time.Time {
		at, err := time.Parse(time.DateOnly, text)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for span, labels := range map[string]string{
		"2005-01-01 2005-03-31": "2005Q1|2005-Q1|2005 Q1|2005:Q1|2005/Q1|2005.Q1|Q1 2005|Q1-2005|Q1/2005|Q1/05|Q1'05|1Q05|1Q2005|05Q1|2005-T1|1T05|Q1 05",
		"2005-10-01 2005-12-31": "2005q4|Qtr4 2005|4Q 2005",
		"2005-07-01 2005-12-31": "H2 2005|2005H2|2005-H2|2005-S2|2H05|H2/05|2005S2",
		"2005-02-01 2005-02-28": "2005M02|2005-M02|2005M2|02/2005|2/2005|02.2005|2005/02|2005.02|2005-2|2005:02|Feb-05|Feb '05|Feb 2005|févr. 2005|Febbraio 2005",
		"2005-10-01 2005-10-31": "2005.1|2005.10|Oct-05|okt 2005|10-2005",
		"2005-01-17 2005-01-23": "2005-W03|2005W03|2005-w3|2005W3|W03 2005|CW03/2005|KW 03 2005|Week 03 2005",
		"2005-01-19 2005-01-19": "2005-W03-3|2005W033|2005-019|2005019|Wed 19/01/2005|Wed, 01/19/2005|2005年1月19日|2005年01月19日|2005-01-19Z|19th Jan 2005|" +
			"Jan 19th, 2005|19 janvier 2005|19. Januar 2005|19012005|01192005|'2005-01-19",
		"2004-12-31 2004-12-31": "2004-366|2004-W53-5|31122004",
		"2005-01-01 2005-12-31": "FY2005|FY05|CY 2005|2005|2005.0",
	} {
		first, last, _ := strings.Cut(span, " ")
		for _, label := range strings.Split(labels, "|") {
			from, to, err := market.ParseSpan(label, label, 0)
			if end := date(last).AddDate(0, 0, 1).Add(-time.Millisecond); err != nil || from != date(first) || to != end {
				t.Errorf("%s is from %v to %v: %v", label, from, to, err)
			}
		}
	}
	for _, label := range []string{"Q5 2005", "Q0 2005", "H3 2005", "2005-T5", "2005M13", "13/2005", "2005-366", "2005000", "W54 2005", "2005-W53", "2023-W53", "2023-W53-2", "2005-W03-8", "2005W030",
		"Q1", "Q1 2", "1Q", "05Q", "Q 2005", "05-Jan", "2005.2", "2005.13", "1Q123", "2005 01", "05W03", "05W3", "2005W03-", "2005-W0", "2005-W54", "FY1", "FY20055", "X1 2005", "2005-Q1-", "2005--Q1",
		"QQ1 2005", "2005Q1Q2", "juix 2005", "19 de enero", "32/2005", "2005/82", "2024-01-01 16:00:00 CST"} {
		if at, err := market.ParseTime(label); err == nil {
			t.Errorf("%s is %v", label, at)
		}
	}
	for label, want := range map[string]time.Time{
		"2024-01-02 16:00:00 EST": time.Date(2024, 1, 2, 21, 0, 0, 0, time.UTC), "2024-07-02 16:00 CEST": time.Date(2024, 7, 2, 14, 0, 0, 0, time.UTC),
		"2024-01-02-05:00": time.Date(2024, 1, 2, 5, 0, 0, 0, time.UTC),
	} {
		if at, err := market.ParseTime(label); err != nil || !at.Equal(want) {
			t.Errorf("%s is %v: %v", label, at, err)
		}
	}
}

// Labels that may mean two kinds of periods are told by the first rows, or refused.
func TestAmbiguousPeriods(t *testing.T) {
	of := func(labels string) string {
		text := "date,OAK\n"
		for i, label := range strings.Fields(labels) {
			text += label + "," + []string{"185", "180", "181"}[i%3] + "\n"
		}
		return text
	}
	testLayout(t, "wide", []variant{
		{name: "months of one digit", file: "p.csv", text: of("2004-4 2004-5 2004-6"), said: "wide", want: "OAK\n2004-04-01,185\n2004-05-01,180\n2004-06-01,181"},
		{name: "quarters or months", file: "p.csv", text: of("2004-1 2004-2 2004-3 2004-4 2005-1"),
			refused: `p.csv:2: column 1: time "2004-1" may count quarters or months: write 2024-Q1, or 2024-01`},
		{name: "fiscal years", file: "p.csv", text: of("2004/05 2005/06 2006/07"),
			refused: `p.csv:2: column 1: time "2004/05" may be a fiscal year or a month: write the years alone, such as 2024, or 2024-01`},
		{name: "months and years of two digits", file: "p.csv", text: of("Nov-04 Dec-04 Jan-05"), said: "wide",
			want: "OAK\n2004-11-01,185\n2004-12-01,180\n2005-01-01,181"},
		{name: "days of a month", file: "p.csv", text: of("Jan-02 Jan-03 Jan-04"),
			refused: `p.csv:2: column 1: time "Jan-02" has no year, or a year of two digits: write 2024-01, or 2024-01-31`},
		{name: "days before months", file: "p.csv", text: of("02-Jan 03-Jan 04-Jan"),
			refused: `p.csv:2: column 1: time "02-Jan" has no year, or a year of two digits: write 2024-01, or 2024-01-31`},
		{name: "years before months", file: "p.csv", text: of("22-Jan 23-Jan 24-Jan"),
			refused: `p.csv:2: column 1: time "22-Jan" has no year, or a year of two digits: write 2024-01, or 2024-01-31`},
		{name: "weeks of one digit", file: "p.csv", text: of("2024-w8 2024-w9 2024-w10"), said: "wide",
			want: "OAK\n2024-02-19,185\n2024-02-26,180\n2024-03-04,181"},
		{name: "a table on its side", file: "p.csv", text: "symbol,2024-01-02,2024-01-03\nOAK,1,2\n",
			refused: `p.csv:1: column 2: times stand in the first line: turn the table on its side, with a row a time`},
		{name: "blanks between fields", file: "p.csv", text: "Date OAK ELM\n2024-01-02 1 2\n",
			refused: `p.csv:1: column 1: first column is "Date OAK ELM", not date or timestamp: separate columns with commas`},
		{name: "a page", file: "p.xls", text: "<table><tr><td>Date</td></tr></table>\n",
			refused: `p.xls: is a page of the web, not a table: save the table itself`},
		{name: "texts for Excel", file: "p.csv", text: "date,OAK\n=\"2024-01-02\",=\"185\"\n\"=\"\"2024-01-03\"\"\",180\n", said: "wide", want: "OAK\n2024-01-02,185\n2024-01-03,180"},
	})
}

// Text below the rows is passed over, where it can be none of them.
func TestFooters(t *testing.T) {
	const rows = "date,OAK,ELM\n2024-01-02,185,30\n2024-01-03,180,31\n2024-01-04,181,32\n"
	const long = "date,symbol,close\n2024-01-02,OAK,185\n2024-01-03,OAK,180\n"
	const first = "symbol,date,close\nOAK,2024-01-02,185\nOAK,2024-01-03,180\n"
	const klines = "timestamp,open,high,low,close,volume\n2024-01-02,1,2,1,1,5\n2024-01-03,1,2,1,1,5\n"
	for _, c := range []struct {
		text, file, footer string
		lines              int
		first              string // of what is said
	}{
		{rows, "p.csv", "Source: Bloomberg, 2024\n", 1, `p.csv:5, "Source: Bloomberg, 2024"`},
		{rows, "p.csv", "\n,,\n\"Disclaimer: past performance is\nno guarantee, 5 of 10\"\n2024 by the vendor\n", 2, `p.csv:7, "Disclaimer: past performance is no guara"...`},
		{rows, "p.csv", "Total,546,93\n", 1, `p.csv:5, "Total,546,93"`},
		{rows, "p.csv", "Average,182,31\nMax,185,32\n", 2, `p.csv:5, "Average,182,31"`},
		{rows, "p.csv", "* adjusted for splits\n", 1, `p.csv:5, "* adjusted for splits"`},
		{rows, "p.csv", "(1) delayed,,\n", 1, `p.csv:5, "(1) delayed"`},
		{rows, "p.csv", "-----\nEnd of file\n", 2, `p.csv:5, "-----"`},
		{long, "p.csv", "Source: Bloomberg\n", 1, `p.csv:4, "Source: Bloomberg"`},
		{klines, "k/OAK.csv", "Data by a vendor, see its terms\n", 1, `k/OAK.csv:4, "Data by a vendor, see its terms"`},
		{first, "p.csv", "Source: Bloomberg\n", 1, `p.csv:4, "Source: Bloomberg"`},
		{first, "p.csv", "Prices by a vendor,,\n", 1, `p.csv:4, "Prices by a vendor"`},
		{first, "p.csv", "OAK", 0, ""},                                   // cut off
		{first, "p.csv", "OAK,2024-0", 0, ""},                            // cut off
		{first, "p.csv", "OAK,2024-13-01,\n", 0, ""},                     // a time that is wrong
		{first, "p.csv", "HIGH,2024-13-01,180\n", 0, ""},                 // a symbol named as a sum is
		{rows, "p.csv", "Ja", 0, ""},                                     // may be cut off
		{rows, "p.csv", "2024-0", 0, ""},                                 // cut off
		{rows, "p.csv", "2024-01-05,181\n", 0, ""},                       // cut off
		{rows, "p.csv", "Jan\n", 0, ""},                                  // may be cut off
		{rows, "p.csv", "null,181,32\n", 0, ""},                          // a row
		{rows, "p.csv", "Fund,181,32\n", 0, ""},                          // a row of another kind
		{rows, "p.csv", "Source: X\n2024-01-05,100,50\n", 0, ""},         // rows go on
		{rows, "p.csv", "date,OAK,ELM\n2024-01-05,100,50\n", 0, ""},      // files joined
		{"date,OAK\n", "p.csv", "Source: X\n", 0, ""},                    // no rows
		{rows, "p.csv", strings.Repeat("More, and more\n", 250), 0, ""},  // another table
		{long, "p.csv", "2024-01-04,\"OAK,180\n", 0, ""},                 // a quote that is not closed
		{long, "p.csv", "\"OAK,2024-01-04,180\n2024-01-05,OAK,1", 0, ""}, // likewise
	} {
		name, _, _ := strings.Cut(c.file, "/")
		files := fstest.MapFS{c.file: {Data: []byte(c.text + c.footer)}}
		_, cleaning, err := market.LoadFS(files, name, market.Options{})
		switch {
		case (err == nil) != (c.lines > 0):
			t.Errorf("%q: error %v", c.footer, err)
		case err == nil && (cleaning.Below != c.lines || !strings.Contains(cleaning.String(), "passed over: "+string(rune('0'+c.lines))+", the first "+c.first)):
			t.Errorf("%q: %d lines\n%s", c.footer, cleaning.Below, cleaning)
		}
	}
}
