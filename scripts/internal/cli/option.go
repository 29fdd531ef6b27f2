package cli

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"vaefolio/internal/spelling"
)

// option is one field of a configuration that can be set by name.
type option struct {
	name       string
	positional bool
	unit, help string
	choices    []string
	optional   bool // with choices: "" is no choice, and the default
	allowed    *interval
	auto       bool // zero, of a list nil, is spelled auto: what runs chooses
	required   bool
	record     string      // "-": never, a flag's name: only with that
	was        string      // what it was called once
	after      string      // the flag behind which it stands; "": where the struct has it
	clears     string      // the flag whose value from the file, or the default, it makes void
	only       []condition // all of which have to hold, or it has no effect
	title      string      // of its group in the help; "": a field of the verb itself
	field      reflect.Value
}

// options are the fields of one configuration in their order.
type options []*option

// chooser is a struct that knows the values which its flags may have, where those
// stand in a table; of a flag that may have any it returns nil.
type chooser interface {
	Choices(flag string) []string
}

// holder is what options have of the structs that they stand in.
type holder struct {
	title string
	only  []condition
}

// within is the holder of a struct's field that is a struct itself.
func (h holder) within(field reflect.StructField, top bool) holder {
	if title, ok := field.Tag.Lookup("title"); ok {
		h.title = title
	} else if top {
		h.title = field.Name
	}
	return holder{h.title, h.conditions(field.Tag)}
}

// conditions are those of a field with the tag.
func (h holder) conditions(tag reflect.StructTag) []condition {
	if text := tag.Get("only"); text != "" {
		return append(slices.Clip(h.only), mustCondition(text))
	}
	return h.only
}

// collect finds the options of a verb's configuration. Tags that make no sense are
// the programmer's mistakes, and panic.
func collect(config reflect.Value) options {
	found := collectWithin(config, holder{}, true).arrange()
	found.settleConditions()
	return found
}

func collectWithin(config reflect.Value, held holder, top bool) options {
	var found options
	for i := range config.NumField() {
		field, tag := config.Type().Field(i), config.Type().Field(i).Tag
		name, isFlag := tag.Lookup("flag")
		arg, isArg := tag.Lookup("arg")
		switch {
		case isFlag || isArg:
			o := &option{
				name: name + arg, positional: isArg,
				unit: tag.Get("unit"), help: tag.Get("help"),
				required: tag.Get("required") == "true",
				auto:     tag.Get("auto") == "true",
				record:   tag.Get("record"),
				was:      tag.Get("was"),
				after:    tag.Get("after"),
				clears:   tag.Get("clears"),
				only:     held.conditions(tag),
				title:    held.title, field: config.Field(i),
			}
			if choice := tag.Get("choice"); choice != "" {
				o.choices = strings.Split(choice, "|")
			} else if c, ok := config.Interface().(chooser); ok {
				o.choices = c.Choices(name)
			}
			if text := tag.Get("range"); text != "" {
				o.allowed = mustInterval(text)
			}
			if text, ok := tag.Lookup("default"); ok && o.field.IsZero() {
				if err := o.assign([]string{text}); err != nil {
					panic("cli: default of " + o.name + ": " + err.Error())
				}
			}
			o.optional = o.field.Kind() == reflect.String && o.field.String() == ""
			found = append(found, o)
		case field.Type.Kind() == reflect.Struct && field.IsExported():
			found = append(found, collectWithin(config.Field(i), held.within(field, top), false)...)
		}
	}
	return found
}

// arrange moves the options that have a place behind another flag there.
func (os options) arrange() options {
	for _, o := range slices.Clone(os) {
		target := os.flag(o.after)
		if target == nil {
			continue
		}
		os = slices.DeleteFunc(os, func(x *option) bool { return x == o })
		os = slices.Insert(os, slices.Index(os, target)+1, o)
	}
	return os
}

func (os options) flag(name string) *option {
	for _, o := range os {
		if o.name == name && !o.positional {
			return o
		}
	}
	return nil
}

