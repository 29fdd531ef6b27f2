package report

import "strconv"

// dataSection tells what the prices were, how they were split and cleaned.
func dataSection(d Data) section {
	s := section{ID: "data", Title: "Data and cleaning"}
	facts := []Fact{{"Source", d.Source}, {"Returns", plural(d.Periods, "period")},
		{"Periods per year", Number.write(d.PeriodsPerYear)}, {"In sample", d.Train.text()}, {"Out of sample", d.Test.text()},
		{"Embargo between them", plural(d.Embargo, "period")}}
	if len(d.Assets) > 0 {
		facts = append(facts, Fact{"Assets", strconv.Itoa(len(d.Assets))})
	}
	if d.Hash != "" {
		facts = append(facts, Fact{"Hash of the prices", d.Hash})
	}
	s.Blocks = append(s.Blocks, block{Facts: facts})
	if len(d.Notes) > 0 {
		s.Blocks = append(s.Blocks, block{List: d.Notes})
	}
	if len(d.Cleaning) == 0 {
		s.Blocks = append(s.Blocks, block{Text: "Cleaning found no defect in the prices."})
	} else {
		t := &table{Caption: "Defects found in the prices", Columns: []column{{Name: "Defect"}, {Name: "Count", Number: true}, {Name: "What was done"}, {Name: "First place"}}}
		for _, c := range d.Cleaning {
			t.Rows = append(t.Rows, row{Cells: []cell{textCell(c.Defect), countCell(c.Count), textCell(c.Action), textCell(c.Where)}})
		}
		s.Blocks = append(s.Blocks, block{Table: t})
	}
	if len(d.Dropped) > 0 {
		t := &table{Caption: "Left out", Columns: []column{{Name: "What"}, {Name: "Why"}}}
		for _, f := range d.Dropped {
			t.Rows = append(t.Rows, row{Cells: []cell{textCell(f.Name), textCell(f.Text)}})
		}
		s.Blocks = append(s.Blocks, block{Table: t})
	}
	if len(d.Assets) > 0 {
		s.Blocks = append(s.Blocks, block{Table: assetTable(d.Assets)})
	}
	return s
}

func assetTable(assets []Asset) *table {
	t := &table{Caption: "Assets in sample", Columns: []column{{Name: "Symbol"}, {Name: "Sector"}, {Name: "First"}, {Name: "Last"},
		{Name: "Annual return", Number: true}, {Name: "Annual volatility", Number: true}, {Name: "Largest drawdown", Number: true}}}
	for _, a := range assets {
		sector := a.Sector
		if sector == "" {
			sector = "—"
		}
		t.Rows = append(t.Rows, row{Cells: []cell{textCell(a.Symbol), textCell(sector), dateCell(a.First), dateCell(a.Last),
			numberCell(a.AnnualReturn, Percent), numberCell(a.Volatility, Percent), numberCell(a.MaxDrawdown, Percent)}})
	}
	return t
}
