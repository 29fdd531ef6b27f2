#!/usr/bin/env bash
# gopkg.in/yaml.v3 v3.0.1 writes 0.00001 as 1e-05, which PyYAML 6.0.4 reads as text,
# while 1.2e-05 beside it is read as a number; the other way, PyYAML writes the text
# 46132E10 without quotes, and yaml.v3 reads it into an any as 461,320,000,000,000.
#
# A number of YAML 1.1, which PyYAML keeps to (its issue 173), has a point before the
# exponent, and one of 1.2 needn't have one. One would have guessed the same values on
# both sides: yaml.v3 puts quotes about the ticker ON, which only 1.1 takes for true,
# but no point into its numbers, and there is no error on either side. Learning rates,
# penalties and weights of six decimals come like this, and codes of securities, the
# other way. ruamel.yaml 0.19.1, which reads 1.2, has numbers.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check pyyaml==6.0.4 ruamel.yaml==0.19.1
cat >main.go <<'GO'
package main

import (
	"fmt"
	"os"

	"gopkg.in/yaml.v3"
)

func main() {
	if len(os.Args) == 1 {
		text, err := yaml.Marshal(map[string]float64{"OAK": 0.99998, "ON": 1e-5, "ELM": 1.2e-5})
		check(err)
		check(os.WriteFile("weights.yaml", text, 0o600))
		return
	}
	text, err := os.ReadFile("codes.yaml")
	check(err)
	var codes map[string]any
	check(yaml.Unmarshal(text, &codes))
	fmt.Printf("read in Go: %T %.0f\n", codes["OAK"], codes["OAK"])
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
GO
go mod init finding >/dev/null 2>&1
go get gopkg.in/yaml.v3@v3.0.1 >/dev/null 2>&1
go run .
got=$(cat weights.yaml; env/bin/python - <<'PY'
import ruamel.yaml
import yaml

with open("weights.yaml") as f:
    text = f.read()
print("PyYAML", yaml.safe_load(text))
print("ruamel.yaml", dict(ruamel.yaml.YAML(typ="safe", pure=True).load(text)))
with open("codes.yaml", "w") as f:
    yaml.safe_dump({"OAK": "46132E10"}, f)
PY
cat codes.yaml; go run . codes)
printf '%s\n' "$got"
[[ $got == 'ELM: 1.2e-05
OAK: 0.99998
"ON": 1e-05
PyYAML {'\''ELM'\'': 1.2e-05, '\''OAK'\'': 0.99998, '\''ON'\'': '\''1e-05'\''}
ruamel.yaml {'\''ELM'\'': 1.2e-05, '\''OAK'\'': 0.99998, '\''ON'\'': 1e-05}
OAK: 46132E10
read in Go: float64 461320000000000' ]]
