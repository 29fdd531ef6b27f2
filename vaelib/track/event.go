package track

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"vaefolio/vaelib/run"
)

// EventFile is the name of the file in [Options.Dir]. TensorBoard takes a file
// for one of events by the part "tfevents".
const EventFile = "events.out.tfevents.0.vaefolio"

// A record of an event file (TensorFlow's record_writer.h) is
//
//	uint64 length | uint32 masked CRC32C of length | data | uint32 masked CRC32C of data
//
// little-endian, the data an Event message (event.proto, summary.proto):
//
//	Event   {1: double wall_time, 2: int64 step, 3: string file_version, 5: Summary summary}
//	Summary {1: repeated Value}
//	Value   {1: string tag, 2: float simple_value}

const fileVersion = "brain.Event:2"

// largestRecord bounds what is read for one record: an event of this package
// is a few hundred bytes.
const largestRecord = 1 << 24

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// maskedCRC is the checksum of a record: rotated and shifted, so that a
// checksum of data that holds checksums stays strong.
func maskedCRC(data []byte) uint32 {
	crc := crc32.Checksum(data, castagnoli)
	return (crc>>15 | crc<<17) + 0xa282ead8
}

// event is one message, which is the file's version or the values of a step.
type event struct {
	seconds float64 // wall time since 1970
	step    int64
	version string
	values  []value
}

// value is one number of a step.
type value struct {
	name   string
	number float64
}

// append appends the message.
func (e event) append(b []byte) []byte {
	b = protowire.AppendTag(b, 1, protowire.Fixed64Type)
	b = protowire.AppendFixed64(b, math.Float64bits(e.seconds))
	if e.step != 0 {
		b = protowire.AppendTag(b, 2, protowire.VarintType)
		b = protowire.AppendVarint(b, uint64(e.step))
	}
	if e.version != "" {
		b = protowire.AppendTag(b, 3, protowire.BytesType)
		b = protowire.AppendString(b, e.version)
	}
	if len(e.values) > 0 {
		var summary, one []byte
		for _, v := range e.values {
			one = protowire.AppendTag(one[:0], 1, protowire.BytesType)
			one = protowire.AppendString(one, v.name)
			one = protowire.AppendTag(one, 2, protowire.Fixed32Type)
			one = protowire.AppendFixed32(one, math.Float32bits(float32(v.number)))
			summary = protowire.AppendTag(summary, 1, protowire.BytesType)
			summary = protowire.AppendBytes(summary, one)
		}
		b = protowire.AppendTag(b, 5, protowire.BytesType)
		b = protowire.AppendBytes(b, summary)
	}
	return b
}

// appendRecord appends the record that holds the message.
func (e event) appendRecord(b []byte) []byte {
	data := e.append(nil)
	head := len(b)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(data)))
	b = binary.LittleEndian.AppendUint32(b, maskedCRC(b[head:]))
	b = append(b, data...)
	return binary.LittleEndian.AppendUint32(b, maskedCRC(data))
}

// errBroken is what reading returns for bytes that are no whole record.
var errBroken = errors.New("broken record")

// readRecord reads the next record and returns its event and length in bytes:
// io.EOF at the end, errBroken for a record that is cut short or corrupt.
func readRecord(r io.Reader) (event, int64, error) {
	var head [12]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return event{}, 0, atEnd(err)
	}
	length := binary.LittleEndian.Uint64(head[:8])
	if binary.LittleEndian.Uint32(head[8:]) != maskedCRC(head[:8]) || length > largestRecord {
		return event{}, 0, errBroken
	}
	data := make([]byte, length+4)
	if _, err := io.ReadFull(r, data); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return event{}, 0, atEnd(err)
	}
	data, sum := data[:length], data[length:]
	if binary.LittleEndian.Uint32(sum) != maskedCRC(data) {
		return event{}, 0, errBroken
	}
	e, err := parseEvent(data)
	return e, int64(length) + 16, err
}

func atEnd(err error) error {
	if err == io.ErrUnexpectedEOF {
		return errBroken
	}
	return err
}

