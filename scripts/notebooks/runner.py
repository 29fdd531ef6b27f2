"""Executes one notebook with a fresh kernel.

The notebooks verb starts this program in the project's own environment. A job
comes as JSON on stdin; events go as JSON lines to stdout: one a finished cell,
then "done" with the executed notebook, or "failed" with the cell and the text of
the fault.
Besides errors, text on stderr is a fault (a shell command or a display that
failed leaves nothing else), and so is a notebook without a cell to run.
"""

import ctypes
import hashlib
import json
import os
import re
import signal
import sys

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, DeadKernelError

LANGUAGE = {"file_extension": ".go", "mimetype": "text/x-go", "name": "go", "pygments_lexer": "go"}


class Fault(Exception):
    """The notebook's own fault; cell is its number, counted from 1."""

    def __init__(self, text, cell=0):
        super().__init__(text)
        self.cell = cell


class Late(Fault):
    """A cell ran past the time limit. Its program may still be running, and the kernel
    would let others wait for it."""


def say(**event):
    print(json.dumps(event), flush=True)


def other_parameters(notebook, small, given):
    """The parameters of this execution that are not those of the source: by name, Go expressions."""
    values = {}
    if small:
        values.update(notebook.metadata.get("vaefolio", {}).get("small", {}))
    values.update(given)
    return values


def parameters_cell(notebook, values):
    """A cell that declares the values anew, and where it belongs."""
    tagged = [i for i, c in enumerate(notebook.cells) if "parameters" in c.metadata.get("tags", [])]
    if len(tagged) != 1:
        raise Fault(f"{len(tagged)} cells are tagged parameters, want 1")
    declared = notebook.cells[tagged[0]].source
    known = re.findall(r"^\s*(?:var\s+)?(\w+)\b[^=/\n]*=", declared, re.MULTILINE)
    for name in values:
        if name not in known:
            raise Fault(f"parameter {name} is not in the parameters cell, which has {', '.join(known)}", tagged[0] + 1)
    source = "\n".join(f"var {name} = {value}" for name, value in values.items())
    return nbformat.v4.new_code_cell(source, metadata={"injected": True}), tagged[0] + 1


# EXERCISE is a cell that checks an answer, ANSWER the line that declares it, open.
EXERCISE = re.compile(r"^lesson\.Answer\((\d+), ", re.MULTILINE)
ANSWER = re.compile(r"^(?:answer :=|var answer) .*$", re.MULTILINE)


def numbered(notebook):
    """The cells with their numbers, without what was injected."""
    return enumerate((c for c in notebook.cells if "injected" not in c.metadata), 1)


def solve(notebook, solutions):
    """Makes each exercise's cell run a second time, with the solution for an answer."""
    left = dict(solutions)
    for number, cell in numbered(notebook):
        exercises = EXERCISE.findall(cell.source) if cell.cell_type == "code" else []
        if not exercises:
            continue
        if len(exercises) > 1 or len(ANSWER.findall(cell.source)) != 1 or not cell.source.startswith("%%"):
            raise Fault("an exercise is a cell of its own: %%, a line that declares answer, and lesson.Answer", number)
        if exercises[0] not in left:
            raise Fault(f"exercise {exercises[0]} has no solution", number)
        solution = left.pop(exercises[0])
        cell.source = one_program([cell.source, ANSWER.sub(lambda _: solution, cell.source)])
    if left:
        raise Fault(f"there is no exercise for the solution of {', '.join(left)}")


def judge(notebook, solutions):
    """Faults exercises that aren't open as they stand, or not solved by their solutions."""
    outputs = (o for c in notebook.cells for o in c.get("outputs", []) if o.output_type == "stream")
    verdicts = re.findall(r"^exercise (\d+): (.*)$", "".join(o.text for o in outputs), re.MULTILINE)
    for number, cell in numbered(notebook):
        for exercise in EXERCISE.findall(cell.source)[:1] if cell.cell_type == "code" else []:
            found = [verdict for which, verdict in verdicts if which == exercise]
            if found != ["open", "solved"]:
                raise Fault(f"exercise {exercise} as it stands and with its solution: {'; '.join(found)}", number)


