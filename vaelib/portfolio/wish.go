package portfolio

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Wish is what portfolios are asked to have: terms on different conditions, or
// a lower and an upper limit on the same one.
type Wish []Term

// Term is one demand on one condition.
type Term struct {
	Name     string
	Relation Relation
	Value    float64
}

// Relation is how a condition is to compare with a value.
type Relation int8

// The relations of a [Term].
const (
	Equal   Relation = iota // =
	AtMost                  // <=
	AtLeast                 // >=
)

var relationSigns = [...]string{Equal: "=", AtMost: "<=", AtLeast: ">="}

func (r Relation) String() string { return relationSigns[r] }

// ParseWish parses terms separated by commas, such as
// "volatility=0.4,sector.L1<=0.35". Names are those of known. Levels are the
// names of the values 0, 1, ... of categorical conditions, by which they can be
// asked for too, such as "regime=rising at low volatility"; commas in them are
// left out. The error names the term and, for an unknown name, the known ones.
func ParseWish(text string, known []string, levels map[string][]string) (Wish, error) {
	if strings.TrimSpace(text) == "" {
		return nil, fmt.Errorf("the wish is empty: write terms such as %s", exampleTerm(known))
	}
	var wish Wish
	parts := strings.Split(text, ",")
	for i, part := range parts {
		// A sector's name may have commas: up to a relation they belong to it.
		if name := strings.TrimSpace(part); i+1 < len(parts) && strings.HasPrefix(name, SectorPrefix) &&
			!strings.ContainsAny(part, "<>=") {
			parts[i+1] = part + "," + parts[i+1]
			continue
		}
		term, err := parseTerm(strings.TrimSpace(part), known, levels)
		if err != nil {
			return nil, err
		}
		for _, before := range wish {
			if before.Name == term.Name && !compatible(before, term) {
				return nil, fmt.Errorf("terms %s and %s exclude or repeat each other: keep one of them", before, term)
			}
		}
		wish = append(wish, term)
	}
	return wish, nil
}

func parseTerm(text string, known []string, levels map[string][]string) (Term, error) {
	at := strings.IndexAny(text, "<>=")
	if at < 0 {
		return Term{}, fmt.Errorf("term %s has no =, <= or >=: write it like %s", excerpt(text), exampleTerm(known))
	}
	name, rest := strings.TrimSpace(text[:at]), text[at:]
	term := Term{Name: name}
	switch {
	case strings.HasPrefix(rest, "<="):
		term.Relation, rest = AtMost, rest[2:]
	case strings.HasPrefix(rest, ">="):
		term.Relation, rest = AtLeast, rest[2:]
	case strings.HasPrefix(rest, "="):
		rest = rest[1:]
	default:
		return Term{}, fmt.Errorf("term %s has a bare %c: write %c= instead", excerpt(text), rest[0], rest[0])
	}
	if !slices.Contains(known, name) {
		return Term{}, fmt.Errorf("term %s: unknown condition %s: the known ones are %s",
			excerpt(text), excerpt(name), strings.Join(known, ", "))
	}
	rest = strings.TrimSpace(rest)
	value, err := number([]byte(rest))
	if of := levels[name]; err != nil && of != nil {
		value, err = levelNumber(rest, of)
	} else if percent, ok := strings.CutSuffix(rest, "%"); err != nil && ok {
		if value, err := number([]byte(strings.TrimSpace(percent))); err == nil {
			return Term{}, fmt.Errorf("term %s: shares are written as fractions: %s%s%s",
				excerpt(text), name, term.Relation, format(value/100))
		}
	}
	if err != nil {
		return Term{}, fmt.Errorf("term %s: %w", excerpt(text), err)
	}
	term.Value = value
	return term, nil
}

// levelNumber is the number of a level. Names that were written before they held
// no commas are known without.
func levelNumber(text string, levels []string) (float64, error) {
	names := make([]string, len(levels))
	for i, level := range levels {
		names[i] = strings.ReplaceAll(level, ",", "")
	}
	if i := slices.Index(names, text); i >= 0 {
		return float64(i), nil
	}
	return 0, fmt.Errorf("unknown level %s: the known ones are %s, or their numbers from 0",
		excerpt(text), strings.Join(names, ", "))
}

// compatible says whether two terms on the same condition are a lower and an
// upper limit with room between them.
func compatible(a, b Term) bool {
	if a.Relation > b.Relation {
		a, b = b, a
	}
	return a.Relation == AtMost && b.Relation == AtLeast && b.Value <= a.Value
}

func exampleTerm(known []string) string {
	if len(known) == 0 {
		return "volatility=0.4"
	}
	return known[0] + "=0.4"
}

// String returns the term in the form that [ParseWish] reads.
func (t Term) String() string { return t.Name + t.Relation.String() + format(t.Value) }

func format(x float64) string { return strconv.FormatFloat(x+0, 'g', -1, 64) }

// Miss returns how far a value is from meeting the term, 0 where it does.
func (t Term) Miss(value float64) float64 {
	switch t.Relation {
	case AtMost:
		return max(0, value-t.Value)
	case AtLeast:
		return max(0, t.Value-value)
	}
	return math.Abs(value - t.Value)
}

// String returns the wish in the form that [ParseWish] reads.
func (w Wish) String() string {
	terms := make([]string, len(w))
	for i, t := range w {
		terms[i] = t.String()
	}
	return strings.Join(terms, ",")
}
