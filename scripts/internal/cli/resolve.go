package cli

import (
	"cmp"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strings"

	"vaefolio/vaelib/run"
)

// helpWanted stands for -h among the arguments, with the others that could be
// read.
type helpWanted struct{ given []*assignment }

func (*helpWanted) Error() string { return "help wanted" }

// assignment is the value that a file or the command line gives an option.
type assignment struct {
	option *option
	texts  []string
	place  string // "-level", or "run.toml:3: level"
}

// resolve makes the configuration: default, preset, file, flags, in this
// order, each value checked where it is given and the whole at the end.
func (v Verb[C]) resolve(args []string) (*C, options, error) {
	c, all := v.defaults()
	given, err := readArguments(all, args)
	if err != nil {
		return nil, nil, err
	}
	var fromFile []*assignment
	if path, ok := last(given, "config"); ok {
		if fromFile, err = readTOML(path, all); err != nil {
			return nil, nil, err
		}
	}
	preset, ok := last(given, "preset")
	if !ok {
		preset, ok = last(fromFile, "preset")
	}
	if ok && v.Presets[preset] == nil {
		if len(v.Presets) == 0 {
			return nil, nil, Usagef("-preset %s: %s has no presets", preset, v.Name)
		}
		names := v.presetNames()
		return nil, nil, Usagef("-preset: %q is not one of %s%s", preset, strings.Join(names, ", "),
			suggest(preset, names))
	}
	if !ok {
		preset = "full"
	}
	if change := v.Presets[preset]; change != nil {
		change(c)
	}
	if err := all.assign(fromFile, given); err != nil {
		return nil, nil, err
	}
	if v.Depending != nil {
		known := *c
		v.Depending(c, &known)
		if err := all.assign(fromFile, given); err != nil {
			return nil, nil, err
		}
	}
	for _, o := range all {
		if o.required && (o.field.IsZero() || o.isList() && o.field.Len() == 0) {
			return nil, nil, Usagef("%s is missing: %s", strings.TrimSpace(o.spelled()+" "+o.placeholder()), o.help)
		}
	}
	if err := v.refuseIdle(c, all, given, fromFile); err != nil {
		return nil, nil, err
	}
	if err := validate(reflect.ValueOf(c)); err != nil {
		return nil, nil, Usage(err)
	}
	if err := cmp.Or(all.checkDevices(), all.checkInputs()); err != nil {
		return nil, nil, err
	}
	return c, all, settle(reflect.ValueOf(c))
}

// assign sets the options that the file, then those that the flags give.
func (os options) assign(fromFile, given []*assignment) error {
	for _, layer := range [][]*assignment{fromFile, given} {
		for _, a := range layer {
			if replaced := os.flag(a.option.clears); replaced != nil {
				replaced.field.SetZero()
			}
		}
		for _, a := range layer {
			if err := a.option.assign(a.texts); err != nil {
				return Usagef("%s: %w", a.place, err)
			}
		}
	}
	return nil
}

// checkDevices refuses an input that is a device: some have no end.
func (os options) checkDevices() error {
	for _, o := range os {
		for _, path := range o.inputs() {
			if mode, ok := modeOf(path); ok && mode&fs.ModeDevice != 0 {
				return Usagef("%s %s is a device: give a file", o.spelled(), path)
			}
		}
	}
	return nil
}

// hasPipe says whether an input is a pipe.
func (os options) hasPipe() bool {
	return slices.ContainsFunc(os, func(o *option) bool {
		return slices.ContainsFunc(o.inputs(), func(path string) bool {
			mode, ok := modeOf(path)
			return ok && mode&fs.ModeNamedPipe != 0
		})
	})
}

// inputs are the paths that the verb reads by the option, or its arguments, which may
// be paths.
func (o *option) inputs() []string {
	paths, isList := o.field.Interface().([]string)
	switch {
	case o.positional && isList:
		return paths
	case o.isInput() && o.field.String() != "":
		return []string{o.field.String()}
	}
	return nil
}

// modeOf is what lies at a path; ok is false where nothing is there.
func modeOf(path string) (mode fs.FileMode, ok bool) {
	info, err := stat(path)
	if err != nil {
		return 0, false // whoever opens it says what is wrong
	}
	return info.Mode(), true
}

