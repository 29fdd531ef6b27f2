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
	programs := make([]*ast.File, len(cells))
	last := map[string]int{} // the last cell that declares a name
	files := token.NewFileSet()
	for i, cell := range cells {
		declared, body, runs := strings.Cut("\n"+cell+"\n", "\n%%\n")
		source := "package cell\n" + command.ReplaceAllString(declared, "")
		if runs {
			source += "\nfunc main() {\n" + command.ReplaceAllString(body, "") + "\n}\n"
		}
		programs[i], _ = parser.ParseFile(files, "", source, parser.SkipObjectResolution)
		for _, name := range topLevel(programs[i]) {
			last[name] = i
		}
	}
	known := map[string]bool{}
	for i, program := range programs {
		for _, name := range undefined(files, program) {
			if last[name] > i && !known[name] {
				faults = append(faults, fmt.Sprintf("%s, in the cell that begins with %q", name, firstLine(cells[i])))
			}
		}
		for _, name := range topLevel(program) {
			known[name] = true
		}
	}
	return faults
}

// topLevel are the names that a program declares outside of functions.
func topLevel(program *ast.File) (names []string) {
	for _, declaration := range program.Decls {
		switch d := declaration.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				names = append(names, d.Name.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					names = append(names, s.Name.Name)
				case *ast.ValueSpec:
					for _, name := range s.Names {
						names = append(names, name.Name)
					}
				}
			}
		}
	}
	return names
}

// undefined are the names that a program mentions and doesn't declare, each once.
func undefined(files *token.FileSet, program *ast.File) (names []string) {
	check := types.Config{Error: func(err error) {
		name, is := strings.CutPrefix(err.(types.Error).Msg, "undefined: ")
		if is && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}}
	// What is wrong besides, such as packages that nobody imports here, is no matter.
	_, _ = check.Check("cell", files, []*ast.File{program}, nil)
	return names
}

func firstLine(cell string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(cell), "\n")
	return line
}
