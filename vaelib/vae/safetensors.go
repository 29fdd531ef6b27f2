package vae

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
)

// The safetensors format: the header's length (8 bytes, little-endian), a JSON
// header that gives each tensor's type, shape and place, and the tensors'
// values, little-endian, without holes.
// https://github.com/huggingface/safetensors

// tensor is one named array.
type tensor struct {
	name   string
	shape  []int
	values []float32
}

// The one type of values, and its size in bytes.
const (
	dtype     = "F32"
	dtypeSize = 4
)

// The header's entry of a tensor.
type tensorInfo struct {
	DType   string `json:"dtype"`
	Shape   []int  `json:"shape"`
	Offsets [2]int `json:"data_offsets"`
}

const metadataKey = "__metadata__"

// maxHeader bounds a header's length: a file that claims more is damaged.
const maxHeader = 100 << 20

// tensorError is a fault of one tensor of a file, or with an empty name of the
// whole file.
type tensorError struct {
	name string
	err  error
}

func (e *tensorError) Error() string {
	if e.name == "" {
		return e.err.Error()
	}
	return fmt.Sprintf("tensor %q: %v", e.name, e.err)
}

// writeTensors writes tensors in their order, with metadata (which may be nil).
func writeTensors(w io.Writer, metadata map[string]string, tensors []tensor) error {
	header := map[string]any{}
	if metadata != nil {
		header[metadataKey] = metadata
	}
	offset := 0
	for _, t := range tensors {
		size := dtypeSize * len(t.values)
		header[t.name] = tensorInfo{DType: dtype, Shape: t.shape, Offsets: [2]int{offset, offset + size}}
		offset += size
	}
	text, err := json.Marshal(header) // keys are sorted: the same bytes each time
	if err != nil {
		return err
	}
	for len(text)%8 != 0 {
		text = append(text, ' ')
	}
	if _, err := w.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(text)))); err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	for _, t := range tensors {
		if err := binary.Write(w, binary.LittleEndian, t.values); err != nil {
			return err
		}
	}
	return nil
}

// readTensors reads what writeTensors wrote. Whatever the bytes are, it
// allocates no more than a small multiple of their number. Its errors are
// *tensorError; metadata that were read by then come with them.
func readTensors(data []byte) (metadata map[string]string, tensors []tensor, err error) {
	fail := func(name, format string, args ...any) (map[string]string, []tensor, error) {
		return metadata, nil, &tensorError{name, fmt.Errorf(format, args...)}
	}
	if len(data) < 8 {
		return fail("", "cut short: %d bytes, want at least 8", len(data))
	}
	length := binary.LittleEndian.Uint64(data)
	data = data[8:]
	if length > maxHeader {
		return fail("", "not a safetensors file: its header would have %d bytes", length)
	}
	if length > uint64(len(data)) {
		return fail("", "cut short: %d bytes after the header's length, its header alone has %d", len(data), length)
	}
	var header map[string]json.RawMessage
	if err := json.Unmarshal(data[:length], &header); err != nil {
		return fail("", "not a safetensors file: its header is not JSON: %w", err)
	}
	data = data[length:]
	if raw, ok := header[metadataKey]; ok {
		if err := json.Unmarshal(raw, &metadata); err != nil {
			return fail("", "its metadata are not text: %w", err)
		}
		delete(header, metadataKey)
	}
	infos := map[string]tensorInfo{}
	for name, raw := range header {
		var info tensorInfo
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&info); err != nil {
			return fail(name, "its header entry is malformed: %w", err)
		}
		infos[name] = info
	}
	names := slices.SortedFunc(maps.Keys(infos), func(a, b string) int {
		return cmp.Or(cmp.Compare(infos[a].Offsets[0], infos[b].Offsets[0]), cmp.Compare(a, b))
	})
	end := 0
	for _, name := range names {
		info := infos[name]
		if info.DType != dtype {
			return fail(name, "type %q is not supported, want %s", info.DType, dtype)
		}
		count, err := elements(info.Shape, len(data)/dtypeSize)
		if err != nil {
			return fail(name, "%w", err)
		}
		if info.Offsets[0] != end || info.Offsets[1] != end+count*dtypeSize {
			return fail(name, "shape %v of %s lies at bytes %v, want %d to %d",
				info.Shape, info.DType, info.Offsets, end,
				end+count*dtypeSize)
		}
		if info.Offsets[1] > len(data) {
			return fail(name, "cut short: it ends at byte %d of %d", info.Offsets[1], len(data))
		}
		part := data[info.Offsets[0]:info.Offsets[1]]
		end = info.Offsets[1]
		t := tensor{name: name, shape: info.Shape, values: make([]float32, count)}
		for i := range t.values {
			t.values[i] = math.Float32frombits(binary.LittleEndian.Uint32(part[dtypeSize*i:]))
		}
		tensors = append(tensors, t)
	}
	if end != len(data) {
		return fail("", "%d bytes after the last tensor", len(data)-end)
	}
	return metadata, tensors, nil
}

// elements multiplies the dimensions of a shape, which may have at most limit
// elements.
func elements(shape []int, limit int) (int, error) {
	count := 1
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("shape %v has a negative dimension", shape)
		}
		if d > 0 && count > limit/d {
			return 0, errors.New("cut short: its shape holds more values than the file")
		}
		count *= d
	}
	return count, nil
}
