"""Values inside of prompts: as JSON between marks that no value can contain, so that a value cannot speak.

A text that holds instructions, or even the marks themselves, stays a string between quotation marks, on one line.
"""

import json
import unicodedata
from collections.abc import Mapping

from coagent.operation import Call, Result

BEGIN, END = "<runtime-data>", "</runtime-data>"
"""Between these is data from the runtime, and nowhere else; values have no angle brackets, nor what looks like them."""


def quoted(found: object) -> str:
    """JSON on one line, of which a reader sees every character: brackets of marks, controls, invisible and unassigned
    characters and halves of surrogate pairs are written as `\\uXXXX`. `json.loads` gives the value back."""
    return "".join(map(_shown, json.dumps(found, ensure_ascii=False, allow_nan=False)))


def _shown(char: str) -> str:
    if char.isascii() and char.isprintable() and char not in "<>":
        return char
    if char.isprintable() and not set("<>") & set(unicodedata.normalize("NFKD", char)):
        return char
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def data(found: Mapping[str, object]) -> str:
    """A value between the marks."""
    return f"{BEGIN}\n{quoted(found)}\n{END}"


def shown_call(call: Call) -> dict[str, object]:
    """A call as prompts show it."""
    return {"tool": call.tool, "arguments": dict(call.args)}


def shown_result(result: Result | None) -> dict[str, object] | None:
    """A result as prompts show it; None where there is none."""
    return None if result is None else {"status": result.status, "value": result.value}
