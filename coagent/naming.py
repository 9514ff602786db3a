"""Finds what a command line names: a scenario or workload, a protocol (also a user's own file), a schedule.

Everything it cannot find is a BadInput; it runs nothing.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import ModuleType

from coagent import protocols
from coagent.bad_input import BadInput
from coagent.protocols.guard import Guard
from coagent.scenario import load_scenario_file
from coagent.workload import Workload, from_scenario
from workloads import GENERATED, workload

SCHEDULES = ("clock", "random", "pct")


def target(name: str, agents: int | None = None, irrelevant: bool | None = None, tables: str = GENERATED) -> Workload:
    """The workload that an argument names: a scenario file (a path, or anything that ends in .json) or a name.

    `agents` is for families, `irrelevant` for cells and families, `tables` for the office's. Raises BadInput.
    """
    if not is_file(name):
        return workload(name, agents=agents, irrelevant=irrelevant, tables=tables)
    if irrelevant:
        raise BadInput("a scenario file has no irrelevant write to add; write it into the file's steps", name)
    if agents is not None:
        raise BadInput("a scenario file lists its agents; leave --agents out, or name a family of workloads", name)
    return from_scenario(load_scenario_file(name))


def is_file(name: str) -> bool:
    """Whether an argument means a file: it ends in .json, has a slash, or is the name of one."""
    return name.endswith(".json") or "/" in name or Path(name).is_file()


def protocol(name: str) -> object:
    """The protocol of that name, or a user's own as `file.py:Name`. Raises BadInput."""
    return _own(name) if is_own(name) else protocols.protocol(name)


def is_own(name: str) -> bool:
    """Whether a protocol's name means a user's file."""
    return ":" in name or name.endswith(".py")


@contextmanager
def blamed(name: str) -> Iterator[None]:
    """Turns what goes wrong inside into BadInput when the protocol is a user's own; its prints go to stderr."""
    if not is_own(name):
        yield
        return
    file = name.rpartition(":")[0] or name
    try:
        with redirect_stdout(sys.stderr):
            yield
    except (BadInput, BrokenPipeError):
        raise
    except (Exception, SystemExit) as error:
        raise BadInput(f"the protocol failed with {_named(error)}", _place(error, file)) from error


def schedule(text: str | None, own: tuple[int, ...] | None = None) -> str | tuple[int, ...]:
    """What `--schedule` means: `clock`, `random` or indexes; without it `own`, the scenario's, or the clock."""
    if text is None:
        return "clock" if own is None else own
    if text in SCHEDULES:
        return text
    words = [word.strip() for word in text.split(",")]
    for place, word in enumerate(words):
        if not (word.isascii() and word.isdigit() and len(word) < 10):
            raise BadInput(
                f"--schedule is {text!r}, and {word!r} at index {place} is no choice; "
                "give clock, random, pct, or indexes that count up from 0, like 0,2,1"
            )
    return tuple(int(word) for word in words)


def _own(name: str) -> Guard:
    file, colon, thing = name.rpartition(":")
    if not colon or not thing.isidentifier():
        raise BadInput(f"--protocol {name} names no protocol in the file; write file.py:Name", file or name)
    module = _executed(file)
    if not hasattr(module, thing):
        known = sorted(key for key, value in vars(module).items() if callable(getattr(value, "step", None)))
        hint = f"it has {', '.join(known)}" if known else "it has nothing with a step() at all"
        raise BadInput(f"the file defines no {thing!r}; {hint}", file)
    found = getattr(module, thing)
    with blamed(name):
        made = found() if isinstance(found, type) else found
    return Guard(_checked(made, thing, file), file)


def _executed(file: str) -> ModuleType:
    """The user's file as a module, run from its source so that nothing is written beside it."""
    path = Path(file)
    try:
        source = path.read_bytes()
    except FileNotFoundError:
        raise BadInput("there is no such file; check its name and the folder you are in", file) from None
    except (OSError, ValueError) as error:
        raise BadInput(f"cannot be read ({getattr(error, 'strerror', None) or error})", file) from None
    module = ModuleType("coagent_protocol_" + "".join(one if one.isalnum() else "_" for one in path.stem))
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    sys.path.insert(0, str(path.resolve().parent))
    try:
        with redirect_stdout(sys.stderr):
            exec(compile(source, str(path), "exec"), vars(module))
    except SyntaxError as error:
        raise BadInput(f"is not Python ({error.msg})", f"{file}:{error.lineno}") from None
    except (Exception, SystemExit) as error:
        raise BadInput(f"cannot be imported: {_named(error)}", _place(error, file)) from error
    finally:
        sys.path.pop(0)
    return module


def _checked(made: object, thing: str, file: str) -> object:
    """The user's protocol if it has the four things that the engine needs of one."""
    for name, test in (("name", _is_text), ("promises", _is_promise), ("start", callable), ("step", callable)):
        if not test(getattr(made, name, None)):
            raise BadInput(
                f"{thing!r} is no protocol, for want of a proper .{name}; a protocol has .name (a string), "
                ".promises ('declared' or 'any'), .start() and .step(run, event)",
                file,
            )
    return made


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_promise(value: object) -> bool:
    return value in ("declared", "any")


def _named(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _place(error: BaseException, file: str) -> str:
    """The deepest line of the user's file that the error came through."""
    found, trace = file, error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename == str(Path(file)):
            found = f"{file}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found
