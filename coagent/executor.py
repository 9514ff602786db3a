"""Hands parts of work to an executor and gives back what comes of each, as it comes.

Any `concurrent.futures.Executor` will do; some are known by name. Knows nothing of what the work is.
"""

import gc
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import active_children, get_context, parent_process
from threading import Thread, Timer
from typing import TypeVar

from coagent.bad_input import BadInput

Part, Done = TypeVar("Part"), TypeVar("Done")

CLEARING_S = 0.3
"""Seconds in which a worker that is told to end clears its temporary folders away."""


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def carried_out(
    work: Callable[[Part], Done], parts: Sequence[Part], *, executor: str | Executor = "process", workers: int = 1
) -> Iterator[tuple[int, Done]]:
    """Each part's index and what came of it, in the order in which they are finished.

    One worker process is this process. Whoever stops reading, or is interrupted, ends the workers. Raises BadInput
    for an executor that there is not, and what the work raises.
    """
    if executor == "process" and workers == 1:
        yield from ((index, work(part)) for index, part in enumerate(parts))
        return
    with opened(executor, workers) as pool:
        waiting = {pool.submit(work, part): index for index, part in enumerate(parts)}
        try:
            for future in as_completed(waiting):
                yield waiting.pop(future), future.result()
        finally:
            for future in waiting:
                future.cancel()


@contextmanager
def opened(executor: str | Executor, workers: int) -> Iterator[Executor]:
    """The executor of that name with so many workers, ended afterwards; one that was handed over stays as it is."""
    if isinstance(executor, Executor):
        yield executor
        return
    with _NAMED[executor](workers) if executor in _NAMED else _own(executor, workers) as pool:
        yield pool


@contextmanager
def _processes(workers: int) -> Iterator[Executor]:
    """Processes that begin afresh; cut off in the middle of their work when whoever asked for it has stopped."""
    before = set(active_children())
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_begun)
    try:
        yield pool
    except BaseException:
        for one in set(active_children()) - before:
            one.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _begun() -> None:
    """A worker leaves Ctrl-C to who started it, and ends when that is gone, however it went, or when it is told to.

    Its garbage is collected less often, since the cells of a checked history are many and go all at once: a quarter of
    such a trial was spent looking through what stays.
    """
    gc.set_threshold(50_000, 20, 100)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _told_to_end)
    Thread(target=_end_with_parent, daemon=True).start()


def _told_to_end(number: int, frame: object) -> None:
    """Leave the work under way by the door, so that it clears its temporary folders away; then end.

    The pool takes what is raised for the work's answer, and would have the worker go on with the next.
    """
    Timer(CLEARING_S, os._exit, (128 + number,)).start()
    raise SystemExit(128 + number)


def _end_with_parent() -> None:
    parent_process().join()
    os._exit(1)


@contextmanager
def _dask(workers: int) -> Iterator[Executor]:
    """Dask's workers: those of the scheduler that its configuration names (`DASK_SCHEDULER_ADDRESS`), else new ones."""
    try:
        dask, distributed = import_module("dask"), import_module("distributed")
    except ImportError:
        raise BadInput("--executor dask needs distributed, which is not installed; pip install '.[sweeps]'") from None
    there = dask.config.get("scheduler-address", None)
    new = {} if there else {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.Client(there, **new) as client, client.get_executor(pure=False) as pool:
        yield pool


@contextmanager
def _own(name: str, workers: int) -> Iterator[Executor]:
    """What `MODULE:NAME` gives when it is called as the executors of the standard library are."""
    module, colon, thing = name.partition(":")
    if not colon or not thing.isidentifier():
        known = ", ".join(_NAMED)
        raise BadInput(f"--executor is {name!r}; known are {known}, and your own as MODULE:NAME")
    try:
        made = getattr(import_module(module), thing)(max_workers=workers)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise BadInput(f"--executor {name} cannot be had: {error}") from error
    if not isinstance(made, Executor):
        raise BadInput(f"--executor {name} gives {type(made).__name__}, which is no concurrent.futures.Executor")
    with made as pool:
        yield pool


_NAMED: Mapping[str, Callable] = {
    "process": _processes,
    "thread": lambda workers: ThreadPoolExecutor(workers),
    "dask": _dask,
}
"""What makes each executor that has a name, given the number of workers."""
