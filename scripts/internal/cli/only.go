package cli

import (
	"reflect"
	"slices"
	"strings"
)

// condition says with which values of other flags a flag has an effect: with
// those that meet one of its alternatives, which is all clauses of it.
type condition [][]clause

// clause is a statement about one flag, or positional argument.
type clause struct {
	name   string
	values []string // one of which it has; none: it is set to anything
	not    bool     // the opposite
}

// mustCondition reads a tag such as "mode=robust|stress or prices and !replay".
func mustCondition(text string) condition {
	var c condition
	for _, alternative := range strings.Split(text, " or ") {
		var clauses []clause
		for _, word := range strings.Split(alternative, " and ") {
			name, list, hasValues := strings.Cut(strings.TrimPrefix(word, "!"), "=")
			t := clause{name: strings.TrimSuffix(name, "!"), not: word[0] == '!' || strings.HasSuffix(name, "!")}
			if hasValues {
				t.values = strings.Split(list, "|")
			}
			clauses = append(clauses, t)
		}
		c = append(c, clauses)
	}
	return c
}

// settleConditions takes from each condition the alternatives with flags that the
// verb lacks, and conditions that have no other. A value that a flag can't have is
// the programmer's mistake, and panics.
func (os options) settleConditions() {
	lacks := func(t clause) bool {
		o := os.named(t.name)
		for _, value := range t.values {
			if o != nil && len(o.choices) > 0 && !slices.Contains(o.choices, value) {
				panic("cli: a condition wants -" + t.name + " " + value + ", which is no choice")
			}
		}
		return o == nil
	}
	for _, o := range os {
		var settled []condition
		for _, c := range o.only {
			c = slices.DeleteFunc(slices.Clone(c),
				func(clauses []clause) bool { return slices.ContainsFunc(clauses, lacks) })
			if len(c) > 0 {
				settled = append(settled, c)
			}
		}
		o.only = settled
	}
}

// truth is what is known of a condition, as values of flags may be open. Of two
// truths the smaller one is that of both together, the larger one that of either.
type truth int

const (
	no truth = iota
	open
	yes
)

// holds says whether a clause holds; isOpen names the flags whose values are.
func (os options) holds(t clause, isOpen func(*option) bool) truth {
	o := os.named(t.name)
	if isOpen(o) {
		return open
	}
	met := o.isGiven()
	if t.values != nil {
		has := func(text string) bool { return slices.Contains(t.values, text) }
		if t.not { // of a list: some element is none of them
			return truthOf(slices.ContainsFunc(o.texts(), func(text string) bool { return !has(text) }))
		}
		met = slices.ContainsFunc(o.texts(), has)
	}
	return truthOf(met != t.not)
}

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

func (os options) all(clauses []clause, isOpen func(*option) bool) truth {
	all := yes
	for _, t := range clauses {
		all = min(all, os.holds(t, isOpen))
	}
	return all
}

func (os options) any(c condition, isOpen func(*option) bool) truth {
	any := no
	for _, clauses := range c {
		any = max(any, os.all(clauses, isOpen))
	}
	return any
}

// effect says whether an option has any.
func (os options) effect(o *option, isOpen func(*option) bool) truth {
	effect := yes
	for _, c := range o.only {
		effect = min(effect, os.any(c, isOpen))
	}
	return effect
}

// nothing is open once all values are set.
func nothing(*option) bool { return false }

// isGiven says whether the value is more than nothing.
func (o *option) isGiven() bool {
	if o.field.Kind() == reflect.Slice {
		return o.field.Len() > 0
	}
	return !o.field.IsZero()
}