def faults(cell):
    """The text of the cell's errors and of what it wrote to stderr."""
    for output in cell.get("outputs", []):
        if output.output_type == "error":
            traceback = "\n".join(output.traceback)
            yield traceback if output.evalue in traceback else f"{output.evalue}\n{traceback}"
        elif output.output_type == "stream" and output.name == "stderr":
            yield output.text


def programs(code):
    """Groups of cells that are executed as one: declarations go with what follows.

    The kernel links a program for each cell, also where a cell only declares, and
    linking is most of its time. Imports stand first in a program.
    """
    group = []
    for place, number, cell in code:
        if group and re.match(r"\s*(//.*\n\s*)*import\b", cell.source):
            yield group
            group = []
        group.append((place, number, cell))
        if re.search(r"^(%|!|func main\b)", cell.source, re.MULTILINE):
            yield group
            group = []
    if group:
        yield group


def sections(notebook, code):
    """Groups of cells between headings; what isn't Go, or declares names anew, by itself."""
    headings = [i for i, c in enumerate(notebook.cells)
                if c.cell_type == "markdown" and re.search(r"^##? ", c.source, re.MULTILINE)]
    group, before = [], 0
    for place, number, cell in code:
        section = sum(heading < place for heading in headings)
        alone = "injected" in cell.metadata or re.search(r"^(!|%[^%]|%%.|func main\b)", cell.source, re.MULTILINE)
        if group and (alone or section != before):
            yield group
            group = []
        before = section
        group.append((place, number, cell))
        if alone:
            yield group
            group = []
    if group:
        yield group


def one_program(sources):
    """The source of a program that does what those of the cells do, one after the other.

    Values don't outlive a cell, so what each does stands in a function of its own.
    """
    if len(sources) == 1:
        return sources[0]
    wanted = re.compile(r"^import (?:\(.*?^\)|[^\n(]+)$", re.DOTALL | re.MULTILINE)
    imports, declarations, bodies = [], [], []
    for source in sources:
        declared, main, body = re.match(r"(.*?)(?:^(%%)\n(.*))?\Z", source + "\n", re.DOTALL | re.MULTILINE).groups()
        imports += wanted.findall(declared)
        declarations.append(wanted.sub("", declared))
        bodies += [f"func() {{\n{body}}}()"] if main else []
    return "\n".join([*imports, *declarations, *(["%%", *bodies] if bodies else [])])


def execute_program(client, group, timeout, joined="\n\n".join):
    """Executes cells as one, with what comes out in the last, whose number a fault has."""
    place, number, cell = group[-1]
    source = cell.source
    try:
        cell.source = joined([c.source for _, _, c in group])
        client.execute_cell(cell, place)
    except CellControlSignal:
        raise Late(f"ran past the limit of {timeout} s", number) from None
    finally:
        cell.source = source
    text = "\n".join(faults(cell)).strip()
    if text:
        raise Fault(text, number)


def passes(client, section, timeout):
    """Whether the cells have no fault in one program, of which there are several times
    fewer to link. Where they have, cell by cell tells which, or that it was the joining."""
    try:
        execute_program(client, section, timeout, one_program)
    except Fault:
        return False
    return True


def execute(notebook, folder, timeout, by_sections=False):
    client = NotebookClient(notebook, kernel_name="gonb", timeout=timeout, allow_errors=True,
                            record_timing=False, coalesce_streams=True, extra_arguments=["--raw_error"],
                            # on a busy machine outputs come late, and must not be left out
                            iopub_timeout=120, raise_on_iopub_timeout=True,
                            resources={"metadata": {"path": folder}})
    numbers = {id(c): number for number, c in numbered(notebook)}
    code = [(i, numbers.get(id(c), 0), c) for i, c in enumerate(notebook.cells)
            if c.cell_type == "code" and c.source.strip()]
    if not code:
        raise Fault("no cell to run")
    manager = client.create_kernel_manager()
    done = 0
    try:
        with client.setup_kernel():
            for section in sections(notebook, code) if by_sections else [code]:
                if by_sections and len(section) > 1 and passes(client, section, timeout):
                    done += len(section)
                    say(event="cell", done=done, total=len(code))
                    continue
                for group in programs(section):
                    try:
                        execute_program(client, group, timeout)
                    except Late:
                        raise
                    except Fault:
                        for part in group[:-1]:
                            execute_program(client, [part], timeout)  # whose fault it is
                        raise
                    done += len(group)
                    say(event="cell", done=done, total=len(code))
    except DeadKernelError:
        raise Fault("the kernel died", code[done][1]) from None
    finally:
        if manager.provisioner and manager.provisioner.pgid:
            end_group(manager.provisioner.pgid)


