package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strings"
)

// command is a line that the kernel takes for itself.
var command = regexp.MustCompile(`(?m)^[%!].*$`)

// tooEarly lists the names that a cell mentions and only a later one declares. Cells that
// declare are executed together with what follows them, to link fewer programs, so that
// no run would tell; a reader who runs all cells one by one gets an error.
//
// Of a cell that isn't Go it takes what is: the kernel will say what is wrong.
func tooEarly(cells []string) (faults []string) {
	declared, missing := make([][]string, len(cells)), make([][]string, len(cells))
	last := map[string]int{} // the last cell that declares a name
	files := token.NewFileSet()
	for i, cell := range cells {
		top, body, runs := strings.Cut("\n"+cell+"\n", "\n%%\n")
		source := "package cell\n" + command.ReplaceAllString(top, "")
		if runs {
			source += "\nfunc main() {\n" + command.ReplaceAllString(body, "") + "\n}\n"
		}
		program, _ := parser.ParseFile(files, "", source, parser.SkipObjectResolution)
		declared[i], missing[i] = names(files, program)
		for _, name := range declared[i] {
			last[name] = i
		}
	}
	known := map[string]bool{}
	for i, cell := range cells {
		for _, name := range missing[i] {
			if last[name] > i && !known[name] {
				first, _, _ := strings.Cut(strings.TrimSpace(cell), "\n")
				faults = append(faults, fmt.Sprintf("%s, in the cell that begins with %q", name, first))
			}
		}
		for _, name := range declared[i] {
			known[name] = true
		}
	}
	return faults
}

// names lists what a program declares outside of functions, and what it mentions and
// doesn't declare, each once.
func names(files *token.FileSet, program *ast.File) (declared, missing []string) {
	check := types.Config{Error: func(err error) {
		name, is := strings.CutPrefix(err.(types.Error).Msg, "undefined: ")
		if is && !slices.Contains(missing, name) {
			missing = append(missing, name)
		}
	}}
	// What is wrong besides, such as packages that nobody imports here, is no matter.
	checked, _ := check.Check("cell", files, []*ast.File{program}, nil)
	return checked.Scope().Names(), missing
}
