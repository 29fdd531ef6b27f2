package vae

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"math"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/portfolio"
)

// TrainOptions are what a training may be given besides its configuration. The
// zero value is an uninterrupted training without names and reports.
type TrainOptions struct {
	Symbols []string // names of the assets (n), kept with the model; nil: none
	// Conditions of the training and of the validation rows (N x k), in the order
	// of the configuration's, and the measures of those that follow from the
	// weights alone, by name: what Config.Control and caps hold the decoder to.
	Conditions, ValidationConditions *mat.Dense
	Measures                         []portfolio.Measure
	// Checkpoint is called with the whole training state every CheckpointEvery
	// steps (0: never) and when the context ends the training. Its error ends
	// the training.
	Checkpoint      func(*Checkpoint) error
	CheckpointEvery int
	// Resume continues from a checkpoint of the same configuration, schedule,
	// rows and backend: the result is, to the bit, that of a training that was
	// never interrupted.
	Resume *Checkpoint
	// From is a model over sets whose parameters [TrainSet] begins with; nil: random ones.
	From     *SetModel
	Progress func(done, total int, note string) // total is Schedule.Steps; nil: no reports
	// Evaluated is called with each point of the history as soon as it is there.
	// A resumed training calls it with the checkpoint's points first, so that
	// every training that ends has called it once for each point, in order, and
	// what an interrupted process was told and lost is told again. Training waits
	// for it. Nil: not called.
	Evaluated func(Point)
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

// DivergedError says that the loss stopped being a finite number.
type DivergedError struct {
	Step         int     // by which it had happened
	LearningRate float64 // as configured
	Beta         float64 // as configured
}

func (e *DivergedError) Error() string {
	if e.Beta > 1000 && e.LearningRate <= 1 {
		return fmt.Sprintf("loss is not finite at step %d: lower the beta of %v", e.Step, e.Beta)
	}
	return fmt.Sprintf("loss is not finite at step %d: lower the learning rate of %v", e.Step, e.LearningRate)
}

// MismatchError says that a checkpoint belongs to another training.
type MismatchError struct {
	What       string // the first thing that differs
	Have, Want any    // of the checkpoint, of the training
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("checkpoint belongs to another training: its %s is %v, not %v", e.What, e.Have, e.Want)
}
