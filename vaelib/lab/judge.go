package lab

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"vaefolio/vaelib/inference"
)

// Confidence of all intervals, and with that of all tests together.
const confidence = 0.95

// Verdicts.
const (
	GeneratorAhead = "generator" // a member of the family is ahead of every rival
	RivalAhead     = "rival"
	Undecided      = "undecided"
)

// Standing is a strategy's mean share of the true optimum over a group of worlds.
type Standing struct {
	Name  string  `json:"name"`
	Kind  string  `json:"kind"`
	Share float64 `json:"share"`
	From  float64 `json:"from"` // 95 % interval over worlds, of this figure alone
	To    float64 `json:"to"`
}

// Test is a comparison over a group of worlds: the pair that did best on one half,
// tested on the other.
type Test struct {
	Group      string    `json:"group"`
	Worlds     int       `json:"worlds"` // of the half that tests
	Member     string    `json:"member"` // chosen on the other half
	Rival      string    `json:"rival"`
	Difference float64   `json:"difference"` // of their shares of the true optimum, member less rival
	From       float64   `json:"from"`       // interval at the level of Holm's step
	To         float64   `json:"to"`
	Level      float64   `json:"level"`         // of the interval
	P          float64   `json:"p"`             // two-sided, of no difference
	PHolm      float64   `json:"p_holm"`        // corrected for all tests of the laboratory
	Nearest    string    `json:"nearest_rival"` // the rival against which the member's lower end is least
	Lead       float64   `json:"lead"`          // that lower end: above 0, the member is ahead of every rival
	Verdict    string    `json:"verdict"`
	Words      string    `json:"words"`
	differ     []float64 // of the worlds that test
	against    map[string][]float64
}

// CellFindings are what is found in a cell.
type CellFindings struct {
	Cell
	PeriodsPerAsset float64    `json:"periods_per_asset"`
	Standings       []Standing `json:"standings"`   // by all worlds
	BestRival       string     `json:"best_rival"`  // by all worlds: for the eye, not a claim
	BestMember      string     `json:"best_member"` // likewise
	Test            *Test      `json:"test"`
}

// Difference is what the learnt rule has more than a rival over a group of worlds, by
// all of them: an interval of this figure alone, not corrected for the others.
type Difference struct {
	Group      string  `json:"group"`
	Worlds     int     `json:"worlds"`
	Member     string  `json:"member"`
	Rival      string  `json:"rival"`
	Difference float64 `json:"difference"`
	From       float64 `json:"from"` // 95 % interval over worlds
	To         float64 `json:"to"`
}

// String tells the difference in words.
func (d Difference) String() string {
	return fmt.Sprintf("%s, %s less %s: %+.4f [%+.4f, %+.4f] over %d worlds", d.Group, d.Member, d.Rival, d.Difference,
		d.From, d.To, d.Worlds)
}

// group is a set of worlds, each with the mean shares of its histories.
type group struct {
	name   string
	worlds []averaged
}

type averaged struct {
	number int
	shares []float64 // by strategy
}

// average reduces outcomes to worlds, which are what is independent.
func average(outcomes []outcome) []averaged {
	var worlds []averaged
	for _, o := range outcomes {
		mean := make([]float64, len(o.Strategies))
		for _, row := range o.Shares {
			for k, v := range row {
				mean[k] += v / float64(len(o.Shares))
			}
		}
		worlds = append(worlds, averaged{o.World, mean})
	}
	return worlds
}

// standings are those of all strategies over a group.
func (g group) standings(names, kinds []string) []Standing {
	var all []Standing
	for k, name := range names {
		values := g.of(k, func(averaged) bool { return true })
		mean, half := interval(values, confidence)
		all = append(all, Standing{name, kinds[k], mean, mean - half, mean + half})
	}
	return all
}

