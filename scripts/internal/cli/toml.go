package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// readTOML reads the values that a file gives to options. A key that is no
// flag, and a value of the wrong type, are errors that name file and line.
func readTOML(path string, all options) ([]*assignment, error) {
	data, err := readConfig(path)
	if err != nil {
		return nil, Usagef("-config: %w", err)
	}
	values := map[string]any{}
	if err := toml.Unmarshal(data, &values); err != nil {
		var syntax *toml.DecodeError
		if errors.As(err, &syntax) {
			line, column := syntax.Position()
			return nil, Usagef("%s:%d:%d: no TOML of lines such as seed = 1: %s", path, line, column,
				strings.Replace(strings.TrimPrefix(syntax.Error(), "toml: "), "strconv.ParseFloat: ", "", 1))
		}
		return nil, Usagef("%s: %w", path, err)
	}
	keys, err := keysOf(data)
	if err != nil {
		return nil, Usagef("%s: %w", path, err)
	}
	var given []*assignment
	for _, key := range keys {
		place := fmt.Sprintf("%s:%d", path, key.line)
		o := all.flag(key.name)
		switch {
		case o == nil:
			return nil, Usagef("%s: unknown key %s%s", place, key.name, all.suggest(key.name))
		case o.name == "config":
			return nil, Usagef("%s: a configuration file can't name another with config", place)
		}
		texts, err := o.fromTOML(values[key.name])
		if err != nil {
			return nil, Usagef("%s: %s: %w", place, key.name, err)
		}
		given = append(given, &assignment{o, texts, place + ": " + key.name})
	}
	return given, nil
}

// longestConfig bounds a file of flags, in bytes.
const longestConfig = 1 << 20

// readConfig reads a file of flags. One that can be none is refused before it is
// read: a pipe may have no writer, a device no end.
func readConfig(path string) ([]byte, error) {
	info, err := stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s is a folder: give a TOML file, such as its config.toml", path)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is a pipe or a device: give a TOML file", path)
	case info.Size() > longestConfig:
		return nil, fmt.Errorf("%s has %d bytes, and no file of flags more than %d: give a TOML file",
			path, info.Size(), longestConfig)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, longestConfig)) // it may grow meanwhile
}

// stat is os.Stat: options, which have methods on a value named os, can't say so.
func stat(path string) (os.FileInfo, error) { return os.Stat(path) }

type tomlKey struct {
	name string
	line int
}

// keysOf lists the keys of a valid document in their order, a table by its
// header.
func keysOf(data []byte) ([]tomlKey, error) {
	var keys []tomlKey
	var parser unstable.Parser
	parser.Reset(data)
	inTable := false
	for parser.NextExpression() {
		node := parser.Expression()
		inTable = inTable || node.Kind != unstable.KeyValue
		if inTable && node.Kind == unstable.KeyValue {
			continue // its table is an unknown key already
		}
		var names []string
		var first *unstable.Node
		for key := node.Key(); key.Next(); {
			if first == nil {
				first = key.Node()
			}
			names = append(names, string(key.Node().Data))
		}
		line := bytes.Count(data[:first.Raw.Offset], []byte{'\n'}) + 1
		keys = append(keys, tomlKey{strings.Join(names, "."), line})
	}
	return keys, parser.Error()
}

// fromTOML spells a TOML value as flags have it, if its type is the option's.
func (o *option) fromTOML(value any) ([]string, error) {
	list, isList := value.([]any)
	if !isList {
		list = []any{value}
	}
	if isList && !o.isList() {
		return nil, fmt.Errorf("want %s, not a list", o.wanted())
	}
	texts := make([]string, 0, len(list))
	for _, v := range list {
		var fits bool
		text := fmt.Sprint(v)
		switch v := v.(type) {
		case string:
			fits = o.kind() == reflect.String || o.auto && !isList && v == autoText
		case bool:
			fits = o.kind() == reflect.Bool
		case int64:
			fits = o.kind() != reflect.String && o.kind() != reflect.Bool
		case float64:
			fits = o.kind() == reflect.Float64
			text = strconv.FormatFloat(v, 'g', -1, 64)
		case toml.LocalDate:
			fits = o.kind() == reflect.String
		}
		if !fits {
			return nil, fmt.Errorf("want %s, not %s", o.wanted(), tomlType(v))
		}
		texts = append(texts, text)
	}
	return texts, nil
}

func (o *option) wanted() string {
	name := "a whole number"
	switch o.kind() {
	case reflect.String:
		name = "a text in quotes"
	case reflect.Bool:
		name = "true or false"
	case reflect.Float64:
		name = "a number"
	}
	if o.isList() {
		name = "a list of which each is " + name
	}
	if o.auto {
		name += `, or "auto"`
	}
	return name
}

func tomlType(value any) string {
	switch value.(type) {
	case string:
		return "a text"
	case bool:
		return "true or false"
	case int64:
		return "a whole number"
	case float64:
		return "a number with a fraction"
	case []any:
		return "a list"
	case map[string]any:
		return "a table"
	default:
		return "a time"
	}
}

// toml spells all recorded values, each with its help as a comment.
func (os options) toml(verb string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Every value of this run: `%s -config FILE` with this file repeats it.\n", verb)
	for _, o := range os {
		if !os.isRecorded(o) {
			continue
		}
		fmt.Fprintf(&b, "\n# %s\n", strings.Join(wrap(o.help+o.describeUnit(), helpWidth-2), "\n# "))
		texts := o.texts()
		if texts == nil || len(o.choices) > 0 && slices.Equal(texts, []string{""}) { // none chosen
			fmt.Fprintf(&b, "# %s is not set\n", o.name)
			continue
		}
		literals := make([]string, len(texts))
		for i, text := range texts {
			literals[i] = o.literal(text)
		}
		joined := strings.Join(literals, ", ")
		if o.isList() && !o.isAuto() {
			joined = "[" + joined + "]"
		}
		fmt.Fprintf(&b, "%s = %s\n", o.name, joined)
	}
	return b.Bytes()
}

func (o *option) describeUnit() string {
	if o.unit == "" {
		return ""
	}
	return " (" + o.unit + ")"
}

// literal is the TOML of one value.
func (o *option) literal(text string) string {
	switch {
	case o.kind() == reflect.String || o.isAuto():
		quoted, err := marshal(text) // JSON's escapes are TOML's too
		if err != nil {
			panic("cli: value of -" + o.name + ": " + err.Error())
		}
		return strings.ReplaceAll(string(quoted), "\x7f", `\u007f`)
	case o.kind() == reflect.Float64 && !strings.ContainsAny(text, ".e"):
		return text + ".0"
	default:
		return text
	}
}