// parseEvent reads a message. A field of another type than its own is none of
// this package's, and skipped like all unknown ones.
func parseEvent(data []byte) (event, error) {
	var e event
	err := fields(data, func(f field) error {
		switch f.number {
		case 1:
			e.seconds = math.Float64frombits(f.fixed64())
		case 2:
			e.step = int64(f.varint())
		case 3:
			e.version = string(f.bytes())
		case 5:
			return fields(f.bytes(), func(f field) error {
				if f.number != 1 {
					return nil
				}
				v, err := parseValue(f.bytes())
				e.values = append(e.values, v)
				return err
			})
		}
		return nil
	})
	return e, err
}

func parseValue(data []byte) (value, error) {
	var v value
	err := fields(data, func(f field) error {
		switch f.number {
		case 1:
			v.name = string(f.bytes())
		case 2:
			v.number = float64(math.Float32frombits(f.fixed32()))
		}
		return nil
	})
	return v, err
}

// field is one field of a message. What it holds is read by its type, and is
// zero by another one.
type field struct {
	number protowire.Number
	kind   protowire.Type
	data   []byte // encoded, whole
}

func (f field) varint() (x uint64) {
	if f.kind == protowire.VarintType {
		x, _ = protowire.ConsumeVarint(f.data)
	}
	return x
}

func (f field) fixed32() (x uint32) {
	if f.kind == protowire.Fixed32Type {
		x, _ = protowire.ConsumeFixed32(f.data)
	}
	return x
}

func (f field) fixed64() (x uint64) {
	if f.kind == protowire.Fixed64Type {
		x, _ = protowire.ConsumeFixed64(f.data)
	}
	return x
}

func (f field) bytes() (b []byte) {
	if f.kind == protowire.BytesType {
		b, _ = protowire.ConsumeBytes(f.data)
	}
	return b
}

// fields calls use for every field of a message.
func fields(data []byte, use func(field) error) error {
	for len(data) > 0 {
		number, kind, head := protowire.ConsumeTag(data)
		if head < 0 {
			return errBroken
		}
		size := protowire.ConsumeFieldValue(number, kind, data[head:])
		if size < 0 {
			return errBroken
		}
		if err := use(field{number, kind, data[head : head+size]}); err != nil {
			return err
		}
		data = data[head+size:]
	}
	return nil
}

// eventFile is an event file open for appending.
type eventFile struct {
	file *os.File
	old  []mark // records with values that were there before, until the first append
	end  int64  // where whole records end
	line []byte
}

// mark is where a record begins.
type mark struct {
	step   int64
	offset int64
}

// openEvents opens or makes the event file of a folder. Whatever follows the
// last whole record is cut off.
func openEvents(dir string, start time.Time) (f *eventFile, err error) {
	path := filepath.Join(dir, EventFile)
	if err := run.Own(path); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			file.Close()
		}
	}()
	f = &eventFile{file: file}
	reader := bufio.NewReader(file)
	for {
		e, size, err := readRecord(reader)
		if err == io.EOF || errors.Is(err, errBroken) {
			break
		}
		if err != nil {
			return nil, err
		}
		if e.version == "" {
			f.old = append(f.old, mark{e.step, f.end})
		}
		f.end += size
	}
	if err := file.Truncate(f.end); err != nil {
		return nil, err
	}
	if f.end == 0 {
		return f, f.append(event{seconds: seconds(start), version: fileVersion})
	}
	return f, nil
}

// log appends the values of a step. The first call cuts off the old records of
// this and later steps.
func (f *eventFile) log(step int, at time.Time, values []value) error {
	for _, m := range f.old {
		if m.step >= int64(step) {
			if err := f.file.Truncate(m.offset); err != nil {
				return err
			}
			f.end = m.offset
			break
		}
	}
	f.old = nil
	return f.append(event{seconds: seconds(at), step: int64(step), values: values})
}

func (f *eventFile) append(e event) error {
	f.line = e.appendRecord(f.line[:0])
	n, err := f.file.WriteAt(f.line, f.end)
	if err != nil {
		return err
	}
	f.end += int64(n)
	return nil
}

func (f *eventFile) close() error { return f.file.Close() }

func seconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }
