package generate

import (
	"fmt"
	"strconv"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/simplex"
)

// Row says where one portfolio comes from, and what is known of it. Its JSON form
// leaves out what isn't.
type Row struct {
	ID       string             `json:"id"`
	Code     []float64          `json:"code,omitempty"`      // d
	LogPrior *float64           `json:"log_prior,omitempty"` // of N(0, I) at the code, in nats
	Repair   float64            `json:"repair_distance"`     // as in [Batch]
	Moved    *float64           `json:"moved,omitempty"`     // likewise
	Turnover *float64           `json:"turnover,omitempty"`  // from what is held to it
	Value    *float64           `json:"value,omitempty"`     // of an objective
	Figures  map[string]float64 `json:"figures,omitempty"`   // by their names
	Achieved map[string]float64 `json:"achieved,omitempty"`  // of a model's conditions
}

// Rows names the portfolios of a batch that begins at row from of total, and says
// where they come from. It returns an error for one that the generator's set
// doesn't hold.
func (g *Generator) Rows(b *Batch, from, total int) ([]Row, error) {
	rows := make([]Row, len(b.Repair))
	digits := len(strconv.Itoa(total))
	for i := range rows {
		row := &rows[i]
		row.ID, row.Repair = fmt.Sprintf("g%0*d", digits, from+i+1), b.Repair[i]
		if v := g.set.Violation(b.Weights.RawRowView(i)); !(v <= simplex.Tolerance) {
			return nil, fmt.Errorf("portfolio %s violates the constraints by %v: this is a mistake of the program",
				row.ID, v)
		}
		if b.Moved != nil {
			row.Moved = &b.Moved[i]
		}
		if b.Codes != nil {
			row.Code = mat.Row(nil, i, b.Codes)
			density := Prior{}.LogProb(row.Code)
			row.LogPrior = &density
		}
	}
	return rows, nil
}