// differences are those of the learnt rule and all rivals; nil where it isn't looked at.
func (g group) differences(names, kinds []string) []Difference {
	var all []Difference
	for _, member := range []string{learntName, halfLearntName} {
		own := slices.Index(names, member)
		if own < 0 {
			continue
		}
		for k, kind := range kinds {
			if kind != Rival {
				continue
			}
			var values []float64
			for _, w := range g.worlds {
				values = append(values, w.shares[own]-w.shares[k])
			}
			mean, half := interval(values, confidence)
			all = append(all, Difference{g.name, len(values), member, names[k], mean, mean - half, mean + half})
		}
	}
	return all
}

// of are a strategy's shares in the worlds that are kept.
func (g group) of(k int, keep func(averaged) bool) []float64 {
	var values []float64
	for _, w := range g.worlds {
		if keep(w) {
			values = append(values, w.shares[k])
		}
	}
	return values
}

// interval is the mean of independent values, and half the width of Student's
// interval.
func interval(values []float64, level float64) (mean, half float64) {
	mean, deviation := stat.MeanStdDev(values, nil)
	n := float64(len(values))
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}
	return mean, t.Quantile((1+level)/2) * deviation / math.Sqrt(n)
}

// bestOf is the strategy of a kind with the largest mean over values by strategy.
func bestOf(kind string, kinds []string, mean func(k int) float64) int {
	best := -1
	for k := range kinds {
		if kinds[k] == kind && (best < 0 || mean(k) > mean(best)) {
			best = k
		}
	}
	return best
}

// choosing says whether a world belongs to the half that chooses: those of even
// numbers.
func choosing(w averaged) bool { return w.number%2 == 0 }

// judging is the other half.
func judging(w averaged) bool { return !choosing(w) }

// pair chooses member and rival on one half, and lays out their differences on the
// other.
func (g group) pair(names, kinds []string) *Test {
	mean := func(k int) float64 { return stat.Mean(g.of(k, choosing), nil) }
	member, rival := bestOf(Family, kinds, mean), bestOf(Rival, kinds, mean)
	t := &Test{Group: g.name, Member: names[member], Rival: names[rival], against: map[string][]float64{}}
	own := g.of(member, judging)
	for k, kind := range kinds {
		if kind != Rival {
			continue
		}
		differ := g.of(k, judging)
		for i := range differ {
			differ[i] = own[i] - differ[i]
		}
		t.against[names[k]] = differ
	}
	t.differ, t.Worlds = t.against[t.Rival], len(own)
	t.Difference, t.P = stat.Mean(t.differ, nil), twoSided(t.differ)
	return t
}

// twoSided is the p-value of Student's test of no difference.
func twoSided(differ []float64) float64 {
	mean, deviation := stat.MeanStdDev(differ, nil)
	n := float64(len(differ))
	if deviation == 0 {
		if mean == 0 {
			return 1
		}
		return 0
	}
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}
	return 2 * t.Survival(math.Abs(mean)/deviation*math.Sqrt(n))
}

// holm corrects the tests for each other (Holm 1979): the k-th smallest of m
// p-values is held against .05/(m-k+1), until one is not below, which with all
// larger ones has its level. Intervals are at these levels, so that one excludes 0
// where its test says so.
func holm(tests []*Test) {
	order := slices.Clone(tests)
	slices.SortStableFunc(order, func(a, b *Test) int { return cmp.Compare(a.P, b.P) })
	values := make([]float64, len(order))
	for k, t := range order {
		values[k] = t.P
	}
	stopped, divisor := false, 1.0
	for k, corrected := range inference.Holm(values) {
		t := order[k]
		if !stopped {
			divisor = float64(len(order) - k)
		}
		t.PHolm = corrected
		stopped = stopped || t.PHolm >= 1-confidence
		t.Level = 1 - (1-confidence)/divisor
		var half float64
		t.Difference, half = interval(t.differ, t.Level)
		t.From, t.To = t.Difference-half, t.Difference+half
		t.Lead = math.Inf(1)
		for _, name := range sortedKeys(t.against) {
			mean, half := interval(t.against[name], t.Level)
			if mean-half < t.Lead {
				t.Nearest, t.Lead = name, mean-half
			}
		}
		t.judge()
	}
}

