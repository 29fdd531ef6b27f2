// Command sample writes the bundled SYNTHETIC sample anew, or checks that it
// is what its generator makes.
//
//	go run ./scripts/sample -check
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"vaefolio/data"
	"vaefolio/vaelib/run"
)

func main() {
	out := flag.String("out", "data", "folder to write to")
	seed := flag.Uint64("seed", data.Seed, "seed of everything random")
	days := flag.Int("days", data.Days, "days of returns")
	check := flag.Bool("check", false, "write nothing; compare the files in the folder with what would be written")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), "sample writes the bundled SYNTHETIC prices, sectors and their truth.\n\n  go run ./scripts/sample -check\n\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "sample: argument %s is left over\n", flag.Arg(0))
		os.Exit(2)
	}
	if err := sample(*out, *seed, *days, *check); err != nil {
		fmt.Fprintln(os.Stderr, "sample:", err)
		os.Exit(1)
	}
}

func sample(out string, seed uint64, days int, check bool) error {
	drawn, err := data.Generate(seed, days)
	if err != nil {
		return err
	}
	files, err := drawn.Files()
	if err != nil {
		return err
	}
	for name, text := range files {
		path := filepath.Join(out, name)
		if check {
			have, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if !bytes.Equal(have, text) {
				return fmt.Errorf("%s differs from what seed %d makes: write it anew without -check", path, seed)
			}
			continue
		}
		if err := run.WriteFile(path, func(w io.Writer) error {
			_, err := w.Write(text)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}