// named is the flag, or the positional argument, of that name.
func (os options) named(name string) *option {
	for _, o := range os {
		if o.name == name {
			return o
		}
	}
	return nil
}

// isSet says whether the boolean flag of that name exists and is true.
func (os options) isSet(name string) bool {
	o := os.flag(name)
	return o != nil && o.field.Kind() == reflect.Bool && o.field.Bool()
}

// isRecorded says whether config.toml tells the value of an option.
func (os options) isRecorded(o *option) bool {
	condition := os.flag(o.record)
	return o.record != "-" && !o.positional && (condition == nil || condition.field.Bool())
}

func (o *option) isBool() bool { return o.field.Kind() == reflect.Bool }

func (o *option) isList() bool {
	return o.field.Kind() == reflect.Slice && !o.isText()
}

func (o *option) isText() bool {
	_, ok := o.field.Addr().Interface().(encoding.TextUnmarshaler)
	return ok
}

// kind is the kind of one value: of an element, or of what is pointed to.
func (o *option) kind() reflect.Kind {
	if o.isText() {
		return reflect.String
	}
	switch o.field.Kind() {
	case reflect.Slice, reflect.Pointer:
		return o.field.Type().Elem().Kind()
	}
	return o.field.Kind()
}

// assign replaces the value by the one that the texts spell: one text, or for
// a list any number.
func (o *option) assign(texts []string) error {
	switch {
	case o.auto && len(texts) == 1 && texts[0] == autoText:
		o.field.SetZero()
		return nil
	case o.isText():
		if err := o.field.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(texts[0])); err != nil {
			return err
		}
		return o.checkChoice(texts[0])
	case o.isList():
		list := reflect.MakeSlice(o.field.Type(), 0, len(texts))
		for _, text := range texts {
			for _, part := range o.elements(text) {
				element := reflect.New(o.field.Type().Elem()).Elem()
				if err := o.parse(element, part); err != nil {
					return err
				}
				list = reflect.Append(list, element)
			}
		}
		o.field.Set(list)
		return nil
	case o.field.Kind() == reflect.Pointer:
		value := reflect.New(o.field.Type().Elem())
		if err := o.parse(value.Elem(), texts[0]); err != nil {
			return err
		}
		o.field.Set(value)
		return nil
	default:
		return o.parse(o.field, texts[0])
	}
}

// elements are the parts of a list's text: between commas, but for those in
// quotes, and for those before which a NAME=X has no = yet, since a name may
// have commas ("Oil, Gas & Consumable Fuels=0.1").
func (o *option) elements(text string) []string {
	if o.positional {
		return []string{text} // such as a path, which may have commas
	}
	pairs := strings.Contains(o.unit, "=")
	var parts []string
	for rest, more := text, true; more; {
		var part string
		end := strings.IndexByte(rest, ',')
		if trimmed := strings.TrimLeft(rest, " \t"); strings.HasPrefix(trimmed, `"`) {
			if closing := strings.IndexByte(trimmed[1:], '"'); closing >= 0 {
				behind := len(rest) - len(trimmed) + closing + 2
				if end = strings.IndexByte(rest[behind:], ','); end >= 0 {
					end += behind
				}
			}
		}
		if more = end >= 0; more {
			part, rest = rest[:end], rest[end+1:]
		} else {
			part = rest
		}
		if n := len(parts); pairs && n > 0 && parts[n-1] != "" && !strings.Contains(parts[n-1], "=") {
			parts[n-1] += "," + part
			continue
		}
		if part = strings.TrimSpace(part); !pairs {
			part = Unquote(part)
		}
		parts = append(parts, part)
	}
	return slices.DeleteFunc(parts, func(part string) bool { return strings.TrimSpace(part) == "" })
}

// Unquote takes the blanks and then one pair of double quotes off a name.
func Unquote(name string) string {
	name = strings.TrimSpace(name)
	if len(name) > 1 && name[0] == '"' && name[len(name)-1] == '"' {
		return name[1 : len(name)-1]
	}
	return name
}

