package cli

import "vaefolio/vaelib/run"

// Common are the flags of every verb.
type Common struct {
	Seed   uint64 `flag:"seed" default:"1" help:"decides everything random"`
	Quiet  bool   `flag:"quiet" record:"-" help:"no progress and no messages, only errors"`
	Config string `flag:"config" unit:"FILE" record:"-" help:"TOML with values for flags, its keys their names; flags overrule it"`
	Preset string `flag:"preset" record:"-" help:"a set of defaults"`
}

// Format is the flag of a verb with a result to print.
type Format struct {
	Format string `flag:"format" choice:"table|csv|json" default:"table" record:"-" help:"how results are printed; csv and json at full precision"`
}

// Output are the flags of a verb that makes a folder.
type Output struct {
	Out   string `flag:"out" unit:"DIR" record:"-" help:"folder for the results; with an unfinished run of the same configuration it goes on"`
	Force bool   `flag:"force" record:"-" help:"replace another run in the folder"`
}

// Open opens the folder as that of a run with the spec, whose verb and
// configuration it fills in. A verb returns the error as it is: for a run that
// is done already it stands for exit code 0.
func (o *Output) Open(io *IO, spec run.Spec) (*run.Run, error) {
	if o.Out == "" {
		return nil, Usagef("-out DIR is missing: the folder for the results")
	}
	spec.Verb, spec.Config = io.verb, io.Config()
	r, err := run.Open(o.Out, spec, o.Force)
	if err == nil && r.Resumed {
		io.Note("%s: going on with the unfinished run", o.Out)
	}
	return r, err
}

// Backend is the flag of a verb that runs a model.
type Backend struct {
	Backend string `flag:"backend" unit:"go|xla|auto|xla:PLUGIN" default:"auto" help:"what computes the model: auto is XLA where a plugin is found, else pure Go"`
}