// refuseIdle refuses a flag that has no effect with the values of the others and,
// of a file, a key whose value is none that the flag has without it: a run writes
// all its values, those of what it didn't use among them.
func (v Verb[C]) refuseIdle(c *C, all options, given, fromFile []*assignment) error {
	var varying []string
	if v.Varying != nil {
		varying = v.Varying(c)
	}
	isOpen := func(o *option) bool { return slices.Contains(varying, o.name) }
	idle := func(o *option) (condition, bool) {
		for _, c := range o.only {
			if all.any(c, isOpen) == no {
				return c, true
			}
		}
		return nil, false
	}
	chosen := func(o *option) bool {
		return slices.ContainsFunc(slices.Concat(given, fromFile), func(a *assignment) bool { return a.option == o })
	}
	refuse := func(a *assignment, c condition) error {
		return Usagef("%s goes %s: %s", a.place, all.spell(c), all.remedy(c, isOpen, chosen))
	}
	for _, a := range given {
		if c, ok := idle(a.option); ok {
			return refuse(a, c)
		}
	}
	for _, a := range fromFile {
		if c, ok := idle(a.option); ok && !v.isUsual(a.option) {
			return refuse(a, c)
		}
	}
	return nil
}

// remedy says what to do about a flag whose condition doesn't hold: to give the flags that
// it needs, where these are all that is missing; chosen says which flags were given.
func (os options) remedy(c condition, isOpen, chosen func(*option) bool) string {
	var ways []string
	for _, clauses := range c {
		failing := slices.DeleteFunc(slices.Clone(clauses), func(t clause) bool { return os.holds(t, isOpen) != no })
		if t := failing[0]; len(c) == 1 && len(failing) == 1 && t.not && t.values == nil {
			return "leave one of them out"
		}
		var missing []string
		for _, t := range failing {
			if o := os.named(t.name); !t.not && !o.positional && (t.values == nil || len(t.values) == 1 && !chosen(o)) {
				missing = append(missing, strings.TrimPrefix(os.spellClause(t), "with "))
			}
		}
		if len(missing) == len(failing) {
			ways = append(ways, strings.Join(missing, " and "))
		}
	}
	if len(ways) == 0 {
		return "leave it out"
	}
	return "give " + strings.Join(ways, ", or ") + ", or leave it out"
}

// isUsual says whether an option has the value that it has by default or by a
// preset.
func (v Verb[C]) isUsual(o *option) bool {
	changes := []func(*C){func(*C) {}}
	for _, change := range v.Presets {
		changes = append(changes, change)
	}
	return slices.ContainsFunc(changes, func(change func(*C)) bool {
		c, usual := v.defaults()
		change(c)
		return slices.Equal(usual.named(o.name).texts(), o.texts())
	})
}

// spell says a condition behind the word goes, or only: "with -mode robust or
// stress, or without -prices".
func (os options) spell(c condition) string {
	var alternatives []string
	for _, clauses := range c {
		var words []string
		for _, t := range clauses {
			words = append(words, os.spellClause(t))
		}
		alternatives = append(alternatives, strings.Join(words, " and "))
	}
	return strings.Join(alternatives, ", or ")
}

func (os options) spellClause(t clause) string {
	o := os.named(t.name)
	flag := o.spelled()
	switch {
	case t.values == nil && t.not:
		return "without " + flag
	case t.values == nil:
		return "with " + strings.TrimSpace(flag+" "+o.placeholder())
	case t.not:
		return "with " + flag + " other than " + either(t.values)
	case o.positional:
		return "with " + either(t.values)
	}
	return "with " + flag + " " + either(t.values)
}

// either joins words to "a, b or c".
func either(words []string) string {
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// openPart is what of an option's conditions is still open, for the help; "":
// nothing is.
func (os options) openPart(o *option, isOpen func(*option) bool) string {
	var parts []string
	for _, c := range o.only {
		if os.any(c, isOpen) != open {
			continue
		}
		var left condition
		for _, clauses := range c {
			if os.all(clauses, isOpen) != open {
				continue
			}
			left = append(left, slices.DeleteFunc(slices.Clone(clauses), func(t clause) bool {
				return os.holds(t, isOpen) == yes
			}))
		}
		parts = append(parts, os.spell(left))
	}
	return strings.Join(parts, " and ")
}
