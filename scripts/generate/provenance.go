package main

import (
	"io"

	"vaefolio/vaelib/choose"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/near"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/trained"
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
	Traded    string  `json:"traded_value_hash,omitempty"` // likewise
	Holdings  string  `json:"holdings_hash,omitempty"`     // likewise
	Backend   string  `json:"backend"`
	MaxRepair float64 `json:"max_repair_distance"`

	Order *trained.Order `json:"order,omitempty"`
	*generate.Search
	*pathRecord
	Robust    *choose.Selection      `json:"robust,omitempty"`
	Diversify *choose.Front          `json:"diversify,omitempty"`
	Near      *near.Selection        `json:"near,omitempty"`
	Stresses  []choose.StressSummary `json:"stresses,omitempty"`
	Outcomes  *choose.Prospect       `json:"outcomes,omitempty"`
	Styles    *generate.StyleStudy   `json:"styles,omitempty"`

	Turnover *turnovers `json:"turnover,omitempty"` // from what is held; nil: nobody has said

	Count int            `json:"count"`
	Rows  []generate.Row `json:"portfolios,omitempty"` // none where there are more than 100,000
}

// turnovers are those from what is held to all portfolios.
type turnovers struct {
	Least   float64 `json:"least"`
	Mean    float64 `json:"mean"`
	Largest float64 `json:"largest"`
}

// add takes in the turnover of one more portfolio, after count of them.
func (t *turnovers) add(x float64, count int) {
	t.Least, t.Largest = min(t.Least, x), max(t.Largest, x)
	t.Mean += (x - t.Mean) / float64(count+1)
}

// hash is that of all that the portfolios are made from.
func (p *provenance) hash() string {
	parts := [][]byte{[]byte(p.ModelHash), []byte(p.Data), []byte(p.Given), []byte(p.Traded)}
	if p.Holdings != "" {
		parts = append(parts, []byte(p.Holdings))
	}
	return run.Hash(parts...)
}

// sayTraded says how far the portfolios are from what is held.
func (j *job) sayTraded() {
	if t := j.record.Turnover; t != nil && j.record.Count > 0 {
		j.io.Note("turnover from the holdings: %.4g to %.4g, mean %.4g", t.Least, t.Largest, t.Mean)
	}
}

// portfolios names the rows, which begin at row from of total, fills in their
// provenance and checks them against the constraints.
func (j *job) portfolios(m *made, from, total int) (*portfolio.Portfolios, error) {
	rows, err := j.generator.Rows(m.batch, from, total)
	if err != nil {
		return nil, err
	}
	p := &portfolio.Portfolios{Symbols: j.symbols, Weights: m.batch.Weights}
	for i := range rows {
		row := &rows[i]
		p.IDs = append(p.IDs, row.ID)
		if j.present != nil {
			turnover := j.present.Turnover(m.batch.Weights.RawRowView(i))
			if row.Turnover = &turnover; j.record.Turnover == nil {
				j.record.Turnover = &turnovers{Least: turnover}
			}
			j.record.Turnover.add(turnover, j.record.Count+i)
		}
		if m.values != nil {
			row.Value = &m.values[i]
		}
		if m.achieved != nil {
			row.Achieved = m.achieved[i]
		}
		if m.figures != nil {
			row.Figures = j.settings.Named(&m.figures[i])
		}
	}
	if total <= detailed {
		j.record.Rows = append(j.record.Rows, rows...)
	}
	j.record.Count += len(rows)
	j.record.MaxRepair = max(j.record.MaxRepair, m.batch.MaxRepair())
	return p, nil
}

// writeCSV writes the weights.
func (j *job) writeCSV(w io.Writer, m *made) error {
	if m.csv != nil {
		return m.csv(w)
	}
	total := len(m.batch.Repair)
	p, err := j.portfolios(m, 0, total)
	if err != nil {
		return err
	}
	return p.WriteCSV(w)
}

// write fills the folder: the weights, their provenance, and the mode's tables.
func (j *job) write(folder *run.Run, m *made) error {
	if err := run.WriteFile(folder.Path("weights.csv"),
		func(w io.Writer) error { return j.writeCSV(w, m) }); err != nil {
		return err
	}
	for name, t := range m.tables {
		if err := run.WriteFile(folder.Path(name), t.WriteCSV); err != nil {
			return err
		}
	}
	if err := run.WriteJSON(folder.Path("provenance.json"), &j.record); err != nil {
		return err
	}
	j.sayTraded()
	j.io.Note("%d portfolios, moved at most %.2g by the projection: %s", j.record.Count, j.record.MaxRepair,
		folder.Path("weights.csv"))
	return folder.Finish()
}
