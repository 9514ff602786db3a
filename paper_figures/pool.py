"""Does tasks in processes of their own, for figures whose runs are no trials of workloads known by name.

Answers come in the order of the tasks, and each depends on its task alone: the number of workers changes nothing.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

Task, Answer = TypeVar("Task"), TypeVar("Answer")


def mapped(function: Callable[[Task], Answer], tasks: Sequence[Task], workers: int) -> list[Answer]:
    """The answer to each task. `function` has to be importable by name when there is more than one worker."""
    if workers == 1 or len(tasks) < 2:
        return [function(task) for task in tasks]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return list(pool.map(function, tasks, chunksize=max(1, len(tasks) // (16 * workers))))
