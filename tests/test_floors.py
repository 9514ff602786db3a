"""Imports only go down, the checker knows nothing but the words, and `import coagent` stays light."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

FLOORS = (
    (
        "operation",
        "argument_schema",
        "path",
        "change",
        "tool",
        "event",
        "event_json",
        "effect",
        "history",
        "column",
        "table",
        "table_check",
        "compaction",
        "expansion",
        "packed",
        "bad_input",
        "field_kind",
        "record_check",
        "palette",
    ),
    ("protocols",),
    (
        "scenario",
        "script",
        "program",
        "expression",
        "arithmetic",
        "path_template",
        "placed_json",
        "actor",
        "judge",
        "inference",
        "performer",
        "workload",
        "store",
        "fork",
        "recording",
        "world",
        "crank",
        "flights",
    ),
    (
        "simulate",
        "explore",
        "state_space",
        "reduction",
        "canonical",
        "part",
        "symmetry",
        "liveness",
        "stepper",
        "ranking",
        "live",
    ),
    (
        "cli",
        "__main__",
        "naming",
        "running",
        "saving",
        "lanes",
        "exploring",
        "exporting",
        "checking",
        "listing",
        "screen",
        "compare",
        "exposure",
        "ground",
        "executor",
        "provenance",
        "trial_command",
        "trial",
        "relevance",
        "sweep",
        "bench",
        "schema",
        "testing",
        "proving",
        "notebook",
        "tracking",
        "claim",
        "living",
        "run_command",
        "model_option",
        "measured",
        "driven_screen",
        "driven",
        "live_screen",
        "live_command",
        "recovering",
        "state_graph",
        "lab",
        "lab_command",
        "spectator",
        "telling",
    ),
)
"""The modules of `coagent` by floor; `checker` is beside floor 1, `workloads` is on the top floor."""

FLOOR = {name: floor for floor, names in enumerate(FLOORS) for name in names}
TOP = len(FLOORS) - 1
FILES = sorted(
    file.relative_to(ROOT) for folder in ("coagent", "checker", "workloads") for file in (ROOT / folder).rglob("*.py")
)
JUDGES = ("coagent/stepper.py",)
"""Who below the top floor may ask the checker."""


def imported(file: Path) -> Iterator[str]:
    """Every module that a file imports, anywhere in it, with dots; `from a import b` may mean either `a` or `a.b`."""
    for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from (one.name for one in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                yield from (f"{module}.{one.name}" if is_module(f"{module}.{one.name}") else module for one in names)
            case ast.ImportFrom():
                raise AssertionError(f"{file}:{node.lineno} imports relatively; write the whole name")


def is_module(dotted: str) -> bool:
    place = ROOT / dotted.replace(".", "/")
    return place.with_suffix(".py").is_file() or (place / "__init__.py").is_file()


def floor_of(dotted: str) -> int | None:
    """The floor of a module of the project, or None for other people's."""
    match dotted.split("."):
        case ["coagent"]:
            return 0
        case ["coagent", name, *_]:
            return FLOOR[name]
        case ["workloads", *_]:
            return TOP
        case _:
            return None


def dotted(file: Path) -> str:
    return ".".join(file.with_suffix("").parts).removesuffix(".__init__")


def test_every_module_has_a_floor():
    names = {dotted(file).split(".")[1] for file in FILES if file.parts[0] == "coagent" and file.name != "__init__.py"}
    assert names <= set(FLOOR), f"give {sorted(names - set(FLOOR))} a floor"
    assert set(FLOOR) <= names, f"there is no {sorted(set(FLOOR) - names)}"


@pytest.mark.parametrize("file", [file for file in FILES if file.parts[0] == "coagent"], ids=str)
def test_imports_only_go_down(file):
    here = floor_of(dotted(file))
    up = [name for name in imported(file) if (floor_of(name) or 0) > here]
    assert not up, f"{file} is on floor {here} and imports {up}"


@pytest.mark.parametrize("file", [file for file in FILES if file.parts[0] == "checker"], ids=str)
def test_checker_imports_words_only(file):
    own = [name for name in imported(file) if name.split(".")[0] in ("coagent", "workloads")]
    assert all(floor_of(name) == 0 and name != "coagent" for name in own), own


def test_only_the_top_floor_and_the_stepper_ask_the_checker():
    asking = {str(file) for file in FILES for name in imported(file) if name.split(".")[0] == "checker"}
    low = {one for one in asking if one.startswith("coagent/") and floor_of(dotted(Path(one))) < TOP}
    assert low == set(JUDGES)


@pytest.mark.parametrize("name", ["coagent", "coagent.simulate", "coagent.explore", "coagent.stepper"])
def test_import_stays_light(name):
    program = f"import sys, {name}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = {one.split(".")[0] for one in done.stdout.split()}
    assert "coagent" in loaded
    assert not loaded & {"networkx", "typer", "rich", "polars", "numpy", "z3", "checker", "jsonschema"}
