package vae

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"math"
	"math/bits"

	"github.com/gomlx/gomlx/core/tensors"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/stream"
)

// scaling standardises rows: (x - mean)/sqrt(variance), and their conditions.
type scaling struct {
	mean       []float64 // n: mean training row
	variance   float64   // the training rows' mean per-coordinate variance, tr(Sigma)/n, divisor N
	conditions []scale   // k
}

func newScaling(x *mat.Dense) (scaling, error) {
	rows, n := x.Dims()
	s := scaling{mean: make([]float64, n)}
	for i := range rows {
		for j, v := range x.RawRowView(i) {
			s.mean[j] += v / float64(rows)
		}
	}
	for i := range rows {
		for j, v := range x.RawRowView(i) {
			s.variance += (v - s.mean[j]) * (v - s.mean[j]) / float64(rows*n)
		}
	}
	if !(s.variance > 1e-12) {
		return s, errors.New("training rows are all the same: there is nothing to learn")
	}
	return s, nil
}

// standardise writes rows from.. of x and, of a conditional model, of their
// conditions into dst, float32 row-major of n+K columns. Rows of dst beyond the
// last row of x stay as they are.
func (s scaling) standardise(dst []float32, c Config, x, conditions *mat.Dense, from int) {
	rows, n := x.Dims()
	width := n + c.conditionWidth()
	inverse := 1 / math.Sqrt(s.variance)
	for i := from; i < rows && (i-from)*width < len(dst); i++ {
		row := dst[(i-from)*width:][:width]
		for j, v := range x.RawRowView(i) {
			row[j] = float32((v - s.mean[j]) * inverse)
		}
		if conditions != nil {
			s.expand(row[n:], c.Conditions, conditions.RawRowView(i))
		}
	}
}

// checkRows returns an error that names the first row which the configuration
// can't learn from.
func checkRows(what string, x *mat.Dense, c Config) error {
	rows, n := x.Dims()
	longOnly := heads[c.Head].longOnly
	if n != c.Assets {
		return fmt.Errorf("%s rows have %d columns, want %d assets", what, n, c.Assets)
	}
	for i := range rows {
		var sum float64
		for j, v := range x.RawRowView(i) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("%s row %d has %v in column %d", what, i+1, v, j+1)
			}
			if longOnly && v < -1e-9 {
				return fmt.Errorf("%s row %d has %v in column %d: the %s head learns long-only portfolios, take the linear head", what, i+1, v, j+1, c.Head)
			}
			if c.MaxWeight > 0 && v > c.MaxWeight+1e-6 {
				return fmt.Errorf("%s row %d has %v in column %d, above the max weight of %v: raise it or project the rows", what, i+1, v, j+1, c.MaxWeight)
			}
			sum += v
		}
		if longOnly && math.Abs(sum-1) > 1e-6 {
			return fmt.Errorf("%s row %d sums to %v, want 1", what, i+1, sum)
		}
	}
	return nil
}

// DataHash identifies what a training learns from and is judged by, to the bit:
// its rows (N x n), those of its validation (nil: none) and, in the options,
// their conditions and measures. See [Model.DataHash].
func DataHash(train, validation *mat.Dense, opt TrainOptions) string {
	hash := sha256.New()
	hashRows(hash, train, validation)
	if opt.Conditions != nil {
		hashRows(hash, opt.Conditions, opt.ValidationConditions)
		_ = json.NewEncoder(hash).Encode(opt.Measures) // a hash takes everything, and measures hold numbers
	}
	return hex.EncodeToString(hash.Sum(nil))
}

func hashRows(hash hash.Hash, matrices ...*mat.Dense) {
	var buffer []byte
	for _, x := range matrices {
		rows, columns := 0, 0
		if x != nil {
			rows, columns = x.Dims()
		}
		buffer = binary.LittleEndian.AppendUint64(buffer[:0], uint64(rows))
		buffer = binary.LittleEndian.AppendUint64(buffer, uint64(columns))
		hash.Write(buffer)
		for i := range rows {
			buffer = buffer[:0]
			for _, v := range x.RawRowView(i) {
				buffer = binary.LittleEndian.AppendUint64(buffer, math.Float64bits(v))
			}
			hash.Write(buffer)
		}
	}
}

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
