"""Paths as a scenario writes them, with `{name}` where a bound value goes, and what may be a path or a name at all.

Knows the names bound so far, never what a path holds.
"""

import keyword
import re
from dataclasses import dataclass, field

from coagent.arithmetic import FUNCTIONS, MAX_CHARACTERS, WORDS, EvaluationError, Names, bound, kind
from coagent.bad_input import BadInput
from coagent.placed_json import brief


@dataclass(frozen=True, slots=True)
class PathTemplate:
    """A path as written, with `{name}` where a bound value goes; `parts` alternate between text and name."""

    source: str
    parts: tuple[str, ...] = field(compare=False, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The names it takes, sorted."""
        return tuple(sorted(set(self.parts[1::2])))

    def fill(self, names: Names) -> str:
        """The path with integers and strings put in. Raises EvaluationError when that gives no path."""
        if len(self.parts) == 1:
            return self.source
        pieces = list(self.parts)
        for place in range(1, len(pieces), 2):
            pieces[place] = self._piece(pieces[place], names)
        path = "".join(pieces)
        if problem := path_problem(path):
            raise EvaluationError(f"the path {brief(self.source)} cannot be formed: it {problem}")
        return path

    def _piece(self, name: str, names: Names) -> str:
        try:
            value = bound(name, names)
        except EvaluationError as error:
            raise EvaluationError(f"the path {brief(self.source)} cannot be formed: {error}") from None
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str) or not value or value[0] == "/" or value[-1] == "/":
            what = "a string with a slash at an end" if isinstance(value, str) and value else kind(value)
            raise EvaluationError(f"the path {brief(self.source)} cannot be formed: {name!r} is {what}")
        return value


def parse_path(source: str, where: str = "") -> PathTemplate:
    """The path template. Raises BadInput for what can be no path whatever the names are bound to."""
    parts = tuple(re.split(r"\{([^{}]*)\}", source))
    problem = path_problem("x".join(parts[0::2]))
    if any("{" in text or "}" in text for text in parts[0::2]):
        problem = "has a brace without its partner; a bound value is put in as {name}"
    for name in parts[1::2]:
        if bad := name_problem(name):
            problem = f"puts in {{{name}}}, and {name!r} {bad}"
    if problem:
        raise BadInput(f"the path {brief(source)} {problem}", where)
    return PathTemplate(source, parts)


def path_problem(path: str) -> str:
    """What keeps this from being a path, or nothing."""
    if not path:
        return "is empty; name what it is about, as in stock/apples"
    if path[0] == "/" or path[-1] == "/" or "//" in path:
        return "has a slash too many; paths look like stock/apples"
    if len(path) > MAX_CHARACTERS:
        return f"has {len(path):,} characters and may have {MAX_CHARACTERS:,}; shorten it"
    return ""


def name_problem(name: object) -> str:
    """What keeps this from being the name of a bound value, or nothing."""
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        return "is no name; use letters, digits and _, and a letter or _ first"
    if keyword.iskeyword(name) or name in WORDS or name in FUNCTIONS:
        return "means something in expressions already; choose another name"
    return ""
