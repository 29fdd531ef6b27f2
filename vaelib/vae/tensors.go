package vae

import (
	"math/bits"

	"github.com/gomlx/gomlx/core/tensors"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/stream"
)

// maxBlock is how many rows one call encodes, decodes or evaluates at most.
const maxBlock = 1024

// powerOfTwo is the smallest power of two that is at least n: row counts are
// padded to it, so that few shapes are ever compiled.
func powerOfTwo(n int) int { return 1 << bits.Len(uint(max(n, 1)-1)) }

func blockSize(rows int) int { return min(maxBlock, powerOfTwo(rows)) }

// trainingRows is the training data as the graph takes it.
type trainingRows struct {
	rows, mean *tensors.Tensor
}

func newTrainingRows(c Config, s scaling, x, conditions *mat.Dense) trainingRows {
	rows, n := x.Dims()
	padded, width := powerOfTwo(rows), n+c.conditionWidth()
	flat := make([]float32, padded*width)
	s.standardise(flat, c, x, conditions, 0)
	return trainingRows{
		rows: tensors.FromFlatDataAndDimensions(flat, padded, width),
		mean: columnTensor(s.mean),
	}
}

func columnTensor(v []float64) *tensors.Tensor {
	flat := make([]float32, len(v))
	for i, x := range v {
		flat[i] = float32(x)
	}
	return tensors.FromFlatDataAndDimensions(flat, len(v), 1)
}

// featureTensor turns rows (row-major, rows x width) into columns, as the graph
// takes them: width x rows.
func featureTensor(flat []float32, rows, width int) *tensors.Tensor {
	turned := make([]float32, len(flat))
	for i := range rows {
		for j, v := range flat[i*width : (i+1)*width] {
			turned[j*rows+i] = v
		}
	}
	return tensors.FromFlatDataAndDimensions(turned, width, rows)
}

// evaluationBlock is a part of the validation rows, with the noise that every
// evaluation uses for it.
type evaluationBlock struct {
	noise, rows, present *tensors.Tensor
}

func newEvaluationBlocks(c Config, s scaling, x, conditions *mat.Dense, noiseWidth int) []evaluationBlock {
	rows, n := x.Dims()
	size, width := blockSize(rows), n+c.conditionWidth()
	var blocks []evaluationBlock
	for from := 0; from < rows; from += size {
		flat, present := make([]float32, size*width), make([]float32, size)
		s.standardise(flat, c, x, conditions, from)
		for i := range min(size, rows-from) {
			present[i] = 1
		}
		blocks = append(blocks, evaluationBlock{
			noise:   noiseTensor(0, "vae.validation", uint64(from), size, noiseWidth),
			rows:    featureTensor(flat, size, width),
			present: tensors.FromFlatDataAndDimensions(present, size),
		})
	}
	return blocks
}

// noiseTensor draws the standard normals (width x rows) of a seed, purpose and
// index.
func noiseTensor(seed uint64, purpose string, index uint64, rows, width int) *tensors.Tensor {
	noise := make([]float32, rows*width)
	fillNormals(noise, stream.Source(seed, purpose, index))
	return tensors.FromFlatDataAndDimensions(noise, width, rows)
}
