// Command licences knows what comes with the programs of this repository: the
// modules that are linked into them, and under which licence each is.
//
//	go run ./.ci/licences          prints the texts of all licences and notices, to be handed on with binaries
//	go run ./.ci/licences table    prints the rows of THIRD_PARTY.md's table, without the licences' names
//	go run ./.ci/licences check    compares THIRD_PARTY.md with the modules
package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const document = "THIRD_PARTY.md"

// allowed are the licences that something linked may have. Whoever adds one sees to
// what it asks for.
var allowed = []string{"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC-BY-4.0", "FTL", "ISC", "MIT", "OFL-1.1"}

// module is a module that is linked into a program.
type module struct {
	Path, Version, Dir string
	texts              []string // files with licences and notices, below Dir
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	modules, err := linked()
	if err != nil {
		return err
	}
	switch {
	case len(args) == 0:
		return print(modules)
	case len(args) == 1 && args[0] == "table":
		for _, m := range modules {
			fmt.Printf("| %s | | %s |\n", m.Path, m.digest())
		}
		return nil
	case len(args) == 1 && args[0] == "check":
		return check(modules)
	}
	return errors.New("want no argument, table or check")
}

// texts are the names of files that belong to a licence.
var texts = regexp.MustCompile(`(?i)^(licen[cs]e|notice|patents|copying|ftl).*`)

// linked lists the modules of all packages that the verbs are built of, on this
// system, with cgo and without.
func linked() ([]module, error) {
	var all []module
	for _, cgo := range []string{"0", "1"} {
		list := exec.Command("go", "list", "-deps", "-json=Module", "./scripts/...")
		list.Env = append(os.Environ(), "CGO_ENABLED="+cgo)
		list.Stderr = os.Stderr
		out, err := list.Output()
		if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		decoder := json.NewDecoder(strings.NewReader(string(out)))
		for {
			var p struct {
				Module *struct {
					module
					Main bool
				}
			}
			if err := decoder.Decode(&p); err == io.EOF {
				break
			} else if err != nil {
				return nil, err
			}
			if p.Module != nil && !p.Module.Main {
				all = append(all, p.Module.module)
			}
		}
	}
	slices.SortFunc(all, func(a, b module) int { return cmp.Compare(a.Path, b.Path) })
	all = slices.CompactFunc(all, func(a, b module) bool { return a.Path == b.Path })
	for i := range all {
		if err := all[i].find(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// find finds the texts, at the top of the module and in its folder for licences.
func (m *module) find() error {
	for _, folder := range []string{"", "licenses"} {
		entries, err := os.ReadDir(filepath.Join(m.Dir, folder))
		if err != nil {
			continue
		}
		for _, e := range entries {
			// Of a choice of licences the one that is taken.
			if !e.IsDir() && texts.MatchString(e.Name()) {
				m.texts = append(m.texts, filepath.Join(folder, e.Name()))
			}
		}
	}
	if len(m.texts) == 0 {
		return fmt.Errorf("%s has no file with a licence: ask its authors", m.Path)
	}
	return nil
}

// digest changes when one of the texts does.
func (m *module) digest() string {
	sum := sha256.New()
	for _, name := range m.texts {
		fmt.Fprintln(sum, name)
		text, _ := os.ReadFile(filepath.Join(m.Dir, name))
		sum.Write(text)
	}
	return fmt.Sprintf("%x", sum.Sum(nil))[:12]
}

// print prints every text under the names of the modules that it is of.
func print(modules []module) error {
	head, err := os.ReadFile(document)
	if err != nil {
		return err
	}
	fmt.Printf("%s\n", head)
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("go env: %w", err)
	}
	standard := module{Path: "Go's standard library", Dir: strings.TrimSpace(string(root)), texts: []string{"LICENSE", "PATENTS"}}
	for _, m := range append([]module{standard}, modules...) {
		for _, name := range m.texts {
			text, err := os.ReadFile(filepath.Join(m.Dir, name))
			if err != nil {
				return err
			}
			fmt.Printf("%s\n%s, %s\n\n%s\n", strings.Repeat("=", 80), strings.TrimSpace(m.Path+" "+m.Version), name, text)
		}
	}
	return nil
}

// row is a row of the table.
var row = regexp.MustCompile(`(?m)^\| ([^ |]+/[^ |]+) \| ([^|]+) \| ([0-9a-f]{12}) \|$`)

// check holds the document against the modules, and names all that is wrong.
func check(modules []module) error {
	text, err := os.ReadFile(document)
	if err != nil {
		return err
	}
	listed := map[string][]string{}
	for _, cells := range row.FindAllStringSubmatch(string(text), -1) {
		listed[cells[1]] = cells[2:]
	}
	var faults []string
	for _, m := range modules {
		cells := listed[m.Path]
		delete(listed, m.Path)
		switch {
		case cells == nil:
			faults = append(faults, fmt.Sprintf("%s is linked and not listed: read its licence, then add a row", m.Path))
			continue
		case cells[1] != m.digest():
			faults = append(faults, fmt.Sprintf("%s has other texts than were read (%s): read them again", m.Path, m.digest()))
		}
		for _, name := range strings.Split(cells[0], " and ") {
			if !slices.Contains(allowed, strings.TrimSpace(name)) {
				faults = append(faults, fmt.Sprintf("%s has the licence %q, which nobody has allowed", m.Path, name))
			}
		}
		for _, name := range m.texts {
			notice, err := os.ReadFile(filepath.Join(m.Dir, name))
			if err != nil {
				return err
			}
			if strings.HasPrefix(strings.ToLower(name), "notice") && !strings.Contains(string(text), strings.TrimSpace(string(notice))) {
				faults = append(faults, fmt.Sprintf("%s has a %s that has to be handed on: put it into the document", m.Path, name))
			}
		}
	}
	for path := range listed {
		faults = append(faults, path+" is listed and not linked")
	}
	if len(faults) > 0 {
		slices.Sort(faults)
		return fmt.Errorf("%s:\n  %s", document, strings.Join(faults, "\n  "))
	}
	fmt.Printf("%d modules, as %s has them\n", len(modules), document)
	return nil
}
