package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// helpWidth is where a line of -h ends at the latest.
const helpWidth = 100

// help writes what the verb does, an example, its modes, and the flags with unit
// and default, by groups: those of the verb itself first. Flags that have no
// effect with those given beside -h are left out and, where the verb has modes and
// none is given, those that only some modes have.
func (v Verb[C]) help(w io.Writer, given []*assignment) error {
	_, all := v.defaults()
	_, chosen := v.defaults() // by what is given
	var known []*option
	for _, a := range given {
		if o := chosen.named(a.option.name); o.assign(a.texts) == nil {
			known = append(known, o)
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\n%s [flags]\n\nExample:\n", v.Name, v.Summary, all.usage(v.Name))
	for _, line := range strings.Split(strings.TrimSpace(v.Example), "\n") {
		fmt.Fprintf(&b, "  %s\n", strings.TrimSpace(line))
	}
	isOpen := func(o *option) bool { return !slices.Contains(known, o) }
	shown := func(o *option) bool { return chosen.effect(o, isOpen) != no }
	heading := "Flags"
	if chooser := chosen.named(v.Modes.Flag); chooser != nil && isOpen(chooser) {
		v.modesHelp(&b, chooser)
		heading = "Flags that all have"
		shown = chosen.inAll(chooser, isOpen)
	}
	for _, title := range all.titles() {
		var group options
		var with []string // what each depends on
		for i, o := range all {
			if o.title == title && shown(chosen[i]) && (o.name != "preset" || len(v.Presets) > 0) {
				group, with = append(group, o), append(with, chosen.openPart(chosen[i], isOpen))
			}
		}
		v.groupHelp(&b, cmp.Or(title, heading), group, with)
	}
	b.WriteString(v.presetHelp())
	_, err := io.WriteString(w, b.String())
	return err
}

// usage is the line with the positional arguments.
func (os options) usage(verb string) string {
	usage := "Usage: " + verb
	for _, o := range os {
		if o.positional && o.isList() {
			usage += " [" + o.name + "...]"
		} else if o.positional {
			usage += " " + o.name
		}
	}
	return usage
}

// common is the title of the flags that every verb has, which come last.
const common = "Common"

// titles are those of the groups in their order, "" first.
func (os options) titles() []string {
	titles := []string{""}
	for _, o := range os {
		if !slices.Contains(titles, o.title) && o.title != common {
			titles = append(titles, o.title)
		}
	}
	return append(titles, common)
}

// inAll says of an option whether every mode has it.
func (os options) inAll(chooser *option, isOpen func(*option) bool) func(*option) bool {
	fixed := func(o *option) bool { return o != chooser && isOpen(o) }
	return func(o *option) bool {
		before := chooser.texts()
		defer func() { _ = chooser.assign(before) }() // it was its value
		return !slices.ContainsFunc(chooser.choices, func(mode string) bool {
			return chooser.assign([]string{mode}) != nil || os.effect(o, fixed) == no
		})
	}
}

// modesHelp lists the modes.
func (v Verb[C]) modesHelp(b *strings.Builder, chooser *option) {
	fmt.Fprintf(b, "\nModes (%s -%s M -h lists the flags of one):\n", v.Name, chooser.name)
	for _, mode := range chooser.choices {
		fmt.Fprintf(b, "  %s\n", mode)
		for _, line := range wrap(v.Modes.Does[mode], helpWidth-6) {
			fmt.Fprintf(b, "      %s\n", line)
		}
	}
}

// groupHelp tells the flags of a group; what all depend on is said once.
func (v Verb[C]) groupHelp(b *strings.Builder, title string, group options, with []string) {
	if len(group) == 0 {
		return
	}
	if shared := slices.Compact(slices.Clone(with)); len(shared) == 1 && len(with) > 1 && shared[0] != "" {
		title += " (only " + shared[0] + ")"
		with = make([]string, len(with))
	}
	fmt.Fprintf(b, "\n%s:\n", title)
	for i, o := range group {
		v.flagHelp(b, o, with[i])
	}
}

// flagHelp tells one flag; with is what it depends on.
func (v Verb[C]) flagHelp(b *strings.Builder, o *option, with string) {
	text := o.help + o.describe(with)
	if o.name == "preset" {
		text = fmt.Sprintf("%s: %s (default %s)", o.help, strings.Join(v.presetNames(), ", "), v.defaultPreset())
	}
	fmt.Fprintf(b, "  %s\n", strings.TrimSpace(o.spelled()+" "+o.placeholder()))
	for _, line := range wrap(text, helpWidth-6) {
		fmt.Fprintf(b, "      %s\n", line)
	}
}

func (v Verb[C]) defaultPreset() string {
	if v.Presets["full"] != nil {
		return "full"
	}
	return "none"
}

// presetHelp says what each preset changes.
func (v Verb[C]) presetHelp() string {
	var b strings.Builder
	for _, name := range v.presetNames() {
		_, plain := v.defaults()
		c, changed := v.defaults()
		v.Presets[name](c)
		var changes []string
		for i, o := range changed {
			if texts := o.texts(); !slices.Equal(texts, plain[i].texts()) {
				changes = append(changes, "-"+o.name+" "+strings.Join(texts, ","))
			}
		}
		if len(changes) > 0 {
			fmt.Fprintf(&b, "  %s: %s\n", name, strings.Join(changes, " "))
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "\nPresets:\n" + b.String()
}

// wrap breaks a text at spaces into lines of at most the width.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
