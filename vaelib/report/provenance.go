package report

import "strings"

// provenanceSection tells how to repeat the run, and what it was made of.
func provenanceSection(p Provenance) section {
	s := section{ID: "provenance", Title: "Provenance"}
	if len(p.Repeat) > 0 {
		s.Blocks = append(s.Blocks, block{Text: "To repeat this run:"}, block{Code: strings.Join(p.Repeat, "\n")})
	}
	if len(p.Facts) > 0 {
		s.Blocks = append(s.Blocks, block{Facts: p.Facts})
	}
	if len(p.Limits) > 0 {
		s.Blocks = append(s.Blocks, block{Text: "What this run does not show:"}, block{List: p.Limits})
	}
	if p.Config != "" {
		s.Blocks = append(s.Blocks, block{Summary: "Configuration (config.toml)", Code: p.Config})
	}
	if len(p.Versions) > 0 {
		t := &table{Caption: "Versions", Columns: []column{{Name: "Module"}, {Name: "Version"}}}
		for _, v := range p.Versions {
			t.Rows = append(t.Rows, row{Cells: []cell{textCell(v.Name), textCell(v.Text)}})
		}
		s.Blocks = append(s.Blocks, block{Table: t})
	}
	if len(p.Files) > 0 {
		t := &table{Caption: "Files of the run", Columns: []column{{Name: "File"}, {Name: "Bytes", Number: true}, {Name: "SHA-256"}}}
		for _, f := range p.Files {
			t.Rows = append(t.Rows, row{Cells: []cell{textCell(f.Path), {Text: grouped(f.Bytes), Number: true}, textCell(f.SHA256)}})
		}
		s.Blocks = append(s.Blocks, block{Table: t})
	}
	return s
}
