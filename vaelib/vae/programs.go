package vae

import (
	"fmt"
	"sync"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// programs are the compiled graphs of one network shape. Each compiles once
// for each shape of its inputs, at its first call.
type programs struct {
	network *network
	encode  *graph.Exec // theta, rows -> mean, logvar
	decode  *graph.Exec // theta, z -> weights
	vjp     *graph.Exec // theta, z, g -> dz
	eval    *graph.Exec // theta, random, rows, present, mean, variance -> sums

	mu    sync.Mutex
	steps map[int]*graph.Exec // by batch size: one step
	loops map[int]*graph.Exec // by batch size: steps until an end
}

// shape names what decides a network's graphs.
func (c Config) shape() string {
	return fmt.Sprint(c.Assets, c.Latent, c.Hidden, c.Likelihood, c.Head, c.MaxWeight, c.Activation)
}

// program returns the programs of a configuration, made at the first call.
func (b *Backend) program(c Config) (*programs, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.programs == nil {
		return nil, fmt.Errorf("backend %s is closed", b.name)
	}
	key := c.shape()
	if p, ok := b.programs[key]; ok {
		return p, nil
	}
	var p *programs
	err := guard(func() (err error) {
		p, err = newPrograms(b, newNetwork(c))
		return err
	})
	if err != nil {
		return nil, err
	}
	b.programs[key] = p
	return p, nil
}

func newPrograms(b *Backend, n *network) (*programs, error) {
	p := &programs{network: n, steps: map[int]*graph.Exec{}, loops: map[int]*graph.Exec{}}
	var err error
	if p.encode, err = graph.NewExec(b.engine, func(theta, rows *graph.Node) (mean, logvar *graph.Node) {
		return n.tape(theta).encode(rows)
	}); err != nil {
		return nil, err
	}
	if p.decode, err = graph.NewExec(b.engine, func(theta, z *graph.Node) *graph.Node {
		return n.tape(theta).decode(z)
	}); err != nil {
		return nil, err
	}
	if p.vjp, err = graph.NewExec(b.engine, n.vjpGraph); err != nil {
		return nil, err
	}
	p.eval, err = graph.NewExec(b.engine, n.evaluationGraph)
	return p, err
}

// vjpGraph carries g (B x n) back through the decoder at z (B x d).
func (n *network) vjpGraph(theta, z, g *graph.Node) *graph.Node {
	weights := n.tape(theta).decode(z)
	return graph.Gradient(graph.ReduceAllSum(graph.Mul(weights, graph.StopGradient(g))), z)[0]
}

// step returns the program of one training step, or with loop that of many.
func (p *programs) step(b *Backend, batchSize int, loop bool) (*graph.Exec, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	cache := p.steps
	build := func(in []*graph.Node) []*graph.Node { return p.network.stepGraph(batchSize, in) }
	if loop {
		cache = p.loops
		build = func(in []*graph.Node) []*graph.Node {
			return p.network.loopGraph(batchSize, in[:inputSize], in[inputSize])
		}
	}
	if e, ok := cache[batchSize]; ok {
		return e, nil
	}
	e, err := graph.NewExec(b.engine, build)
	if err != nil {
		return nil, err
	}
	e.SetMaxCache(-1) // row counts are padded to powers of two: few shapes
	cache[batchSize] = e
	return e, nil
}

func (p *programs) finalize() {
	for _, e := range []*graph.Exec{p.encode, p.decode, p.vjp, p.eval} {
		e.Finalize()
	}
	for _, e := range p.steps {
		e.Finalize()
	}
	for _, e := range p.loops {
		e.Finalize()
	}
}

// call runs a program and copies its outputs out.
func call(program *graph.Exec, args ...any) (outputs [][]float32, err error) {
	err = guard(func() error {
		results, err := program.Call(args...)
		if err != nil {
			return err
		}
		for _, r := range results {
			v, err := floats(r)
			if err != nil {
				return err
			}
			outputs = append(outputs, v)
		}
		return nil
	})
	return outputs, err
}

// floats copies a tensor's values out.
func floats(t *tensors.Tensor) ([]float32, error) {
	return values[float32](t)
}

func values[T any](t *tensors.Tensor) (v []T, err error) {
	err = t.ConstFlatData(func(flat any) { v = append(v, flat.([]T)...) })
	return v, err
}
