#!/usr/bin/env bash
# mlflow 3.17.2: a bare NaN in the JSON of runs/log-batch, as Python's json.dumps
# writes it, is answered with 200 and an empty object; of the three metrics sent,
# the NaN is stored as 0, the one before it is kept, and the one after it is lost.
#
# One would have guessed a refusal (400), as NaN is not JSON, or three metrics.
# The strings "NaN" and "Infinity" are kept as what they say.
#
# Needs the network for pip (about 850 MB) and takes a minute.
set -euo pipefail
dir=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill -- -"$server" 2>/dev/null || true; rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check mlflow==3.17.2
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false setsid env/bin/mlflow server --host 127.0.0.1 --port "$port" --workers 1 \
	--backend-store-uri "sqlite:///$dir/mlflow.db" --artifacts-destination "$dir/artifacts" >server.log 2>&1 &
server=$!
got=$(python3 - "http://127.0.0.1:$port" <<'PY'
import json
import sys
import time
import urllib.request

base = sys.argv[1]
for _ in range(240):
    try:
        urllib.request.urlopen(base + "/health", timeout=1)
        break
    except OSError:
        time.sleep(0.5)


def call(path, body):
    request = urllib.request.Request(base + "/api/2.0/mlflow/" + path, json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.status, json.load(answer)


experiment = call("experiments/create", {"name": "nan"})[1]["experiment_id"]
for name, value in ("a bare NaN", float("nan")), ('the string "NaN"', "NaN"):
    run = call("runs/create", {"experiment_id": experiment, "start_time": 0})[1]["run"]["info"]["run_id"]
    metrics = [{"key": key, "value": v, "timestamp": 1, "step": 1} for key, v in (("a", 1), ("b", value), ("c", 3))]
    status, answer = call("runs/log-batch", {"run_id": run, "metrics": metrics})
    with urllib.request.urlopen(base + "/api/2.0/mlflow/runs/get?run_id=" + run, timeout=60) as stored:
        kept = json.load(stored)["run"]["data"].get("metrics", [])
    print(name + ":", status, answer, sorted((m["key"], m["value"]) for m in kept))
PY
)
printf '%s\n' "$got"
[[ $got == "a bare NaN: 200 {} [('a', 1.0), ('b', 0.0)]
the string \"NaN\": 200 {} [('a', 1.0), ('b', 'NaN'), ('c', 3.0)]" ]]
