package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"vaefolio/vaelib/vae"
)

// checkHistory compares the course of the training with the schedule, with the sum of
// its parts, with the events that were written as it went, and with the network.
func (f *folder) checkHistory(ctx context.Context) error {
	in, err := f.inputs()
	if err != nil {
		return err
	}
	data, err := f.rows(ctx)
	if err != nil {
		return err
	}
	n, err := f.readNetwork("model")
	if err != nil {
		return err
	}
	h, err := f.history("history.csv", in.config.Schedule.Patience)
	if err != nil {
		return err
	}
	f.checkSchedule(h, &in.config.Model, chosen(in.config.Schedule, h))
	files := []string{"config.toml", f.inModel("model.json"), f.inModel("model.safetensors")}
	j, err := recall(f, "judgement", files, func() (*judgement, error) {
		return n.judge(data.heldOut, nil, columnMeans(data.training)), nil
	})
	if err != nil {
		return err
	}
	at := slices.IndexFunc(h.Points, func(p vae.Point) bool { return p.Step == h.Step })
	if v := h.Points[at].Validation; v != nil {
		f.near("history.csv", "validation_kl of the model", v.KL, j.kl, single)
	}
	return f.checkEvents(f.inModel("events.out.tfevents.0.vaefolio"), h)
}

// history reads the points of a training.
func (f *folder) history(name string, patience int) (*vae.History, error) {
	t, err := f.table(name)
	if err != nil {
		return nil, err
	}
	want := []string{"step", "beta", "learning_rate", "train_loss", "train_reconstruction", "train_kl",
		"validation_loss", "validation_reconstruction", "validation_kl", "seconds", "samples_per_second",
		"train_control", "validation_control"}
	if !slices.Equal(t.header, want) || len(t.rows) == 0 {
		return nil, fmt.Errorf("%s has the columns %v, want %v, and at least one row", name, t.header, want)
	}
	h := &vae.History{}
	best := math.Inf(1)
	for i, row := range t.rows {
		x, err := parse(name, fmt.Sprint("line ", i+2), row)
		if err != nil {
			return nil, err
		}
		p := vae.Point{Step: int(x[0]), Beta: x[1], LearningRate: x[2], Seconds: x[9], SamplesPerSecond: x[10],
			Train: vae.Losses{Total: x[3], Reconstruction: x[4], KL: x[5], Control: x[11]}}
		if !math.IsNaN(x[6]) {
			p.Validation = &vae.Losses{Total: x[6], Reconstruction: x[7], KL: x[8], Control: x[12]}
		}
		h.Points = append(h.Points, p)
		if patience == 0 {
			h.Step = p.Step
		} else if p.Validation != nil && p.Validation.Total < best {
			h.Step, best = p.Step, p.Validation.Total
		}
	}
	return h, nil
}

// chosen is a schedule with what was left to the program as the history has it.
func chosen(s vae.Schedule, h *vae.History) *vae.Schedule {
	if s.Steps == 0 {
		s.Steps = h.Points[len(h.Points)-1].Step
	}
	if s.LearningRate == 0 {
		s.LearningRate = h.Points[0].LearningRate * 2 / (1 + math.Cos(angle(h.Points[0].Step, &s)))
	}
	return &s
}

// angle is how far a step is on the half cosine by which the learning rate decays.
func angle(step int, s *vae.Schedule) float64 { return math.Pi * float64(step-1) / float64(s.Steps) }

// checkSchedule recomputes what the schedule says of each point, and the sums.
func (f *folder) checkSchedule(h *vae.History, c *vae.Config, s *vae.Schedule) {
	const file = "history.csv"
	var names []string
	var betas, wantBetas, rates, wantRates, losses, low, high, validation, wantValidation []float64
	before := 0
	for i, p := range h.Points {
		names = append(names, "step "+strconv.Itoa(p.Step))
		betas, rates = append(betas, p.Beta), append(rates, p.LearningRate)
		wantBetas = append(wantBetas, c.Beta*min(1, float64(p.Step)/(s.Warmup*float64(s.Steps))))
		wantRates = append(wantRates, s.LearningRate*(1+math.Cos(angle(p.Step, s)))/2)
		losses = append(losses, p.Train.Total)
		held := p.Train.Reconstruction + c.Control*p.Train.Control
		first := c.Beta * min(1, float64(before+1)/(s.Warmup*float64(s.Steps))) // of the steps since the point before
		low = append(low, held+first*p.Train.KL)
		high = append(high, held+p.Beta*p.Train.KL)
		before = p.Step
		if v := p.Validation; v != nil {
			validation = append(validation, v.Total)
			wantValidation = append(wantValidation, v.Reconstruction+c.Beta*v.KL+c.Control*v.Control)
		}
		if i > 0 && p.Step <= h.Points[i-1].Step {
			f.add(file, names[i]+" after "+names[i-1], differs, p.Step, nil)
		}
	}
	if s.Patience == 0 {
		f.equal(file, "last step", h.Points[len(h.Points)-1].Step, s.Steps)
	}
	f.all(file, "learning_rate", names, rates, wantRates, 1e-9)
	f.checkSpeeds(h, s)
	if len(c.Conditions) == 0 {
		var controls []float64
		for _, p := range h.Points {
			control := p.Train.Control
			if p.Validation != nil {
				control += math.Abs(p.Validation.Control)
			}
			controls = append(controls, control)
		}
		f.all(file, "control without conditions", names, controls, make([]float64, len(controls)), 0)
	}
	simple := c.TargetRate == 0 && c.FreeBits == 0
	if !simple {
		return
	}
	if s.Cycles == 0 {
		f.all(file, "beta", names, betas, wantBetas, 1e-9)
		for i := range losses { // under betas that rise between two points
			losses[i] = max(0, low[i]-losses[i], losses[i]-high[i])
		}
		f.all(file, "train_loss beside its parts", names, losses, make([]float64, len(losses)), single)
	}
	if len(validation) == len(names) {
		f.all(file, "validation_loss", names, validation, wantValidation, single)
	}
}

