package learnt

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/universe"
	"vaefolio/vaelib/vae"
)

// file is the network of a rule.
const file = "rule.safetensors"

// Rule is a learnt rule: a network that gives any universe one portfolio, trained for
// the largest true Sharpe ratio on markets whose truth is known, or the mean of
// several such networks. It is a model, not an optimum: what it gives is best on
// average over markets like those that it learned from, if it learned well.
type Rule struct {
	networks []*vae.SetModel
	Name     string // of the folders, or that it is the built-in one
	hash     string
}

// In says whether a folder holds a network of a rule.
func In(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, file))
	return err == nil
}

// Check returns an error unless each of the folders holds a network of a rule, before
// a backend is opened for it.
func Check(dirs ...string) error {
	for _, dir := range dirs {
		if !In(dir) {
			return fmt.Errorf("no learnt rule in %s, which would be a file %s: train -objective true-sharpe makes one",
				dir, file)
		}
	}
	return nil
}

// Files are the names of the files that [Train] may write in a run's folder.
func Files() []string { return []string{file, "training.safetensors"} }

// Open reads a rule from the folders of its networks, or the built-in one where none
// are given.
func Open(backend *vae.Backend, dirs ...string) (*Rule, error) {
	if len(dirs) == 0 {
		return builtIn(backend)
	}
	r := &Rule{Name: strings.Join(dirs, ", ")}
	for _, dir := range dirs {
		network, err := vae.LoadSet(backend, filepath.Join(dir, file))
		if err != nil {
			return nil, fmt.Errorf("no learnt rule in %s: %w", dir, err)
		}
		r.networks = append(r.networks, network)
	}
	var err error
	r.hash, err = Hash(dirs...)
	return r, err
}

// Hash identifies the networks.
func (r *Rule) Hash() string { return r.hash }

// Hash returns what [Rule.Hash] does for the rule of [Open], without opening it: one
// SHA-256 of those of the networks' files.
func Hash(dirs ...string) (string, error) {
	files, err := Read(dirs...)
	var hashes [][]byte
	for _, data := range files {
		sum := sha256.Sum256(data)
		hashes = append(hashes, []byte(hex.EncodeToString(sum[:])))
	}
	return run.Hash(hashes...), err
}

// Read returns the networks' files of the rule that [Open] would open.
func Read(dirs ...string) (files [][]byte, err error) {
	add := func(data []byte, err error) error {
		files = append(files, data)
		return err
	}
	for _, dir := range dirs {
		if err := add(run.ReadFile(filepath.Join(dir, file))); err != nil {
			return nil, err
		}
	}
	if len(dirs) == 0 {
		for i := range members {
			if err := add(builtInFile(i)); err != nil {
				return nil, err
			}
		}
	}
	return files, nil
}

// Choose returns the rule's weights (n) for assets with names and a window of returns
// (T x n), projected onto a set in float64. Equal windows have equal weights, in
// whatever order their assets come: these are put in that of their names. It returns
// an error for a window that is no universe, see [universe.Universe.Check], and for a
// set without weights.
func (r *Rule) Choose(ctx context.Context, symbols []string, returns *mat.Dense, set simplex.Set) ([]float64, error) {
	periods, n := returns.Dims()
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(symbols[a], symbols[b]) })
	sorted := mat.NewDense(periods, n, nil)
	for to, from := range order {
		for t := range periods {
			sorted.Set(t, to, returns.At(t, from))
		}
	}
	largest := 1.0
	if set.Upper != nil {
		largest = min(1, slices.Max(set.Upper))
	}
	u, err := universe.New(nil, sorted, largest)
	if err != nil {
		return nil, err
	}
	box := simplex.Set{N: n, Upper: slices.Repeat([]float64{largest}, n)}
	guides, err := universe.Guides(ctx, sorted, box, stream.New(1, "learnt.rule", 0))
	if err != nil {
		return nil, err
	}
	mean, err := r.mean(u, guides)
	if err != nil {
		return nil, err
	}
	w := make([]float64, n)
	for to, from := range order {
		w[from] = mean[to]
	}
	projector, err := simplex.NewProjector(set)
	if err != nil {
		return nil, err
	}
	_, err = projector.Project(w, w)
	return w, err
}

// mean is that of the networks' weights.
func (r *Rule) mean(u *universe.Universe, guides *mat.Dense) ([]float64, error) {
	mean := make([]float64, u.Assets())
	for _, network := range r.networks {
		w, err := network.Choose(u, guides)
		if err != nil {
			return nil, err
		}
		for i, v := range w {
			mean[i] += v / float64(len(r.networks))
		}
	}
	return mean, nil
}

