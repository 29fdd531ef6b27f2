#!/usr/bin/env bash
# BurntSushi/toml v1.6.0: a uint64 above 9223372036854775807, as a random seed is
# in half of the cases, is encoded without an error, and the same library refuses
# to decode the file: "out of range for int64", also into a uint64.
#
# One would have guessed that what Encode wrote Decode reads, or that Encode
# refuses, as pelletier/go-toml v2.4.3 does: the file that should repeat a run
# is found broken when it is needed. Python's tomllib reads it.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat >main.go <<'GO'
package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/BurntSushi/toml"
	pelletier "github.com/pelletier/go-toml/v2"
)

type config struct {
	Seed uint64 `toml:"seed"`
}

func main() {
	for _, seed := range []uint64{1<<63 - 1, 1 << 63} {
		var text bytes.Buffer
		encoded := toml.NewEncoder(&text).Encode(config{seed})
		var back config
		_, decoded := toml.Decode(text.String(), &back)
		_, other := pelletier.Marshal(config{seed})
		fmt.Printf("%d: encoded %t, decoded %t, encoded by go-toml %t\n", seed, encoded == nil,
			decoded == nil && back.Seed == seed, other == nil)
		if err := os.WriteFile("config.toml", text.Bytes(), 0o600); err != nil {
			panic(err)
		}
	}
}
GO
go mod init finding >/dev/null 2>&1
go get github.com/BurntSushi/toml@v1.6.0 github.com/pelletier/go-toml/v2@v2.4.3 >/dev/null 2>&1
got=$(go run . && python3 -c 'import tomllib; print("tomllib:", tomllib.load(open("config.toml", "rb")))')
printf '%s\n' "$got"
[[ $got == "9223372036854775807: encoded true, decoded true, encoded by go-toml true
9223372036854775808: encoded true, decoded false, encoded by go-toml false
tomllib: {'seed': 9223372036854775808}" ]]