// checkInputs refuses an input that lies in the folder of the results: to replace
// these would be to lose it. The configuration is read by now.
func (os options) checkInputs() error {
	out := os.flag("out")
	if out == nil || out.kind() != reflect.String || out.field.String() == "" {
		return nil
	}
	dir := out.field.String()
	for _, o := range os {
		if !o.isInput() || o.field.String() == "" {
			continue
		}
		inside, err := run.Within(o.field.String(), dir)
		if err != nil {
			continue // whoever opens the two says what is wrong
		}
		if inside {
			return Usagef("%s %s lies in -out %s, which is for results: choose another -out", o.spelled(),
				o.field.String(), dir)
		}
	}
	return nil
}

// isInput says whether the value is the path of something that the verb reads.
func (o *option) isInput() bool {
	if o.field.Kind() != reflect.String || o.name == "out" || o.name == "config" {
		return false
	}
	if o.unit == "SYMBOL|FILE" { // what isn't there is a symbol
		mode, ok := modeOf(o.field.String())
		return ok && !mode.IsDir()
	}
	return slices.Contains([]string{"FILE", "DIR", "FOLDER", "PATH"}, o.unit)
}

// defaults returns a configuration with the default values, and its options.
func (v Verb[C]) defaults() (*C, options) {
	c := new(C)
	*c = v.Default
	return c, collect(reflect.ValueOf(c).Elem())
}

// defaultsBeside returns those that hold beside what is given.
func (v Verb[C]) defaultsBeside(given *C) options {
	c, all := v.defaults()
	if v.Depending != nil {
		v.Depending(c, given)
	}
	return all
}

// presetNames are the names in alphabetical order, "full" first.
func (v Verb[C]) presetNames() []string {
	var names []string
	for name := range v.Presets {
		names = append(names, name)
	}
	slices.Sort(names)
	if i := slices.Index(names, "full"); i > 0 {
		names = slices.Insert(slices.Delete(names, i, i+1), 0, "full")
	}
	return names
}

// validate asks the configuration, and each struct embedded in it, for what its
// method Validate says against their values, inner ones first.
func validate(config reflect.Value) error {
	return within(config, func(part any) error {
		if v, ok := part.(interface{ Validate() error }); ok {
			return v.Validate()
		}
		return nil
	})
}

// settle has them read what flags stand for, once all flags are found valid, by their
// method Settle: its errors are no wrong usage.
func settle(config reflect.Value) error {
	return within(config, func(part any) error {
		if s, ok := part.(interface{ Settle() error }); ok {
			return s.Settle()
		}
		return nil
	})
}

// within does something with each struct that is embedded in a configuration, inner ones
// first, and with itself.
func within(config reflect.Value, do func(part any) error) error {
	value := config.Elem()
	for i := range value.NumField() {
		field := value.Type().Field(i)
		if !field.Anonymous || field.Type.Kind() != reflect.Struct || !field.IsExported() {
			continue
		}
		if err := within(value.Field(i).Addr(), do); err != nil {
			return err
		}
	}
	return do(config.Interface())
}

// last is the one text given last for the option of that name.
func last(given []*assignment, name string) (string, bool) {
	for _, a := range slices.Backward(given) {
		if a.option.name == name && !a.option.positional {
			return a.texts[len(a.texts)-1], true
		}
	}
	return "", false
}

// readArguments reads flags and positional arguments, in any order. The texts
// of a repeated list add up, of any other flag the last one counts.
func readArguments(all options, args []string) ([]*assignment, error) {
	var given []*assignment
	var places []*option
	for _, o := range all {
		if o.positional {
			places = append(places, o)
		}
	}
	give := func(o *option, text string) {
		for _, a := range given {
			if a.option == o {
				if !o.isList() {
					a.texts = a.texts[:0]
				}
				a.texts = append(a.texts, text)
				return
			}
		}
		given = append(given, &assignment{o, []string{text}, o.spelled()})
	}
	flagsEnded := false
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if arg == "--" && !flagsEnded {
			flagsEnded = true
			continue
		}
		if flagsEnded || len(arg) < 2 || arg[0] != '-' {
			if len(places) == 0 {
				return given, Usagef("leftover argument %q: flags start with -, and a text with spaces needs quotes",
					arg)
			}
			give(places[0], arg)
			if !places[0].isList() {
				places = places[1:]
			}
			continue
		}
		name, text, hasText := strings.Cut(strings.TrimPrefix(arg[1:], "-"), "=")
		if name == "h" || name == "help" {
			more, _ := readArguments(all, args) // as much as can be read
			return nil, &helpWanted{append(given, more...)}
		}
		o := all.flag(name)
		switch {
		case o == nil:
			return given, Usagef("unknown flag -%s%s", name, all.suggest(name))
		case hasText:
		case o.isBool():
			text = "true"
		case len(args) == 0 || all.isFlag(args[0]):
			return given, Usagef("-%s needs a value: %s", name, o.help)
		default:
			text, args = args[0], args[1:]
		}
		if err := o.checkGiven(text); err != nil {
			return given, Usage(err)
		}
		give(o, text)
	}
	return given, nil
}

