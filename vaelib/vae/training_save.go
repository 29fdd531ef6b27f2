package vae

import "slices"

func (t *training) checkpoint() (*Checkpoint, error) {
	return t.copied(&Checkpoint{best: t.best, document: checkpointDocument{
		Config: t.config, Stale: t.stale, BestLoss: t.bestLoss,
	}}, t.joined)
}

// restore continues from a checkpoint.
func (t *training) restore(c *Checkpoint) error {
	d := &c.document
	if d.Set != nil {
		return &MismatchError{What: "kind", Have: "that of any set of assets", Want: "that of a fixed one"}
	}
	config := MismatchError{"configuration", d.Config, t.config}
	if err := d.matches(t.schedule, t.backend.name, t.dataHash, config); err != nil {
		return err
	}
	t.resume(d)
	t.best, t.bestLoss, t.stale = c.best, d.BestLoss, d.Stale
	t.load(slices.Clone(c.theta), slices.Clone(c.first), slices.Clone(c.second),
		slices.Clone(c.sums), slices.Clone(c.rate))
	return nil
}
