// Package stream derives random sources by name.
//
// A source belongs to a seed, a purpose and an index, and to nothing else: not
// to the order of the calls, and not to the number of workers. So work that is
// split over workers gives the same bytes however it is split:
//
//	rng := stream.New(seed, "corpus.dirichlet", block)
package stream

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// New returns the source of one seed, purpose and index. Equal arguments give
// equal sources, different ones independent sources.
func New(seed uint64, purpose string, index uint64) *rand.Rand {
	return rand.New(Source(seed, purpose, index))
}

// Source is [New] for callers that want the bare source, such as the
// distributions of gonum.
func Source(seed uint64, purpose string, index uint64) *rand.PCG {
	var numbers [16]byte
	binary.LittleEndian.PutUint64(numbers[:8], seed)
	binary.LittleEndian.PutUint64(numbers[8:], index)
	hash := sha256.New()
	hash.Write(numbers[:])
	hash.Write([]byte(purpose))
	sum := hash.Sum(nil)
	return rand.NewPCG(binary.LittleEndian.Uint64(sum), binary.LittleEndian.Uint64(sum[8:]))
}
