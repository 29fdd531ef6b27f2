#!/usr/bin/env bash
# csvkit 2.2.0 (agate 1.14.2): csvsort, csvjoin, csvjson and csvlook turn a column
# of numbers that are all 0 or 1 into False and True, and write that as CSV.
#
# One would have guessed that sorting a file of numbers gives a file of numbers.
# In a table of portfolio weights the column of an asset that is never held has
# nothing but 0, and of single-asset portfolios all columns have 0 and 1: what is
# sorted by csvkit can't be read as weights any more, and csvstat has no mean for
# such an asset. --no-inference leaves all cells as they are, and sorts them as text.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check csvkit==2.2.0 agate==1.14.2
printf 'OAK,ELM,ASH\n0.75,0,0.25\n0.5,0,0.5\n' >weights.csv
got=$(env/bin/csvsort -c OAK weights.csv; env/bin/csvstat --mean weights.csv)
printf '%s\n' "$got"
[[ $got == 'OAK,ELM,ASH
0.5,False,0.5
0.75,False,0.25
  1. OAK: 0.625
  2. ELM: None
  3. ASH: 0.375' ]]