// checkpoints is how often a training saves its state.
const checkpoints = 20

// Train trains a rule of one network on examples with their truth and keeps it in a
// folder. It goes on from the checkpoint there, where an interrupted training has left
// one, and ends with the same bytes.
func Train(
	ctx context.Context, b *vae.Backend, examples []*universe.Example, c vae.SetConfig, s vae.Schedule, dir string,
	progress func(done, total int, note string),
) (*Rule, *vae.History, error) {
	options := vae.TrainOptions{
		Progress: progress, CheckpointEvery: max(1, s.Steps/checkpoints),
		Checkpoint: func(c *vae.Checkpoint) error { return c.Save(dir) },
	}
	switch c, err := vae.LoadCheckpoint(dir); {
	case err == nil:
		options.Resume = c
	case !errors.Is(err, fs.ErrNotExist):
		return nil, nil, err
	}
	network, history, err := vae.TrainSet(ctx, b, c, s, examples, options)
	if err != nil {
		return nil, nil, fmt.Errorf("training: %w", err)
	}
	if err := network.Save(filepath.Join(dir, file)); err != nil {
		return nil, nil, err
	}
	r, err := Open(b, dir)
	if err != nil {
		return nil, nil, err
	}
	return r, history, vae.RemoveCheckpoint(dir)
}

// Diagnosis says what a rule is worth on universes that it has not learned from,
// in shares of the largest true Sharpe ratio.
type Diagnosis struct {
	Universes int     `json:"universes"`
	Share     float64 `json:"share"` // of the rule
	// Guides are the shares of empirical Bayes, of Michaud's resampling and of half of
	// each, and what the rule is ahead of them by, with intervals of 95 %.
	Guides []GuideWorth `json:"guides"`
}

// GuideWorth is a guide beside the rule.
type GuideWorth struct {
	Name  string  `json:"name"`
	Share float64 `json:"share"`
	Ahead float64 `json:"rule_ahead_by"`
	From  float64 `json:"from"`
	To    float64 `json:"to"`
}

// String tells the shares.
func (d *Diagnosis) String() string {
	text := fmt.Sprintf("%d universes held out: %.4f of the largest true Sharpe ratio", d.Universes, d.Share)
	for _, g := range d.Guides {
		text += fmt.Sprintf("; less %s %+.4f [%+.4f, %+.4f]", g.Name, g.Ahead, g.From, g.To)
	}
	return text
}

// guideNames are those of what a rule starts from.
var guideNames = [...]string{"empirical-bayes", "resampled", "half of each"}

// Judge measures the rule on the held-out universes of examples with their truth,
// beside its guides. It returns nil where nothing is held out.
func (r *Rule) Judge(ctx context.Context, examples []*universe.Example,
	progress func(done, total int, note string)) (*Diagnosis, error) {
	var own []float64
	differ := make([][]float64, len(guideNames))
	var heldOut []*universe.Example
	for _, e := range examples {
		if e.HeldOut {
			heldOut = append(heldOut, e)
		}
	}
	for i, e := range heldOut {
		optimum, err := e.Optimum(ctx)
		if err != nil {
			return nil, fmt.Errorf("the truth of universe %s: %w", e.ID, err)
		}
		w, err := r.mean(&e.Universe, e.Weights)
		if err != nil {
			return nil, fmt.Errorf("universe %s: %w", e.ID, err)
		}
		share := e.Truth.Sharpe(w) / optimum
		own = append(own, share)
		half := make([]float64, len(w))
		for k := range universe.GuideCount {
			guide := e.Weights.RawRowView(k)
			differ[k] = append(differ[k], share-e.Truth.Sharpe(guide)/optimum)
			for j, v := range guide {
				half[j] += v / universe.GuideCount
			}
		}
		differ[universe.GuideCount] = append(differ[universe.GuideCount], share-e.Truth.Sharpe(half)/optimum)
		if progress != nil {
			progress(i+1, len(heldOut), "universes")
		}
	}
	if len(own) < 2 {
		return nil, nil
	}
	d := &Diagnosis{Universes: len(own), Share: stat.Mean(own, nil)}
	for k, name := range guideNames {
		ahead, deviation := stat.MeanStdDev(differ[k], nil)
		half := 1.96 * stat.StdErr(deviation, float64(len(own)))
		d.Guides = append(d.Guides, GuideWorth{name, d.Share - ahead, ahead, ahead - half, ahead + half})
	}
	return d, nil
}
