package report

import (
	"cmp"
	"slices"
	"strconv"
)

// dataSection tells what the prices were, how they were split and cleaned.
func dataSection(d Data) Section {
	s := Section{ID: "data", Title: "Data and cleaning"}
	facts := []Fact{
		{"Source", d.Source}, {"Returns", plural(d.Periods, "period")},
		{"Periods per year", Number.write(d.PeriodsPerYear)}, {"In sample", d.Train.text()},
		{"Out of sample", d.Test.text()}, {"Embargo between them", plural(d.Embargo, "period")},
	}
	if len(d.Assets) > 0 {
		facts = append(facts, Fact{"Assets", strconv.Itoa(len(d.Assets))})
	}
	if d.Hash != "" {
		facts = append(facts, Fact{"Hash of the prices", d.Hash})
	}
	s.Blocks = append(s.Blocks, Block{Facts: facts}, Block{Terms: []Fact{
		{"Embargo", "periods left out between the two parts, so that no window of returns that something was learned " +
			"from reaches into the part by which it is judged."},
	}})
	if len(d.Notes) > 0 {
		s.Blocks = append(s.Blocks, Block{List: d.Notes})
	}
	if len(d.Cleaning) == 0 {
		s.Blocks = append(s.Blocks, Block{Text: "Cleaning found no defect in the prices."})
	} else {
		t := &Table{Caption: "Defects found in the prices", Columns: append(headings("Defect", "Count"),
			Column{Name: "What was done"}, Column{Name: "First place"})}
		for _, c := range d.Cleaning {
			t.Rows = append(t.Rows, Row{Cells: []Cell{TextCell(c.Defect), CountCell(c.Count),
				TextCell(c.Action), TextCell(c.Where)}})
		}
		s.Blocks = append(s.Blocks, Block{Table: t})
	}
	if len(d.Dropped) > 0 {
		t := &Table{Caption: "Left out", Columns: []Column{{Name: "What"}, {Name: "Why"}}}
		for _, f := range d.Dropped {
			t.Rows = append(t.Rows, Row{Cells: []Cell{TextCell(f.Name), TextCell(f.Text)}})
		}
		s.Blocks = append(s.Blocks, Block{Table: t})
	}
	if len(d.Assets) > 0 {
		s.Blocks = append(s.Blocks, Block{Table: assetTable(d.Assets)})
	}
	return s
}

func assetTable(assets []Asset) *Table {
	t := &Table{Caption: "Assets in sample", Columns: append(
		[]Column{{Name: "Symbol"}, {Name: "Sector"}, {Name: "First"}},
		headings("Last", "Annual return", "Annual volatility", "Largest drawdown")...)}
	if len(assets) > longTable {
		t.Fold = foldedTable
		t.Caption += ", the most volatile first"
		volatility := func(a Asset) float64 { v, _ := a.Volatility.Float(); return v }
		assets = slices.Clone(assets)
		slices.SortStableFunc(assets, func(a, b Asset) int { return cmp.Compare(volatility(b), volatility(a)) })
	}
	for _, a := range assets {
		sector := a.Sector
		if sector == "" {
			sector = "—"
		}
		t.Rows = append(t.Rows, Row{Cells: []Cell{TextCell(a.Symbol), TextCell(sector), DateCell(a.First),
			DateCell(a.Last), NumberCell(a.AnnualReturn, Percent), NumberCell(a.Volatility, Percent),
			NumberCell(a.MaxDrawdown, Percent)}})
	}
	return t
}
