"""Lets papermill give parameters to Go notebooks, those of the GoNB kernel.

Papermill has no translator for Go. It loads the engines of installed packages when it
starts, and this one brings the translator with it:

    pip install papermill ./python/papermill-go
    papermill -p rows 600 -p seed 'uint64(2)' -p lookbacks '[]int{60, 120}' in.ipynb out.ipynb

A number, a text, true or false and a list of one of them become what they are in Go. A
text that is itself a conversion or a composite, such as uint64(2) or []int{60, 120}, is
taken as Go. The declarations replace those of the cell tagged parameters.
"""

import re

from papermill.engines import NBClientEngine
from papermill.exceptions import PapermillException
from papermill.translators import Translator, papermill_translators

GO = re.compile(r"\w+\([^()]*\)|\[\]\w+\{.*\}", re.DOTALL)
TYPES = {bool: "bool", int: "int", float: "float64", str: "string"}


class GoTranslator(Translator):
    """Writes parameters as declarations of Go.

    >>> print(GoTranslator.codify({"rows": 600, "beta": 1.0, "prices": 'a"b', "on": True, "seed": "uint64(2)",
    ...                            "lookbacks": [60, 120]}))
    // Parameters
    var rows = 600
    var beta = 1.0
    var prices = "a\\"b"
    var on = true
    var seed = uint64(2)
    var lookbacks = []int{60, 120}
    <BLANKLINE>
    """

    @classmethod
    def translate_escaped_str(cls, value):
        if GO.fullmatch(value):
            return value
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'

    @classmethod
    def translate_none(cls, value):
        raise PapermillException("None has no counterpart in Go: leave the parameter out")

    @classmethod
    def translate_bool(cls, value):
        return "true" if value else "false"

    @classmethod
    def translate_dict(cls, value):
        raise PapermillException("a map is no parameter of a Go notebook: give it as text, in Go")

    @classmethod
    def translate_list(cls, value):
        kinds = {type(v) for v in value}
        if kinds == {int, float}:
            kinds = {float}
        if len(kinds) != 1 or not kinds <= TYPES.keys():
            raise PapermillException(f"{value} is no list of one kind of numbers, texts or truths: give it as text, in Go")
        return f"[]{TYPES[kinds.pop()]}{{{', '.join(cls.translate(v) for v in value)}}}"

    @classmethod
    def comment(cls, text):
        return f"// {text}"

    @classmethod
    def assign(cls, name, value):
        return f"var {name} = {value}"


papermill_translators.register("go", GoTranslator)


class GoEngine(NBClientEngine):
    """Papermill's usual engine: what matters is that this module is loaded."""
