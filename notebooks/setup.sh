#!/usr/bin/env bash
# Makes the folder it is run in, the module in which a notebook's cells are
# compiled, use this repository's packages and its pinned dependencies. The
# first cell of every notebook runs it:
#
#	!*bash "$GONB_DIR/setup.sh"
#	%noautoget
set -euo pipefail

module=vaefolio
root=$(dirname "$(cd "${GONB_DIR:?is set by the notebook kernel: run this in a cell}" && go env GOMOD)")
if [[ ! -f $root/go.mod ]]; then
	echo "notebook folder $GONB_DIR is not inside the $module repository" >&2
	exit 1
fi
cp "$root/go.mod" "$root/go.sum" .
rm -f go.work go.work.sum
go mod edit -module "$module/notebook" -require "$module@v0.0.0" -replace "$module=$root"
