package hostile

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
)

// damage makes a bad file of a sound one.
type damage struct {
	name string
	do   func(rng *rand.Rand, sound []byte) []byte
}

// text is a damage that needs no sound file.
func text(name, bad string) damage {
	return damage{name, func(*rand.Rand, []byte) []byte { return []byte(bad) }}
}

// anything is what may lie in the place of any file.
var anything = []damage{
	text("empty", ""),
	text("blank lines", "\n\n \n"),
	text("web page", "<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head><body>\n</body></html>\n"),
	text("picture", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01"),
	text("program", "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00>\x00"),
	text("zip", "PK\x03\x04\x14\x00\x00\x00\x08\x00"),
	text("escapes", "\x1b[2J\x1b]0;title\x07,\u202eevil,b\n1,2,3\n"),
	text("zeros", strings.Repeat("\x00", 1<<16)),
	text("endless line", strings.Repeat("a", 5<<20)),
	{"noise", func(rng *rand.Rand, _ []byte) []byte {
		noise := make([]byte, 4096)
		for i := range noise {
			noise[i] = byte(rng.Uint32())
		}
		return noise
	}},
}

// cut ends a file after a share of it.
func cut(share float64) damage {
	return damage{fmt.Sprintf("cut at %v", share), func(_ *rand.Rand, sound []byte) []byte {
		return sound[:int(share*float64(len(sound)))]
	}}
}

// flipped changes one byte in so many.
func flipped(every int) damage {
	return damage{fmt.Sprintf("a byte of %d", every), func(rng *rand.Rand, sound []byte) []byte {
		bad := bytes.Clone(sound)
		for i := rng.IntN(every); i < len(bad); i += every {
			bad[i] ^= byte(1 + rng.IntN(255))
		}
		return bad
	}}
}

// table is a damage of a CSV: of its lines, of which the first is the header.
func table(name string, do func(rng *rand.Rand, lines []string) []string) damage {
	return damage{name, func(rng *rand.Rand, sound []byte) []byte {
		lines := strings.Split(strings.TrimSuffix(string(sound), "\n"), "\n")
		return []byte(strings.Join(do(rng, lines), "\n") + "\n")
	}}
}

// cell puts a text into a cell of a row in the middle, in the last column.
func cell(bad string) damage {
	return table("cell "+bad, func(_ *rand.Rand, lines []string) []string {
		at := len(lines) / 2
		fields := strings.Split(lines[at], ",")
		fields[len(fields)-1] = bad
		lines[at] = strings.Join(fields, ",")
		return lines
	})
}

// tables are damages of any CSV with numbers in its last column.
var tables = []damage{
	table("no header", func(_ *rand.Rand, lines []string) []string { return lines[1:] }),
	table("header alone", func(_ *rand.Rand, lines []string) []string { return lines[:1] }),
	table("a column twice", func(_ *rand.Rand, lines []string) []string {
		fields := strings.Split(lines[0], ",")
		fields[len(fields)-1] = fields[len(fields)-2]
		lines[0] = strings.Join(fields, ",")
		return lines
	}),
	table("a cell too few", func(_ *rand.Rand, lines []string) []string {
		lines[len(lines)/2] = lines[len(lines)/2][:strings.LastIndex(lines[len(lines)/2], ",")]
		return lines
	}),
	table("a cell too many", func(_ *rand.Rand, lines []string) []string {
		lines[len(lines)/2] += ",0.5"
		return lines
	}),
	table("open quote", func(_ *rand.Rand, lines []string) []string {
		lines[len(lines)/2] = `"` + lines[len(lines)/2]
		return lines
	}),
	table("escape in a name", func(_ *rand.Rand, lines []string) []string {
		lines[0] = lines[0][:len(lines[0])-1] + "\x1b[31m"
		return lines
	}),
	cell("NaN"), cell("inf"), cell("-Inf"), cell("1e999"), cell("abc"), cell("0x10"), cell("1;2"),
}

// nested has more levels than anybody means.
var nested = text("nested", strings.Repeat("[", 100_000)+strings.Repeat("]", 100_000))

// objects are damages of any JSON object.
var objects = []damage{
	cut(0.5), nested, text("null", "null"), text("list", "[]"), text("nothing in it", "{}"), text("text", `"x"`),
	text("number", "1e999"), text("NaN", `{"version": NaN}`), text("twice", `{"version": 1}{"version": 1}`),
	value("numbers 1e308", func(float64) any { return json.Number("1e308") }),
	value("numbers -1", func(float64) any { return -1 }),
	value("numbers too large", func(float64) any { return json.Number("1e18") }),
	value("texts for numbers", func(float64) any { return "x" }),
	value("nulls for numbers", func(float64) any { return nil }),
	value("lists for numbers", func(float64) any { return []any{} }),
}

// value replaces each number of a JSON value.
func value(name string, by func(float64) any) damage {
	return damage{name, func(_ *rand.Rand, sound []byte) []byte {
		var v any
		if json.Unmarshal(sound, &v) != nil {
			panic("hostile: no JSON to damage")
		}
		bad, err := json.Marshal(replaced(v, by))
		if err != nil {
			panic(err)
		}
		return bad
	}}
}

func replaced(v any, by func(float64) any) any {
	switch v := v.(type) {
	case float64:
		return by(v)
	case []any:
		for i := range v {
			v[i] = replaced(v[i], by)
		}
	case map[string]any:
		for key := range v {
			v[key] = replaced(v[key], by)
		}
	}
	return v
}

// tensors are damages of a safetensors file: the length of a JSON header, the
// header, the numbers.
var tensors = []damage{
	cut(0.01), cut(0.5), cut(0.99), flipped(1000),
	header("header of 2^63 bytes", func(h []byte) ([]byte, uint64) { return h, 1 << 63 }),
	header("header of 0 bytes", func(h []byte) ([]byte, uint64) { return h, 0 }),
	header("header is a list", func(h []byte) ([]byte, uint64) { return []byte("[]"), 2 }),
	header("other type", func(h []byte) ([]byte, uint64) {
		h = bytes.ReplaceAll(h, []byte(`"F32"`), []byte(`"I64"`))
		return h, uint64(len(h))
	}),
	header("other shape", func(h []byte) ([]byte, uint64) {
		h = bytes.ReplaceAll(h, []byte(`"shape":[`), []byte(`"shape":[1000000000,`))
		return h, uint64(len(h))
	}),
	header("other places", func(h []byte) ([]byte, uint64) {
		h = bytes.ReplaceAll(h, []byte(`"data_offsets":[`), []byte(`"data_offsets":[9`))
		return h, uint64(len(h))
	}),
	{"weights of 1e38", func(_ *rand.Rand, sound []byte) []byte {
		bad := bytes.Clone(sound)
		for at := 8 + binary.LittleEndian.Uint64(bad); at+4 <= uint64(len(bad)); at += 4 {
			binary.LittleEndian.PutUint32(bad[at:], 0x7e967699)
		}
		return bad
	}},
	{"weights of NaN", func(_ *rand.Rand, sound []byte) []byte {
		bad := bytes.Clone(sound)
		for at := 8 + binary.LittleEndian.Uint64(bad); at+4 <= uint64(len(bad)); at += 4 {
			binary.LittleEndian.PutUint32(bad[at:], 0x7fc00000)
		}
		return bad
	}},
}

func header(name string, do func(h []byte) ([]byte, uint64)) damage {
	return damage{name, func(_ *rand.Rand, sound []byte) []byte {
		n := binary.LittleEndian.Uint64(sound)
		h, said := do(bytes.Clone(sound[8 : 8+n]))
		return append(append(binary.LittleEndian.AppendUint64(nil, said), h...), sound[8+n:]...)
	}}
}
