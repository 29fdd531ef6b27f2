// Package cpu runs GoMLX graphs on the processor: a [compute.Backend] that
// compiles a graph of the operations that feed-forward networks and their
// training take into a list of steps, and runs it several times as fast as
// GoMLX's Go backend. It is plain Go with a few kernels in assembly, and knows
// nothing of what the graphs mean.
//
//	backend, err := cpu.New()
//	exec, err := graph.NewExec(backend, func(x *graph.Node) *graph.Node { ... })
//
// A graph with any other operation, type or form (loops, random numbers,
// convolutions, sorting) goes to GoMLX's Go backend as a whole. Either way
// GoMLX's builder checks the graph, so that its errors are the same.
//
// # How
//
// What moves no numbers (reshaping, transposing, slicing, broadcasting) becomes
// the way in which another operation reads them. Elementwise functions of one
// shape that wait for nothing between them run together, over tiles of a few
// hundred elements that stay in the first cache. Pieces that are put together are
// made in their places. Every value has its place in one stretch of memory, which
// values that are never needed at once share, and an execution allocates little
// more than its outputs; donated float32 inputs become the outputs of the next.
//
// # Bits
//
// Equal inputs give equal bits: at every level of instructions (plain Go, AVX2,
// AVX-512; on arm64 NEON for matrix products), alone or beside other executions. Each element of a matrix product is
// one chain of fused multiply-adds in order. A sum over outer axes is one chain
// in order; one over the innermost axis goes into 16 sums in turn, which are then
// added in order. The elementwise functions are defined in plain Go, and the
// assembly is a translation: exp and log have errors of at most 1 unit in the
// last place of float32, tanh 2, the logistic function 3. They take subnormal
// numbers, infinities and NaN as IEEE 754 does, and no operation flushes
// subnormal numbers to zero. Logarithms in float64 are those of package math,
// whose bits depend on the architecture.
package cpu