// ParseShare reads NAME=X as a name and a finite number, which may be in percent; ok is
// false where it is none. A name may have equals signs, as EURUSD=X has, and stand in quotes.
func ParseShare(text string) (name string, x float64, ok bool) {
	at := max(0, strings.LastIndexByte(text, '='))
	number, percent := strings.CutSuffix(strings.TrimSpace(strings.TrimPrefix(text[at:], "=")), "%")
	x, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if percent {
		x /= 100
	}
	name = Unquote(text[:at])
	return name, x, name != "" && err == nil && !math.IsNaN(x) && !math.IsInf(x, 0)
}

// parse sets one plain value from its text.
func (o *option) parse(value reflect.Value, text string) error {
	switch value.Kind() {
	case reflect.String:
		value.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%q is not true or false", text)
		}
		value.SetBool(b)
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, value.Type().Bits())
		if err != nil {
			return fmt.Errorf("%q is not a whole number%s%s", text, tooLarge(err), wholeMeant(text))
		}
		value.SetInt(n)
		if err := o.allowed.check(float64(n)); err != nil {
			return err
		}
	case reflect.Uint64:
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return fmt.Errorf("%q is not a whole number of at least 0%s%s", text, tooLarge(err), wholeMeant(text))
		}
		value.SetUint(n)
	case reflect.Float64:
		x, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("%q is not a finite number%s", text, meant(text, o.unit))
		}
		value.SetFloat(x)
		if err := o.allowed.check(x); err != nil {
			return err
		}
	default:
		panic("cli: field of -" + o.name + " has a type that is no flag's")
	}
	return o.checkChoice(text)
}

func tooLarge(err error) string {
	if errors.Is(err, strconv.ErrRange) {
		return " that fits"
	}
	return ""
}

func (o *option) checkChoice(text string) error {
	if len(o.choices) == 0 || slices.Contains(o.choices, text) || text == "" && o.optional {
		return nil
	}
	return fmt.Errorf("%q is not one of %s%s", text, strings.Join(o.choices, ", "), suggest(text, o.choices))
}

// autoText spells a value that is left to what runs.
const autoText = "auto"

// isAuto says whether the value is left to what runs.
func (o *option) isAuto() bool { return o.auto && o.field.IsZero() }

// texts spells the value; nil for a pointer that is nil.
func (o *option) texts() []string {
	value := o.field
	switch {
	case o.isAuto():
		return []string{autoText}
	case o.isText():
		marshaler, ok := value.Interface().(encoding.TextMarshaler)
		if !ok {
			panic("cli: field of -" + o.name + " has UnmarshalText without MarshalText")
		}
		text, err := marshaler.MarshalText()
		if err != nil {
			panic("cli: value of -" + o.name + ": " + err.Error())
		}
		return []string{string(text)}
	case o.isList():
		texts := make([]string, value.Len())
		for i := range texts {
			texts[i] = spell(value.Index(i))
		}
		return texts
	case value.Kind() == reflect.Pointer:
		if value.IsNil() {
			return nil
		}
		return []string{spell(value.Elem())}
	default:
		return []string{spell(value)}
	}
}

func spell(value reflect.Value) string {
	if value.Kind() == reflect.Float64 {
		return strconv.FormatFloat(value.Float(), 'g', -1, 64)
	}
	return fmt.Sprint(value.Interface())
}

// interval is a range of numbers, its ends open or closed.
type interval struct {
	lo, hi         float64
	openLo, openHi bool
	text           string
}

func mustInterval(text string) *interval {
	bad := "cli: range " + text + " is not like [0,1) or (0,inf)"
	if len(text) < 5 || !strings.ContainsAny(text[:1], "[(") || !strings.ContainsAny(text[len(text)-1:], "])") {
		panic(bad)
	}
	lo, hi, _ := strings.Cut(text[1:len(text)-1], ",")
	iv := &interval{openLo: text[0] == '(', openHi: text[len(text)-1] == ')', text: text}
	var errLo, errHi error
	iv.lo, errLo = strconv.ParseFloat(lo, 64)
	iv.hi, errHi = strconv.ParseFloat(hi, 64)
	if errLo != nil || errHi != nil {
		panic(bad)
	}
	return iv
}

