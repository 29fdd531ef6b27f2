package learnt

import (
	"embed"
	"fmt"

	"vaefolio/vaelib/vae"
)

//go:embed builtin
var builtin embed.FS

// members are the networks of the built-in rule, which were trained with the seeds
// from 1 on.
const members = 3

// builtInFile is the file of one of them.
func builtInFile(i int) ([]byte, error) {
	return builtin.ReadFile(fmt.Sprintf("builtin/rule-%d.safetensors", i+1))
}

// builtIn returns the rule that is part of the program: the mean of networks of
// several seeds. docs/universe.md has the commands, and what it is worth.
func builtIn(backend *vae.Backend) (*Rule, error) {
	r := &Rule{Name: "the built-in rule"}
	for i := range members {
		data, err := builtInFile(i)
		if err != nil {
			return nil, err
		}
		network, err := vae.ParseSet(backend, data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.Name, err)
		}
		r.networks = append(r.networks, network)
	}
	var err error
	r.hash, err = Hash()
	return r, err
}
