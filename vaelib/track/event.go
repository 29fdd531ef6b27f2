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

// Wire types of protocol buffers.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

func appendKey(b []byte, field, wire uint64) []byte {
	return binary.AppendUvarint(b, field<<3|wire)
}

func appendBytes[T string | []byte](b []byte, field uint64, data T) []byte {
	b = appendKey(b, field, wireBytes)
	b = binary.AppendUvarint(b, uint64(len(data)))
	return append(b, data...)
}

// append appends the message.
func (e event) append(b []byte) []byte {
	b = appendKey(b, 1, wireFixed64)
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(e.seconds))
	if e.step != 0 {
		b = appendKey(b, 2, wireVarint)
		b = binary.AppendUvarint(b, uint64(e.step))
	}
	if e.version != "" {
		b = appendBytes(b, 3, e.version)
	}
	if len(e.values) > 0 {
		var summary, one []byte
		for _, v := range e.values {
			one = appendBytes(one[:0], 1, v.name)
			one = appendKey(one, 2, wireFixed32)
			one = binary.LittleEndian.AppendUint32(one, math.Float32bits(float32(v.number)))
			summary = appendBytes(summary, 1, one)
		}
		b = appendBytes(b, 5, summary)
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

func parseEvent(data []byte) (event, error) {
	var e event
	err := fields(data, func(field uint64, number uint64, bytes []byte) error {
		switch field {
		case 1:
			e.seconds = math.Float64frombits(number)
		case 2:
			e.step = int64(number)
		case 3:
			e.version = string(bytes)
		case 5:
			return fields(bytes, func(field, _ uint64, bytes []byte) error {
				if field != 1 {
					return nil
				}
				var v value
				err := fields(bytes, func(field, number uint64, bytes []byte) error {
					switch field {
					case 1:
						v.name = string(bytes)
					case 2:
						v.number = float64(math.Float32frombits(uint32(number)))
					}
					return nil
				})
				e.values = append(e.values, v)
				return err
			})
		}
		return nil
	})
	return e, err
}

// fields calls use for every field of a message, with its number or its bytes.
func fields(data []byte, use func(field, number uint64, bytes []byte) error) error {
	for len(data) > 0 {
		key, n := binary.Uvarint(data)
		if n <= 0 {
			return errBroken
		}
		data = data[n:]
		var number uint64
		var bytes []byte
		switch wire := key & 7; wire {
		case wireVarint, wireBytes:
			if number, n = binary.Uvarint(data); n <= 0 {
				return errBroken
			}
			data = data[n:]
			if wire == wireBytes {
				if number > uint64(len(data)) {
					return errBroken
				}
				bytes, data = data[:number], data[number:]
			}
		case wireFixed64:
			if len(data) < 8 {
				return errBroken
			}
			number, data = binary.LittleEndian.Uint64(data), data[8:]
		case wireFixed32:
			if len(data) < 4 {
				return errBroken
			}
			number, data = uint64(binary.LittleEndian.Uint32(data)), data[4:]
		default:
			return errBroken
		}
		if err := use(key>>3, number, bytes); err != nil {
			return err
		}
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
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
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
