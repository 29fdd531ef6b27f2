package report

// provenanceSection tells what the run was made of.
func provenanceSection(p Provenance) Section {
	s := Section{ID: "provenance", Title: "Provenance"}
	if len(p.Facts) > 0 {
		s.Blocks = append(s.Blocks, Block{Facts: p.Facts})
	}
	if len(p.Limits) > 0 {
		s.Blocks = append(s.Blocks, Block{Text: "What this run does not show:"}, Block{List: p.Limits})
	}
	if p.Config != "" {
		s.Blocks = append(s.Blocks, Block{Summary: "Configuration (config.toml)", Code: p.Config})
	}
	if len(p.Versions) > 0 {
		t := &Table{Caption: "Versions of modules", Closed: true,
			Columns: []Column{{Name: "Module"}, {Name: "Version"}}}
		for _, v := range p.Versions {
			t.Rows = append(t.Rows, Row{Cells: []Cell{TextCell(v.Name), TextCell(v.Text)}})
		}
		s.Blocks = append(s.Blocks, Block{Table: t})
	}
	if len(p.Files) > 0 {
		t := &Table{Caption: "Files of the run", Columns: append(headings("File", "Bytes"), Column{Name: "SHA-256"})}
		for _, f := range p.Files {
			size := Cell{Text: grouped(f.Bytes), Number: true}
			t.Rows = append(t.Rows, Row{Cells: []Cell{TextCell(f.Path), size, TextCell(f.SHA256)}})
		}
		s.Blocks = append(s.Blocks, Block{Table: t})
	}
	return s
}
