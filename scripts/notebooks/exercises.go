package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// exercise begins an exercise's solution: "**Exercise 2.** The mean is ...".
var exercise = regexp.MustCompile(`(?m)^\*\*Exercise (\d+)\.\*\*`)

// solutions are the blocks of Go in solutions/NAME.md beside the notebook, by the
// exercise's number. Each stands for the line that declares the exercise's answer.
// Where there is no such file there are none.
func (n notebook) solutions() (map[string]string, error) {
	path := filepath.Join(filepath.Dir(n.source), "solutions", n.name+".md")
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	blocks, at := map[string]string{}, exercise.FindAllSubmatchIndex(text, -1)
	for i, place := range at {
		end := len(text)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		number := string(text[place[2]:place[3]])
		for _, block := range fence.FindAllSubmatch(text[place[1]:end], -1) {
			if blocks[number] != "" {
				return nil, fmt.Errorf("%s: exercise %s has two blocks of Go: put what it takes into one", path, number)
			}
			blocks[number] = string(block[1])
		}
	}
	return blocks, nil
}
