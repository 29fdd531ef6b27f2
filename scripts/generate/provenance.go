package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/choose"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
)

// provenance is written beside the weights.
type provenance struct {
	Mode      string  `json:"mode"`
	ModelHash string  `json:"model_hash"` // SHA-256 of the model's parameters
	Seed      uint64  `json:"seed"`
	Density   string  `json:"density,omitempty"`
	Data      string  `json:"data_hash,omitempty"`
	Synthetic bool    `json:"synthetic,omitempty"`
	Funding   bool    `json:"funding,omitempty"`           // the returns have funding of perpetuals in them
	Given     string  `json:"from_weights_hash,omitempty"` // SHA-256 of the file
	Turnover  string  `json:"turnover_hash,omitempty"`     // likewise
	Backend   string  `json:"backend"`
	MaxRepair float64 `json:"max_repair_distance"`

	Order *orderRecord `json:"order,omitempty"`
	*generate.Search
	*pathRecord
	Robust    *choose.Selection `json:"robust,omitempty"`
	Diversify *choose.Front     `json:"diversify,omitempty"`
	Stresses  []stressRecord    `json:"stresses,omitempty"`
	Outcomes  *outcomesRecord   `json:"outcomes,omitempty"`
	Styles    *stylesRecord     `json:"styles,omitempty"`

	Count int                `json:"count"`
	Rows  []portfolioOfModel `json:"portfolios,omitempty"` // none where there are more than 100,000
}

// portfolioOfModel is where one row comes from.
type portfolioOfModel struct {
	ID       string             `json:"id"`
	Code     []float64          `json:"code,omitempty"`
	LogPrior *float64           `json:"log_prior,omitempty"` // of N(0, I) at the code, in nats
	Repair   float64            `json:"repair_distance"`
	Value    *float64           `json:"value,omitempty"` // of the objective
	Figures  map[string]float64 `json:"figures,omitempty"`
	Achieved map[string]float64 `json:"achieved,omitempty"` // of the model's conditions
}

// portfolios names the rows, which begin at row from of total, fills in their
// provenance and checks them against the constraints.
func (j *job) portfolios(m *made, from, total int) (*portfolio.Portfolios, error) {
	rows, _ := m.batch.Weights.Dims()
	p := &portfolio.Portfolios{Symbols: j.symbols, Weights: m.batch.Weights}
	digits := len(strconv.Itoa(total))
	for i := range rows {
		w := m.batch.Weights.RawRowView(i)
		row := portfolioOfModel{ID: fmt.Sprintf("g%0*d", digits, from+i+1), Repair: m.batch.Repair[i]}
		if v := j.set.Violation(w); !(v <= simplex.Tolerance) {
			return nil, fmt.Errorf("portfolio %s violates the constraints by %v: this is a mistake of the program", row.ID, v)
		}
		p.IDs = append(p.IDs, row.ID)
		if total > detailed {
			continue
		}
		if m.batch.Codes != nil {
			row.Code = mat.Row(nil, i, m.batch.Codes)
			density := generate.Prior{}.LogProb(row.Code)
			row.LogPrior = &density
		}
		if m.values != nil {
			row.Value = &m.values[i]
		}
		if m.achieved != nil {
			row.Achieved = m.achieved[i]
		}
		if m.figures != nil {
			row.Figures = j.figuresOf(&m.figures[i])
		}
		j.record.Rows = append(j.record.Rows, row)
	}
	j.record.Count += rows
	j.record.MaxRepair = max(j.record.MaxRepair, slices.Max(m.batch.Repair))
	return p, nil
}

// writeCSV writes the weights.
func (j *job) writeCSV(w io.Writer, m *made) error {
	if m.csv != nil {
		return m.csv(w)
	}
	rows, _ := m.batch.Weights.Dims()
	p, err := j.portfolios(m, 0, rows)
	if err != nil {
		return err
	}
	return p.WriteCSV(w)
}

// figuresOf are the defined figures by their names.
func (j *job) figuresOf(f *metrics.Figures) map[string]float64 {
	named := map[string]float64{}
	for k, name := range j.settings.Names() {
		if v, ok := f.Value(metrics.Figure(k)).Float(); ok {
			named[name] = v
		}
	}
	return named
}

// write fills the folder: the weights, their provenance, and the mode's tables.
func (j *job) write(folder *run.Run, m *made) error {
	if err := run.WriteFile(folder.Path("weights.csv"), func(w io.Writer) error { return j.writeCSV(w, m) }); err != nil {
		return err
	}
	for name, t := range m.tables {
		if err := run.WriteFile(folder.Path(name), t.writeCSV); err != nil {
			return err
		}
	}
	if err := run.WriteJSON(folder.Path("provenance.json"), &j.record); err != nil {
		return err
	}
	j.io.Note("%d portfolios, moved at most %.2g by the projection: %s", j.record.Count, j.record.MaxRepair,
		folder.Path("weights.csv"))
	return folder.Finish()
}

// table is a file of numbers with a header.
type table struct {
	header []string
	rows   [][]float64
}

func (t table) writeCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write(t.header); err != nil {
		return err
	}
	for _, row := range t.rows {
		var cells []string
		for _, v := range row {
			cells = append(cells, strconv.FormatFloat(v, 'g', -1, 64))
		}
		if err := out.Write(cells); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