func sortedKeys(m map[string][]float64) []string {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// judge says what the interval supports, and no more.
func (t *Test) judge() {
	span := fmt.Sprintf("%+.3f [%+.3f, %+.3f] of the true optimum over %d worlds", t.Difference, t.From, t.To, t.Worlds)
	switch {
	case t.From > 0 && t.Lead > 0:
		t.Verdict = GeneratorAhead
		t.Words = fmt.Sprintf("%s is ahead of %s by %s, and of every other rival too", t.Member, t.Rival, span)
	case t.From > 0:
		t.Verdict = Undecided
		t.Words = fmt.Sprintf("%s is ahead of %s, which the other half chose, by %s, but not clear of %s: undecided",
			t.Member, t.Rival, span, t.Nearest)
	case t.To < 0:
		t.Verdict = RivalAhead
		t.Words = fmt.Sprintf("%s is ahead of %s, the best of the family: %s", t.Rival, t.Member, span)
	default:
		t.Verdict = Undecided
		t.Words = fmt.Sprintf("%s less %s is %s, which holds 0: undecided", t.Member, t.Rival, span)
	}
}

// conclusion says in words what the whole laboratory supports.
func conclusion(tests []*Test, whole *Test, standings []Standing, source string) (verdict string, needs []string) {
	var ahead, behind, open []string
	taught := false // a rule that learned from such markets is among those ahead
	for _, t := range tests {
		switch t.Verdict {
		case GeneratorAhead:
			ahead = append(ahead, fmt.Sprintf("%s (%s)", t.Group, t.Member))
			taught = taught || t.Member == learntName || t.Member == halfLearntName
		case RivalAhead:
			behind = append(behind, t.Group)
		default:
			open = append(open, t.Group)
		}
	}
	switch {
	case len(ahead) > 0:
		verdict = fmt.Sprintf("Of %d comparisons, a member of the generator's family is ahead of every rival in "+
			"%d: %s.",
			len(tests), len(ahead), strings.Join(ahead, "; "))
	default:
		verdict = fmt.Sprintf("In none of %d comparisons is a member of the generator's family shown to be ahead "+
			"of every rival.", len(tests))
	}
	verdict += fmt.Sprintf(" A rival is ahead in %d, and %d are undecided. Over the whole map: %s.", len(behind),
		len(open),
		whole.Words)
	if taught && source == Simulated {
		verdict += " The learnt rule is told nothing of these worlds, but learned from markets drawn from the same " +
			"ranges: how far its lead carries to others is for -source bootstrap to say."
	}
	return verdict, wants(whole, standings)
}

// wants says what would have to be true for the generator's family to be ahead over
// the whole map.
func wants(whole *Test, standings []Standing) []string {
	share := map[string]float64{}
	for _, s := range standings {
		share[s.Name] = s.Share
	}
	half := (whole.To - whole.From) / 2
	var needs []string
	if whole.Verdict != GeneratorAhead {
		needs = append(needs, fmt.Sprintf("With the noise of these worlds, the member would have to have %.3f more "+
			"of the true optimum than it has, a mean lead over %s of %.3f, for its interval to exclude 0.",
			max(0, half-whole.Difference), whole.Rival, half))
	}
	best := share[whole.Rival]
	worth := "these worlds show nothing that a prior would gain"
	if gain := share[rightPrior] - best; gain > 0 {
		worth = fmt.Sprintf("about %+.3f is there for a prior, whoever brings it", gain)
	}
	needs = append(needs, fmt.Sprintf("Whoever knew the covariance and the law of the Sharpe ratios, and learned the "+
		"means from the history, would have %.3f of the optimum, against %.3f of %s: %s.", share[rightPrior], best,
		whole.Rival, worth))
	top, there := share[ceiling]
	switch {
	case !there: // no generator was looked at
	case top > best:
		needs = append(needs, fmt.Sprintf("The truth would find %.3f of the optimum among the generator's samples: "+
			"better portfolios are there, and what fails is telling them from the history.", top))
	default:
		needs = append(needs, fmt.Sprintf("Even the truth would find only %.3f of the optimum among the generator's "+
			"samples: it would first have to make better portfolios.", top))
	}
	return needs
}
