package features

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// Scaler standardises the columns of a table with numbers from its training
// rows: (value - mean) / scale. It is stored as JSON, so that new data are
// scaled as the training data were.
type Scaler struct {
	names, units []string
	mean, scale  []float64
	from, to     time.Time
}

// Fit takes mean and standard deviation (divisor n-1) of every column over
// its defined values in the rows from <= i < to, and looks at no other. A
// column that is constant there has scale 1, so that it is only centred.
//
// It returns an error for an empty range, and for a column with fewer than 2
// defined values in it.
func (t *Table) Fit(from, to int) (*Scaler, error) {
	if from < 0 || to > t.Len() || from >= to {
		return nil, fmt.Errorf("training rows %d to %d are not within the table's %d", from, to, t.Len())
	}
	s := &Scaler{from: t.Times[from], to: t.Times[to-1]}
	for _, c := range t.Columns {
		var m moments
		for i := from; i < to; i++ {
			switch {
			case !c.Defined[i]:
			case m.n == 0:
				m = momentsOf(c.Values[i])
			default:
				m = m.join(momentsOf(c.Values[i]))
			}
		}
		if m.n < 2 {
			return nil, fmt.Errorf(
				"feature %s has %d defined values in the training rows, at least 2 are needed: train on more rows, "+
					"or leave it out", c.Name, int(m.n))
		}
		scale := math.Sqrt(m.variance())
		// A constant may differ from its own mean by rounding.
		if !(scale > 1e-13*math.Abs(m.mean)) {
			scale = 1
		}
		s.names = append(s.names, c.Name)
		s.units = append(s.units, c.Unit)
		s.mean = append(s.mean, m.mean)
		s.scale = append(s.scale, scale)
	}
	return s, nil
}

// Apply returns the table in units of training standard deviations from the
// training mean; undefined values stay so. It returns an error when the
// columns are not those that the scaler was fitted to.
func (s *Scaler) Apply(t *Table) (*Table, error) {
	if len(t.Columns) != len(s.names) {
		return nil, fmt.Errorf("table has %d features, the scaler was fitted to %d", len(t.Columns), len(s.names))
	}
	out := &Table{Times: t.Times, Interval: t.Interval, Columns: make([]Column, len(t.Columns))}
	for j, c := range t.Columns {
		if c.Name != s.names[j] || c.Unit != s.units[j] {
			return nil, fmt.Errorf("feature %d is %s (%s), the scaler was fitted to %s (%s)",
				j+1, c.Name, c.Unit, s.names[j], s.units[j])
		}
		scaled := c
		scaled.Unit = "training standard deviations"
		scaled.Values = make([]float64, len(c.Values))
		scaled.Defined = make([]bool, len(c.Defined))
		for i, ok := range c.Defined {
			if ok {
				scaled.set(i, (c.Values[i]-s.mean[j])/s.scale[j])
			}
		}
		out.Columns[j] = scaled
	}
	return out, nil
}

// scalerDocument is the JSON form of a scaler.
type scalerDocument struct {
	From     time.Time       `json:"from"`
	To       time.Time       `json:"to"`
	Features []scalerFeature `json:"features"`
}

type scalerFeature struct {
	Name  string  `json:"name"`
	Unit  string  `json:"unit"`
	Mean  float64 `json:"mean"`
	Scale float64 `json:"scale"`
}

// MarshalJSON writes the scaler's numbers, with names, units and the training
// rows' times.
func (s *Scaler) MarshalJSON() ([]byte, error) {
	doc := scalerDocument{From: s.from, To: s.to, Features: make([]scalerFeature, len(s.names))}
	for j := range s.names {
		doc.Features[j] = scalerFeature{s.names[j], s.units[j], s.mean[j], s.scale[j]}
	}
	return json.Marshal(doc)
}

// UnmarshalJSON reads what [Scaler.MarshalJSON] wrote, and returns an error
// for numbers that cannot scale.
func (s *Scaler) UnmarshalJSON(data []byte) error {
	var doc scalerDocument
	if err := json.Unmarshal(data, &doc); err != nil {
		return err
	}
	out := Scaler{from: doc.From, to: doc.To}
	for _, f := range doc.Features {
		if f.Name == "" || !(f.Scale > 0) {
			return fmt.Errorf("scale of feature %q is %v, not above 0", f.Name, f.Scale)
		}
		out.names = append(out.names, f.Name)
		out.units = append(out.units, f.Unit)
		out.mean = append(out.mean, f.Mean)
		out.scale = append(out.scale, f.Scale)
	}
	*s = out
	return nil
}
