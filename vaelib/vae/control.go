package vae

import (
	"fmt"

	"vaefolio/vaelib/portfolio"
)

// control is a condition that the decoder's weights are held to.
type control struct {
	condition int // index
	column    int // among the K inputs
	form      portfolio.Form
	columns   int // r of a norm's matrix
	cap       bool
	offset    int // of the measure's numbers in the vector of measures
	index     int // among the caps
}

// newControls joins the conditions with their measures, and packs the measures'
// numbers into a vector: for each its vector or matrix (row-major), then 1/sd
// and -mean/sd, which standardise what it gives.
func newControls(c Config, s scaling, measures []portfolio.Measure) (controls []control, vector []float32, err error) {
	column, caps := 0, 0
	for i, condition := range c.Conditions {
		at := -1
		for k := range measures {
			if measures[k].Name == condition.Name {
				at = k
			}
		}
		if at < 0 && condition.Cap {
			return nil, nil, fmt.Errorf("condition %s is an upper bound and has no measure", condition.Name)
		}
		if at >= 0 && !condition.categorical() {
			m := measures[at]
			if err := m.Check(c.Assets); err != nil {
				return nil, nil, err
			}
			k := control{condition: i, column: column, form: m.Form, cap: condition.Cap, offset: len(vector),
				index: caps}
			if condition.Cap {
				caps++
			}
			for _, v := range m.Vector {
				vector = append(vector, float32(v))
			}
			for _, row := range m.Matrix {
				k.columns = len(row)
				for _, v := range row {
					vector = append(vector, float32(v))
				}
			}
			vector = append(vector, float32(1/s.conditions[i].SD), float32(-s.conditions[i].Mean/s.conditions[i].SD))
			controls = append(controls, k)
		}
		column += condition.width()
	}
	if len(vector) == 0 {
		vector = []float32{0} // a tensor has an entry
	}
	return controls, vector, nil
}

func countCaps(controls []control) (caps int) {
	for _, c := range controls {
		if c.cap {
			caps++
		}
	}
	return caps
}

// noiseWidth is the number of random numbers that a row takes: W of noises.
func (n *network) noiseWidth(controls []control) int {
	if len(controls) == 0 {
		return n.config.Latent
	}
	return 2*n.config.Latent + countCaps(controls)
}
