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
	decode  *graph.Exec // theta, codes -> weights
	vjp     *graph.Exec // theta, codes, g -> by codes
	density *graph.Exec // see densityGraph

	mu    sync.Mutex
	steps map[string]*graph.Exec // by program: one step, or a loop of them
	evals map[string]*graph.Exec // by the controls: see evaluationGraph
}

// shape names what decides a network's graphs.
func (c Config) shape() string {
	widths := make([]int, len(c.Conditions))
	for i, condition := range c.Conditions {
		widths[i] = condition.width()
	}
	return fmt.Sprint(c.Assets, c.Latent, c.Hidden, c.Likelihood, c.Head, c.MaxWeight, c.Activation, widths)
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
	p := &programs{network: n, steps: map[string]*graph.Exec{}, evals: map[string]*graph.Exec{}}
	var err error
	if p.encode, err = graph.NewExec(b.engine, func(theta, rows *graph.Node) (mean, logvar *graph.Node) {
		return n.tape(theta).encode(rows)
	}); err != nil {
		return nil, err
	}
	if p.decode, err = graph.NewExec(b.engine, func(theta, codes *graph.Node) *graph.Node {
		weights, _ := n.tape(theta).decode(codes)
		return weights
	}); err != nil {
		return nil, err
	}
	if p.vjp, err = graph.NewExec(b.engine, n.vjpGraph); err != nil {
		return nil, err
	}
	p.density, err = graph.NewExec(b.engine, n.densityGraph)
	return p, err
}

// vjpGraph carries g (n x B) back through the decoder at codes ((d+K) x B).
func (n *network) vjpGraph(theta, codes, g *graph.Node) *graph.Node {
	weights, _ := n.tape(theta).decode(codes)
	return graph.Gradient(graph.ReduceAllSum(graph.Mul(weights, graph.StopGradient(g))), codes)[0]
}

// step returns the compiled form of a program: of one training step, or of a
// loop of them.
func (p *programs) step(b *Backend, of program) (*graph.Exec, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return cached(b, p.steps, of.key(), func(in []*graph.Node) []*graph.Node {
		if of.loop {
			return p.network.loopGraph(of, in[:inputSize], in[inputSize], in[inputSize+1])
		}
		for _, i := range perStep {
			in[i] = graph.Reshape(in[i], in[i].Shape().Dimensions[1:]...)
		}
		return p.network.stepGraph(of, in, p.network.matrices(in[stateTheta]))
	})
}

// eval returns the program that evaluates rows.
func (p *programs) eval(b *Backend, controls []control) (*graph.Exec, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return cached(b, p.evals, fmt.Sprintf("%+v", controls), func(in []*graph.Node) []*graph.Node {
		return []*graph.Node{p.network.evaluationGraph(controls, in[0], in[1], in[2], in[3], in[4], in[5], in[6])}
	})
}

func cached(b *Backend, cache map[string]*graph.Exec, key string, build func(in []*graph.Node) []*graph.Node) (*graph.Exec, error) {
	if e, ok := cache[key]; ok {
		return e, nil
	}
	e, err := graph.NewExec(b.engine, build)
	if err != nil {
		return nil, err
	}
	e.SetMaxCache(-1) // row counts are padded to powers of two: few shapes
	cache[key] = e
	return e, nil
}

func (p *programs) finalize() {
	for _, e := range []*graph.Exec{p.encode, p.decode, p.vjp, p.density} {
		e.Finalize()
	}
	for _, cache := range []map[string]*graph.Exec{p.steps, p.evals} {
		for _, e := range cache {
			e.Finalize()
		}
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
