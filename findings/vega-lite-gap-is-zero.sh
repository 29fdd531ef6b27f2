#!/usr/bin/env bash
# Vega-Lite 6.1 (drawn by vl-convert-python 1.9.0.post1): an empty cell of a CSV
# that stands in the specification is drawn as 0, on a line, as an area, as a point.
#
# The values of such a CSV stay text, although the field is declared quantitative,
# and the test for what is valid takes "" for a number. One would have guessed the
# gap which null in JSON, "NaN" in the same CSV, and the empty cell with
# parse={"NEW": "number"} leave. A price that isn't there yet is a price of 0, and
# the axis, which begins at 0, doesn't give it away.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check vl-convert-python==1.9.0.post1
got=$(env/bin/python - <<'PY'
import re

import vl_convert

table = "day,NEW\n1,{0}\n2,{0}\n3,49\n4,51\n"
csv, parsed = {"type": "csv"}, {"type": "csv", "parse": {"NEW": "number"}}
null = [{"day": day, "NEW": close} for day, close in ((1, None), (2, None), (3, 49), (4, 51))]
for name, data in (("empty cell ", {"values": table.format(""), "format": csv}),
                   ("NaN        ", {"values": table.format("NaN"), "format": csv}),
                   ("with parse ", {"values": table.format(""), "format": parsed}),
                   ("null (JSON)", {"values": null})):
    svg = vl_convert.vegalite_to_svg({
        "width": 100, "height": 100, "data": data, "mark": "line",
        "encoding": {"x": {"field": "day", "type": "ordinal"},
                     "y": {"field": "NEW", "type": "quantitative", "scale": {"domain": [0, 100]}}}}, vl_version="6.1")
    print(name, re.search(r'role="graphics-symbol"[^>]* d="([^"]*)"', svg)[1])
PY
)
printf '%s\n' "$got"
[[ $got == 'empty cell  M12.5,100L37.5,100L62.5,51L87.5,49
NaN         M62.5,51L87.5,49
with parse  M62.5,51L87.5,49
null (JSON) M62.5,51L87.5,49' ]]