// checkGiven refuses a text that would do nothing, as a shell's variable without a value
// gives it. Where there is a default, an empty one takes it away.
func (o *option) checkGiven(text string) error {
	empty := strings.TrimSpace(text) == ""
	switch {
	case o.isList() && len(o.elements(text)) == 0 && (!empty || o.field.Len() == 0 && !o.auto):
		return fmt.Errorf("-%s %q names nothing: leave it out, or name something", o.name, text)
	case empty && o.field.Kind() == reflect.String && !o.isText() && len(o.choices) == 0 && o.field.String() == "":
		return fmt.Errorf("-%s is empty: leave it out, or give a value", o.name)
	}
	return nil
}

// isFlag says whether an argument is a known flag, which can't be meant as the
// value of the one before.
func (os options) isFlag(arg string) bool {
	name, _, _ := strings.Cut(arg, "=")
	trimmed := strings.TrimPrefix(strings.TrimPrefix(name, "-"), "-")
	return trimmed != name && os.flag(trimmed) != nil
}

func (os options) names() []string {
	var names []string
	for _, o := range os {
		if !o.positional {
			names = append(names, o.name)
		}
	}
	return names
}

// spelled is the option as the command line has it.
func (o *option) spelled() string {
	if o.positional {
		return o.name
	}
	return "-" + o.name
}

// placeholder stands for the value after a flag.
func (o *option) placeholder() string {
	switch {
	case o.positional || o.isBool():
		return ""
	case o.unit != "" && strings.ToUpper(o.unit) == o.unit:
		return o.unit
	case o.manyChoices():
		return "NAME"
	case len(o.choices) > 0:
		return strings.Join(o.choices, "|")
	case o.kind().String() == "string":
		return "TEXT"
	}
	number := "N"
	if o.kind().String() == "float64" {
		number = "X"
	}
	if o.auto {
		number += "|" + autoText
	}
	return number
}

// manyChoices says whether the choices are too long for a placeholder.
func (o *option) manyChoices() bool { return len(strings.Join(o.choices, "|")) > 60 }

// describe is the end of a help text: what it depends on, unit, range and default.
func (o *option) describe(with string) string {
	var parts []string
	if with != "" {
		parts = append(parts, "only "+with)
	}
	if o.unit != "" && strings.ToUpper(o.unit) != o.unit {
		parts = append(parts, o.unit)
	}
	if o.manyChoices() {
		parts = append(parts, "one of "+strings.Join(o.choices, ", "))
	}
	if o.allowed != nil {
		parts = append(parts, "in "+o.allowed.text)
	}
	switch texts := o.texts(); {
	case o.required && o.field.IsZero():
		parts = append(parts, "required")
	case o.isList():
		parts = append(parts, "default "+orNone(strings.Join(texts, ",")))
	case o.positional:
	case texts == nil:
		parts = append(parts, "default none")
	default:
		parts = append(parts, "default "+orNone(texts[0]))
	}
	if o.isList() && !o.positional {
		parts = append(parts, "comma separated or repeated")
	}
	if len(parts) == 0 {
		return ""
	}
	return fmt.Sprintf(" (%s)", strings.Join(parts, "; "))
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// ReadConfig reads the config.toml of a run into the configuration of its verb: every
// key has to be a flag of it, and what a run doesn't record has the default. It
// returns the command, too, that repeats the run.
func (v Verb[C]) ReadConfig(path string) (c *C, command string, err error) {
	stream := &IO{verb: v.Name}
	if c, stream.options, err = v.resolve([]string{"-config", path}); err != nil {
		return nil, "", err
	}
	stream.defaults = v.defaultsBeside(c)
	return c, stream.Command(), nil
}
