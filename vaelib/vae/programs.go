package vae

import (
	"fmt"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// programs are the compiled graphs of one network shape. Each compiles once
// for each shape of its inputs, at its first call.
type programs struct {
	engine  compute.Backend
	network *network
	encode  *graph.Exec // theta, rows -> mean, logvar
	decode  *graph.Exec // theta, codes -> weights
	vjp     *graph.Exec // theta, codes, g -> by codes
	density *graph.Exec // see densityGraph

	mu    sync.Mutex
	steps map[string]*graph.Exec // by program: one step, or a loop of them
	evals map[string]*graph.Exec // by the controls: see evaluationGraph
}

func newPrograms(engine compute.Backend, n *network) (*programs, error) {
	p := &programs{engine: engine, network: n, steps: map[string]*graph.Exec{}, evals: map[string]*graph.Exec{}}
	var err error
	if p.encode, err = graph.NewExec(engine, func(theta, rows *graph.Node) (mean, logvar *graph.Node) {
		return n.tape(theta).encode(rows)
	}); err != nil {
		return nil, err
	}
	if p.decode, err = graph.NewExec(engine, func(theta, codes *graph.Node) *graph.Node {
		weights, _ := n.tape(theta).decode(codes)
		return weights
	}); err != nil {
		return nil, err
	}
	if p.vjp, err = graph.NewExec(engine, n.vjpGraph); err != nil {
		return nil, err
	}
	p.density, err = graph.NewExec(engine, n.densityGraph)
	return p, err
}

// step returns the compiled form of a program: of one training step, or of a
// loop of them.
func (p *programs) step(of program) (*graph.Exec, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cached(p.steps, of.key(), func(in []*graph.Node) []*graph.Node {
		if of.loop {
			return p.network.loopGraph(of, in)
		}
		s, inputs := takeState(in, p.network.parts(of.layout))
		for i := inputPlan; i < inputSize; i++ {
			inputs[i] = graph.Reshape(inputs[i], inputs[i].Shape().Dimensions[1:]...)
		}
		return p.network.stepGraph(of, s, inputs, p.network.cut(of.layout, s.theta)).list()
	})
}

// eval returns the program that evaluates rows.
func (p *programs) eval(controls []control) (*graph.Exec, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cached(p.evals, fmt.Sprintf("%+v", controls), func(in []*graph.Node) []*graph.Node {
		return []*graph.Node{p.network.evaluationGraph(controls, in[0], in[1], in[2], in[3], in[4], in[5], in[6])}
	})
}

// cached returns the graph that stands under a key of the cache, built at the
// first call.
func (p *programs) cached(
	cache map[string]*graph.Exec, key string, build func(in []*graph.Node) []*graph.Node,
) (*graph.Exec, error) {
	if e, ok := cache[key]; ok {
		return e, nil
	}
	e, err := graph.NewExec(p.engine, build)
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
