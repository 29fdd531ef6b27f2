package vae

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
)

// setPrograms are the compiled graphs of one shape of the network over sets. Each
// compiles once for each bucket of assets.
type setPrograms struct {
	network            *setNetwork
	step, loop         *graph.Exec // one step of training, or several where the backend runs loops
	eval, read, encode *graph.Exec
}

// setInputsOf reads the universes from a list of inputs, and returns what follows.
func setInputsOf(in []*graph.Node) (setInputs, []*graph.Node) {
	return setInputs{tokens: in[0], mask: in[1], facts: in[2], limits: in[3]}, in[4:]
}

func newSetPrograms(engine compute.Backend, n *setNetwork) (*setPrograms, error) {
	p := &setPrograms{network: n}
	graphs := p.ofTraining(n)
	if n.config.rule() {
		graphs = append(graphs, p.ofRule(n)...)
	} else {
		graphs = append(graphs, p.ofModel(n)...)
	}
	for _, g := range graphs {
		e, err := graph.NewExec(engine, g.build)
		if err != nil {
			return nil, err
		}
		e.SetMaxCache(-1) // sizes come in buckets
		*g.program = e
	}
	return p, nil
}

// setGraph builds one of the programs.
type setGraph struct {
	program **graph.Exec
	build   func(in []*graph.Node) []*graph.Node
}

// ofTraining are those of a training's steps. A batch is of universes and, of a VAE, x
// and noise, of a rule guides, mean, covariance and present.
func (p *setPrograms) ofTraining(n *setNetwork) []setGraph {
	return []setGraph{
		// state, plan, batch -> state
		{&p.step, func(in []*graph.Node) []*graph.Node {
			s, rows := takeState(in, 1)
			return n.stepGraph(s, n.cut(s.theta[0]), rows, false).list()
		}},
		// state, plans (S x planSize), batches (S x ...), 0 and the number of steps -> state
		{&p.loop, func(in []*graph.Node) []*graph.Node {
			_, rest := takeState(in, 1)
			tables := len(rest) - 2
			return loop{
				state: in[:len(in)-len(rest)], tables: rest[:tables], zero: rest[tables], end: rest[tables+1],
				cut: func(state []*graph.Node) []*graph.Node { return n.cut(state[0]) },
				step: func(state, _, rows, cut []*graph.Node) []*graph.Node {
					s, _ := takeState(state, 1)
					return n.stepGraph(s, cut, rows, true).list()
				},
			}.run()
		}},
	}
}

// ofModel are the graphs of a VAE.
func (p *setPrograms) ofModel(n *setNetwork) []setGraph {
	return []setGraph{
		// theta, universes, x, noise, present -> reconstruction and KL, means over the rows
		{&p.eval, func(in []*graph.Node) []*graph.Node {
			universes, more := setInputsOf(in[1:])
			return n.tape(in[0], universes).losses(more[0], more[1], more[2]).list()
		}},
		// theta, universes -> offset, slopes and, of a conditional network, scatter
		{&p.read, func(in []*graph.Node) []*graph.Node {
			universes, _ := setInputsOf(in[1:])
			_, offset, slopes, scatter := n.tape(in[0], universes).decoder()
			if scatter != nil {
				return []*graph.Node{offset, slopes, scatter}
			}
			return []*graph.Node{offset, slopes}
		}},
		// theta, universes, x -> mean, logvar
		{&p.encode, func(in []*graph.Node) []*graph.Node {
			universes, more := setInputsOf(in[1:])
			t := n.tape(in[0], universes)
			features, _, _, _ := t.decoder()
			mean, logvar := t.encode(more[0], features)
			return []*graph.Node{mean, logvar}
		}},
	}
}

// ofRule are those of a learnt rule.
func (p *setPrograms) ofRule(n *setNetwork) []setGraph {
	return []setGraph{
		// theta, universes, guides, mean, covariance, present -> regret and 0, means over the universes
		{&p.eval, func(in []*graph.Node) []*graph.Node {
			universes, more := setInputsOf(in[1:])
			return n.tape(in[0], universes).regret(more[0], more[1], more[2], more[3]).list()
		}},
		// theta, universes, guides -> what the rule adds to their mean
		{&p.read, func(in []*graph.Node) []*graph.Node {
			universes, more := setInputsOf(in[1:])
			added, _ := n.tape(in[0], universes).rule(more[0])
			return []*graph.Node{added}
		}},
	}
}

// list is reconstruction and KL, as an evaluation has them.
func (l setLosses) list() []*graph.Node {
	both := []*graph.Node{graph.Reshape(l.reconstruction, 1), graph.Reshape(l.kl, 1)}
	return []*graph.Node{graph.Concatenate(both, 0)}
}

func (p *setPrograms) finalize() {
	for _, e := range []*graph.Exec{p.step, p.loop, p.eval, p.read, p.encode} {
		if e != nil { // a rule encodes nothing
			e.Finalize()
		}
	}
}

// setProgram returns the programs of a configuration, made at the first call.
func (b *Backend) setProgram(c SetConfig) (*setPrograms, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.programs == nil {
		return nil, fmt.Errorf("backend %s is closed", b.name)
	}
	c.Seed, c.Beta = 0, 0 // which the graphs don't depend on
	if p, ok := b.sets[c]; ok {
		return p, nil
	}
	var p *setPrograms
	err := guard(func() (err error) {
		p, err = newSetPrograms(b.engine, newSetNetwork(c))
		return err
	})
	if err != nil {
		return nil, err
	}
	if b.sets == nil {
		b.sets = map[SetConfig]*setPrograms{}
	}
	b.sets[c] = p
	return p, nil
}