def take_over(notebook, saved):
    """Gives the cells the outputs of a saved notebook of the same code.

    The code may lie in other cells, among other text. A cell that only runs, so that
    no other depends on it, may be gone.
    """
    places = [cell for cell in notebook.cells if cell.cell_type == "code"]
    sources = {cell.source for cell in places}
    made = list(programs_until_output(c for c in saved.cells if c.source in sources or not c.source.startswith("%%")))
    source = ""
    for cell in places:
        source = f"{source}\n\n{cell.source}".strip()
        cell.outputs = []
        if made and source == made[0][0]:
            cell.outputs = made.pop(0)[1]
            source = ""
    if made or source:
        raise Fault("the code has changed since the outputs were saved, not only the text: run it without -text")


def programs_until_output(cells):
    """The code up to each cell with outputs, and these; at the end what is left without."""
    source = ""
    for cell in cells:
        if cell.cell_type == "code":
            source = f"{source}\n\n{cell.source}".strip()
            if cell.outputs:
                yield source, cell.outputs
                source = ""
    if source:
        yield source, []


def adopt_orphans():
    """Makes processes whose parent ends children of this one (Linux only)."""
    if sys.platform == "linux":
        PR_SET_CHILD_SUBREAPER = 36
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_group(group):
    """Ends what is left of the kernel's process group, and waits for its end.

    A kernel that is told to stop interrupts the program of its cell, but ends
    without waiting for it, so that the program can outlive it.
    """
    try:
        os.killpg(group, signal.SIGKILL)
        while True:
            os.waitpid(-group, 0)
    except (ProcessLookupError, ChildProcessError):
        pass  # nobody is left


def finish(notebook, stamp):
    """Takes out what was injected, and makes equal runs equal files."""
    notebook.cells = [c for c in notebook.cells if "injected" not in c.metadata]
    seen = {}
    for count, cell in enumerate(c for c in notebook.cells if c.cell_type == "code"):
        cell.execution_count = count + 1
    for cell in notebook.cells:
        name = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        seen[name] = seen.get(name, 0) + 1
        cell.id = name if seen[name] == 1 else f"{name}-{seen[name]}"
        for output in cell.get("outputs", []):
            if output.output_type == "execute_result":
                output.execution_count = cell.execution_count
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"], "language_info": LANGUAGE,
                         "vaefolio": {**notebook.metadata.get("vaefolio", {}), **stamp}}
    notebook.nbformat, notebook.nbformat_minor = 4, 5


def main():
    def stop(number, frame):
        for ending in (signal.SIGINT, signal.SIGTERM):
            signal.signal(ending, signal.SIG_IGN)  # once is enough: the kernel is being ended
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    adopt_orphans()
    job = json.load(sys.stdin)
    try:
        notebook = jupytext.read(job["source"], fmt="md")
        values = other_parameters(notebook, job["small"], job["set"])
        if values:
            cell, position = parameters_cell(notebook, values)
            notebook.cells.insert(position, cell)
        if job["saved"]:
            take_over(notebook, nbformat.read(job["saved"], as_version=4))
        else:
            if job["solutions"] is not None:
                solve(notebook, job["solutions"])
            execute(notebook, job["folder"], job["timeout"], job["sections"])
            if job["solutions"] is not None:
                judge(notebook, job["solutions"])
        finish(notebook, job["stamp"] | ({"parameters": values} if values else {}))
        nbformat.validate(notebook)
        say(event="done", notebook=nbformat.writes(notebook) + "\n")
    except Fault as fault:
        say(event="failed", cell=fault.cell, text=str(fault))
    except KeyboardInterrupt:
        say(event="interrupted")


main()
