"""Answers requests, one JSON object a line, until stdin ends."""

import importlib
import importlib.metadata
import json
import os
import sys
import time

# What libraries print must not get among the replies: it goes to stderr.
_replies = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)


def reply(**fields):
    _replies.write(json.dumps(fields) + "\n")


def load(*names):
    """Imports modules; where one is missing, says so and ends."""
    try:
        return [importlib.import_module(name) for name in names]
    except ImportError as error:
        reply(missing=str(error))
        sys.exit(0)


def version(*distributions):
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in distributions)


def serve(description, tasks):
    """Serves tasks: functions of the data that return the work of one turn,
    a function that returns how many units it did, and the answer to compare.
    """
    reply(version=description)
    prepared = {}
    for line in sys.stdin:
        request = json.loads(line)
        name = request["task"]
        try:
            if request["op"] == "prepare":
                prepared[name], answer = tasks[name](request["data"])
                prepared[name]()  # compiles, fills caches
                reply(answer=answer)
                continue
            work, units, wall, cpu = prepared[name], 0, time.perf_counter(), time.process_time()
            while True:
                units += work()
                elapsed = time.perf_counter() - wall
                if elapsed >= request["seconds"]:
                    break
            reply(units=units, wall=elapsed, cpu=time.process_time() - cpu)
        except Exception as error:
            reply(error=f"{type(error).__name__}: {error}")
