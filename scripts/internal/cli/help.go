package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// helpWidth is where a line of -h ends at the latest.
const helpWidth = 100

// help writes what the verb does, an example, and every flag with its unit
// and default: those of the verb itself first, then those of its groups.
func (v Verb[C]) help(w io.Writer) error {
	_, all := v.defaults()
	usage := "Usage: " + v.Name
	for _, o := range all {
		if o.positional && o.isList() {
			usage += " [" + o.name + "...]"
		} else if o.positional {
			usage += " " + o.name
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\n%s [flags]\n\nExample:\n", v.Name, v.Summary, usage)
	for _, line := range strings.Split(strings.TrimSpace(v.Example), "\n") {
		fmt.Fprintf(&b, "  %s\n", strings.TrimSpace(line))
	}
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b *option) int { return min(a.depth, 1) - min(b.depth, 1) })
	b.WriteString("\nFlags:\n")
	for _, o := range sorted {
		if o.name == "preset" && len(v.Presets) == 0 {
			continue
		}
		text := o.help + o.describe()
		if o.name == "preset" {
			text = fmt.Sprintf("%s: %s (default %s)", o.help, strings.Join(v.presetNames(), ", "), v.defaultPreset())
		}
		fmt.Fprintf(&b, "  %s\n", strings.TrimSpace(o.spelled()+" "+o.placeholder()))
		for _, line := range wrap(text, helpWidth-6) {
			fmt.Fprintf(&b, "      %s\n", line)
		}
	}
	b.WriteString(v.presetHelp())
	_, err := io.WriteString(w, b.String())
	return err
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
