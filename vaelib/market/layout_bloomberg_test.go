package market_test

import "testing"

func TestLayoutBloomberg(t *testing.T) {
	const usual = `
OAK US Equity,ELM Index
2024-01-02,185,30
2024-01-03,180.15,30.02
2024-01-04,179.55,29.7`
	testLayout(t, "bloomberg", []variant{
		{name: "securities, fields and dates", file: "p.csv", said: "bloomberg, 3 header lines", want: usual, text: `Security,OAK US Equity,ELM Index
Field,PX_LAST,PX_LAST
Dates,,
2024-01-02,185.00,30.00
2024-01-03,180.15,30.02
2024-01-04,179.55,29.70
`},
		{name: "two header rows", file: "p.csv", said: "bloomberg, 2 header lines", want: usual, text: `,OAK US Equity,ELM Index
Dates,PX_LAST,PX_LAST
2024-01-02,185.00,30.00
2024-01-03,180.15,30.02
2024-01-04,179.55,29.70
`},
		{name: "volumes beside them, merged cells", file: "p.csv", said: "bloomberg, 2 header lines, months before days", want: usual, text: `,OAK US Equity,,ELM Index,
Dates,PX_LAST,PX_VOLUME,PX_LAST,PX_VOLUME
1/2/2024,185.00,10,30.00,20
1/3/2024,180.15,10,30.02,20
1/4/2024,179.55,10,29.70,20
1/15/2024,,,,
`},
		{name: "text above", file: "p.csv", said: "bloomberg, 5 header lines",
			want: "OAK US Equity,ELM Index\n2024-01-02,185,30\n2024-01-03,180.15,30.02\n2024-01-04,179.55,NaN", text: `Start Date,2024-01-02
End Date,2024-01-04
Security,OAK US Equity,ELM Index
,,
Dates,PX_LAST,PX_LAST
2024-01-02,185.00,30.00
2024-01-03,180.15,30.02
2024-01-04,179.55,#N/A N/A
`},
		{name: "dates of each security", file: "p.csv",
			refused: "p.csv:2: each security has dates of its own: fill them by one column of dates (the option Fill of BDH), or write a file a security",
			text: `OAK US Equity,,ELM Index,
Dates,PX_LAST,Dates,PX_LAST
2024-01-02,185.00,2024-01-03,30.00
2024-01-03,180.15,2024-01-04,30.02
`},
		{name: "a security twice", file: "p.csv", refused: "p.csv:1: column 3: symbol OAK US Equity is in column 2 already: keep one of them",
			text: `Security,OAK US Equity,OAK US Equity
Field,PX_LAST,PX_LAST
Dates,,
2024-01-02,185.00,30.00
2024-01-03,180.15,30.02
`},
	})
}