// checkSpeeds compares the speeds with the times: gradient steps are a part of these.
func (f *folder) checkSpeeds(h *vae.History, s *vae.Schedule) {
	before, seconds := 0, 0.0
	for _, p := range h.Points {
		spent := float64((p.Step-before)*s.Batch) / p.SamplesPerSecond
		if !(spent <= (p.Seconds-seconds)*(1+1e-6)+1e-6) {
			f.add("history.csv", fmt.Sprintf("seconds of step %d", p.Step), differs, p.Seconds-seconds, spent)
			return
		}
		before, seconds = p.Step, p.Seconds
	}
	f.add("history.csv", "seconds beside speeds", same, len(h.Points), len(h.Points))
}

// checkEvents compares the events for TensorBoard with the history.
func (f *folder) checkEvents(file string, h *vae.History) error {
	if !f.has(file) {
		return nil
	}
	data, err := f.read(file)
	if err != nil {
		return err
	}
	events, err := readEvents(data)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	for _, e := range events { // of equal trainings they are equal: their clock counts steps, from the year 2000 on
		if want := 946684800 + float64(e.step)/1000; math.Abs(e.wall-want) > 1e-6 {
			f.add(file, fmt.Sprintf("wall time of step %d", e.step), differs, e.wall, want)
			return nil
		}
	}
	if len(events) != len(h.Points)+1 {
		f.add(file, "events", differs, len(events), len(h.Points)+1)
		return nil
	}
	for i, p := range h.Points {
		e := events[i+1]
		want := map[string]float64{"beta": p.Beta, "learning_rate": p.LearningRate, "train/total": p.Train.Total,
			"train/reconstruction": p.Train.Reconstruction, "train/kl": p.Train.KL}
		if v := p.Validation; v != nil {
			want["validation/total"], want["validation/kl"] = v.Total, v.KL
			want["validation/reconstruction"] = v.Reconstruction
		}
		if e.step != p.Step || len(e.values) != len(want) {
			f.add(file, fmt.Sprintf("event %d", i+1), differs, e.step, p.Step)
			return nil
		}
		for name, x := range want {
			if got, ok := e.values[name]; !ok || got != float32(x) {
				f.add(file, fmt.Sprintf("%s of step %d", name, p.Step), differs, e.values[name], x)
				return nil
			}
		}
	}
	f.add(file, "events", same, len(events), len(events))
	return nil
}

// event is one of an event file.
type event struct {
	wall   float64 // seconds since 1970
	step   int
	values map[string]float32
}

var errEvents = errors.New("no file of events, or a damaged one")

// readEvents reads TensorBoard's format: records of a length and a message, each with
// its checksum.
func readEvents(data []byte) ([]event, error) {
	var events []event
	for len(data) > 0 {
		if len(data) < 12 || masked(data[:8]) != binary.LittleEndian.Uint32(data[8:]) {
			return nil, errEvents
		}
		length := binary.LittleEndian.Uint64(data)
		if length > uint64(len(data)-12) || uint64(len(data)-12)-length < 4 {
			return nil, errEvents
		}
		message, rest := data[12:12+length], data[12+length:]
		if masked(message) != binary.LittleEndian.Uint32(rest) {
			return nil, errEvents
		}
		e := event{values: map[string]float32{}}
		err := fields(message, func(number protowire.Number, value []byte, bits uint64) error {
			switch number {
			case 1:
				e.wall = math.Float64frombits(bits)
			case 2:
				e.step = int(bits)
			case 5:
				return fields(value, func(_ protowire.Number, value []byte, _ uint64) error { return e.add(value) })
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		events, data = append(events, e), rest[4:]
	}
	return events, nil
}

// add takes one value in: its name and its number.
func (e *event) add(message []byte) error {
	name, x := "", float32(0)
	err := fields(message, func(number protowire.Number, value []byte, bits uint64) error {
		switch number {
		case 1:
			name = string(value)
		case 2:
			x = math.Float32frombits(uint32(bits))
		}
		return nil
	})
	e.values[name] = x
	return err
}

// fields hands out the fields of a protocol buffer: bytes, or the bits of a number.
func fields(data []byte, take func(number protowire.Number, value []byte, bits uint64) error) error {
	for len(data) > 0 {
		number, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			return errEvents
		}
		data = data[n:]
		var value []byte
		var bits uint64
		switch kind {
		case protowire.VarintType:
			bits, n = protowire.ConsumeVarint(data)
		case protowire.Fixed64Type:
			bits, n = protowire.ConsumeFixed64(data)
		case protowire.Fixed32Type:
			var short uint32
			short, n = protowire.ConsumeFixed32(data)
			bits = uint64(short)
		case protowire.BytesType:
			value, n = protowire.ConsumeBytes(data)
		default:
			return errEvents
		}
		if n < 0 {
			return errEvents
		}
		if err := take(number, value, bits); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// masked is the checksum of a record.
func masked(data []byte) uint32 {
	crc := crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))
	return (crc>>15 | crc<<17) + 0xa282ead8
}