// check returns an error for a number outside; a nil interval holds all.
func (iv *interval) check(x float64) error {
	if iv == nil || (x > iv.lo || !iv.openLo && x == iv.lo) && (x < iv.hi || !iv.openHi && x == iv.hi) {
		return nil
	}
	hint := ""
	if iv.hi == 1 {
		hint = asShare(x)
	}
	return fmt.Errorf("%v lies outside %s%s", x, iv.text, hint)
}

// asShare asks whether a number above 1 was meant in percent.
func asShare(x float64) string {
	if !(x > 1 && x <= 100) {
		return ""
	}
	return fmt.Sprintf(": a share: %.12g?", x/100)
}

// suggest asks for the candidate that a mistyped word was probably meant to be.
func suggest(word string, candidates []string) string {
	if best := nearest(word, candidates); best != "" {
		return ": did you mean " + best + "?"
	}
	return ""
}

// suggest is that for the name of an option, which may have been called so once.
func (os options) suggest(name string) string {
	i := slices.IndexFunc(os, func(o *option) bool { return o.was == name && name != "" })
	if i < 0 {
		return suggest(name, os.names())
	}
	if also := nearest(name, os.names()); also != "" && also != os[i].name {
		return fmt.Sprintf(": did you mean %s, which was called so, or %s?", os[i].name, also)
	}
	return fmt.Sprintf(": it is called %s now", os[i].name)
}

// nearest is the candidate that a word is like, whatever the case and the separators: one
// next to it, one that holds it, or one not far away; "" without one.
func nearest(word string, candidates []string) string {
	word = folded(word)
	best, least := "", 5
	for _, c := range candidates {
		bare := folded(c)
		distance := spelling.Distance(word, bare)
		rank := 2 * distance
		if len(word) > 2 && strings.Contains(bare, word) {
			rank = min(rank, 3)
		}
		if rank < least && (distance < min(len(word), len(bare)) || rank == 3) {
			best, least = c, rank
		}
	}
	return best
}

// folded is a word in lower case, without separators.
func folded(word string) string {
	return strings.NewReplacer("-", "", "_", "", " ", "", ".", "").Replace(strings.ToLower(word))
}

// wholeMeant asks for a whole number that was written for people: 1k, 1,000, 1_000 or
// 1e3.
func wholeMeant(text string) string {
	scale := 1.
	number := strings.NewReplacer(",", "", "_", "", "'", "", " ", "").Replace(strings.ToLower(text))
	for suffix, factor := range map[string]float64{"k": 1e3, "m": 1e6} {
		if cut, ok := strings.CutSuffix(number, suffix); ok {
			number, scale = cut, factor
		}
	}
	x, err := strconv.ParseFloat(number, 64)
	if _, whole := strconv.ParseInt(text, 10, 64); whole == nil {
		return ""
	}
	if x *= scale; err != nil || x != math.Trunc(x) || math.Abs(x) >= 1<<53 || strings.HasPrefix(number, "0x") {
		return ""
	}
	return fmt.Sprintf(": %.0f?", x)
}

// meant asks for a number that was written for people: in percent, or with a decimal
// comma. The unit is that of the flag.
func meant(text, unit string) string {
	number, percent := strings.CutSuffix(strings.TrimSpace(text), "%")
	if strings.Count(number, ",") == 1 && !strings.Contains(number, ".") {
		number = strings.Replace(number, ",", ".", 1)
	}
	x, err := strconv.ParseFloat(number, 64)
	if err != nil || number == text {
		return ""
	}
	switch {
	case percent && unit == "basis points":
		x *= 100
	case percent:
		x /= 100
	}
	if unit == "per period" {
		return fmt.Sprintf(": %g, in each period?", x)
	}
	return fmt.Sprintf(": %g?", x)
}
