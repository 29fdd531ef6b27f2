package conditional

import (
	"fmt"
	"maps"
	"slices"
)

// Score is how one way of making portfolios to order does. What is made for the
// conditions of some held-out portfolios is compared with others, of the same windows.
type Score struct {
	Name  string `json:"name"`
	Asked int    `json:"asked"` // held-out portfolios whose conditions were asked for
	// Misses are, by condition, the mean distances from what was asked for, in
	// standard deviations of the condition; of a cap the excess.
	Misses map[string]float64 `json:"misses"`
	// JointEnergy is the energy distance of weights and conditions asked for
	// together, each weight over the weights' mean standard deviation and the root
	// of their number, each condition over its own and the root of theirs: 0 on
	// average for portfolios that can't be told from real ones.
	// It is the mean over all choices of whose conditions are asked for and whom to
	// compare with: see [fidelity.PairedEnergy]. So it is 0 for held-out portfolios
	// themselves.
	JointEnergy   float64 `json:"joint_energy"`
	JointEnergySE float64 `json:"joint_energy_se"` // standard error, over the portfolios asked for
	// Recall and Coverage are of the same, and the AUC is that of a random forest on the
	// weights alone: see [fidelity.Overlap], by 5 neighbours, and [fidelity.Separation].
	// They depend on the number of rows, and are means over two choices of at most 1,000
	// that are asked for and as many others.
	Recall   float64 `json:"recall"`
	Coverage float64 `json:"coverage"`
	// Spread is the root mean square distance between two portfolios for the same
	// conditions, over that of real portfolios whose conditions are nearly the same:
	// a held-out one, and the training portfolio nearest in conditions.
	Spread float64 `json:"spread"`
	AUC    float64 `json:"auc"`
	Copies float64 `json:"copies"` // share that equals a training row
	Moved  float64 `json:"moved"`  // mean distance by which the polish moved them
}

// MeanMiss is the mean of the misses over the conditions.
func (s Score) MeanMiss() (mean float64) {
	for _, name := range slices.Sorted(maps.Keys(s.Misses)) {
		mean += s.Misses[name] / float64(len(s.Misses))
	}
	return mean
}

// String returns the score without its misses, in a line.
func (s Score) String() string {
	return fmt.Sprintf("joint energy %.2g ± %.1g, recall %.2f, coverage %.2f, spread %.2f of real, AUC %.2f, "+
		"copies %.1f %%",
		s.JointEnergy, s.JointEnergySE, s.Recall, s.Coverage, s.Spread, s.AUC, 100*s.Copies)
}
