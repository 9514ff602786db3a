"""An event loop on virtual time: when nothing is ready, the clock jumps to the next timer and nobody sleeps.

Same program, same order, same times, whatever the hash seed: for rehearsals, benchmarks and tests of what runs on
asyncio. Only `loop.time()` is virtual, and what is built on it (sleep, timeout, call_later); `time.time()` is not.
What is real takes no virtual time itself, and keeps the clock as follows.

- A job in a thread (`asyncio.to_thread`, `run_in_executor`) holds the clock until it ends. Answers are taken when
  nothing else is ready, in the order in which the jobs were given, so that the order does not hang on how fast threads
  are; when nothing has come for ORDER_S, one that has ended overtakes those before it.
- A process that the loop started holds the clock until it ends. Servers are therefore started by somebody else.
- Sockets and pipes do not hold it, or a listening server would stop the clock for ever: while any is registered, the
  loop polls for real for `grace_s` before each jump. What answers later than that is late in virtual time too.
- When nothing can happen but what is real, it is waited for, `patience_s` at most.
"""

import asyncio
import heapq
import math
import selectors
import time
from collections.abc import Coroutine
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass

ORDER_S = 0.05
"""Real seconds for which a job that has ended waits for those given before it."""

GRACE_S = 0.02
"""Real seconds that the other end of a socket or pipe has to answer before the clock jumps."""

PATIENCE_S = 300.0
"""Real seconds for which nothing but what is real is waited for."""


class Deadlock(RuntimeError):
    """Nothing is left to happen: every task waits, and no timer is set. The message names them and where they wait."""


class TimeIsUp(TimeoutError):
    """The next thing to happen lies after the time until which the run was to go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long what is real is waited for, in real seconds; see the module."""

    grace_s: float = GRACE_S
    patience_s: float = PATIENCE_S


def run(coroutine: Coroutine, *, until: float | None = None, pace: Pace = Pace()) -> object:
    """As `asyncio.run`, on virtual time that starts at 0; gives what the coroutine returns, raises what it raises.

    Raises Deadlock when nothing is left to happen, and TimeIsUp when something is, but after `until` (virtual seconds;
    what is due at `until` itself still happens). Tasks that are left are cancelled, in the order of their making.
    """
    loop = VirtualLoop(until=until, pace=pace)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        try:
            return runner.run(coroutine)
        finally:
            loop.end_tasks()


class _Numbered:
    """A hash that is a number in order of making; addresses would let the order in sets differ from run to run."""

    def __hash__(self) -> int:
        return self.number


class _Task(_Numbered, asyncio.Task):
    def __init__(self, number: int, *args: object, **more: object) -> None:
        # Making it puts it into a set already.
        self.number = number
        super().__init__(*args, **more)


class _Future(_Numbered, asyncio.Future):
    def __init__(self, number: int, *, loop: asyncio.AbstractEventLoop) -> None:
        self.number = number
        super().__init__(loop=loop)


class _Timer(asyncio.TimerHandle):
    """A timer that comes after those of the same time that were set before it; a heap alone keeps no such order."""

    __slots__ = ("number",)

    def __lt__(self, other: "_Timer") -> bool:
        return (self._when, self.number) < (other._when, other.number)


class _Selector(selectors.DefaultSelector):
    """The usual selector, but for how it waits: see `VirtualLoop.waited`."""

    loop: "VirtualLoop | None" = None

    def select(self, timeout: float | None = None) -> list:
        ready = super().select(0)
        if ready or self.loop is None or (timeout is not None and timeout <= 0):
            return ready
        return self.loop.waited(super().select)


class VirtualLoop(asyncio.SelectorEventLoop):
    """The event loop of `run`, for whoever has to make it; once."""

    def __init__(self, *, until: float | None = None, pace: Pace = Pace()) -> None:
        self._now = 0.0
        self._until, self._pace = until, pace
        self._made = 0
        self._jobs: dict[asyncio.Future, Future] = {}
        self._processes: list[asyncio.SubprocessTransport] = []
        self._threads = 0
        self._virtual = _Selector()
        super().__init__(self._virtual)
        self._own = len(self._virtual.get_map())
        self._virtual.loop = self
        # Timers run when they are due before now and this much; here that is now, and nothing after it.
        self._clock_resolution = math.ulp(self._now)
        self.set_task_factory(_made_task)

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now

    def numbered(self) -> int:
        """The next number."""
        self._made += 1
        return self._made

    def create_task(self, coroutine: Coroutine, *, name: str | None = None, **more: object) -> asyncio.Task:
        """As usual; a task without a name is numbered in this loop, not in the whole process."""
        return super().create_task(coroutine, name=name or f"Task-{self._made + 1}", **more)

    def create_future(self) -> asyncio.Future:
        """A future that sorts in sets as it was made."""
        return _Future(self.numbered(), loop=self)

    def call_at(self, when: float, callback: object, *args: object, context: object = None) -> asyncio.TimerHandle:
        """As usual, but that timers of one time run in the order in which they were set."""
        self._check_closed()
        timer = _Timer(when, callback, args, self, context)
        timer.number = self.numbered()
        heapq.heappush(self._scheduled, timer)
        timer._scheduled = True
        return timer

    def run_in_executor(self, executor: Executor | None, func: object, *args: object) -> asyncio.Future:
        """A job for a thread, which holds the clock until it ends, also when nobody waits for it any more."""
        self._check_closed()
        if executor is None:
            if self._default_executor is None:
                self.set_default_executor(ThreadPoolExecutor(thread_name_prefix="virtual"))
            executor = self._default_executor
        answer, job = self.create_future(), executor.submit(func, *args)
        self._jobs[answer] = job
        answer.add_done_callback(lambda one: job.cancel() if one.cancelled() else None)
        job.add_done_callback(lambda _: self._woken())
        return answer

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Waits for the threads, for real, however long: a time-out here would be virtual, and over at once."""
        with self._held():
            await super().shutdown_default_executor()

    async def subprocess_exec(self, *args: object, **more: object) -> tuple:
        """As usual; the process holds the clock until it ends."""
        return self._started(await super().subprocess_exec(*args, **more))

    async def subprocess_shell(self, *args: object, **more: object) -> tuple:
        """As usual; the process holds the clock until it ends."""
        return self._started(await super().subprocess_shell(*args, **more))

    def waited(self, poll: object) -> list:
        """What is ready after something has come to be, nothing else being ready: something real, or time passed."""
        began = time.monotonic()
        while (left := self._pace.patience_s - (time.monotonic() - began)) > 0:
            due, held = self._due(), self._holders()
            if self._answered(late=time.monotonic() - began >= ORDER_S):
                return []
            real = held or len(self._virtual.get_map()) > self._own
            if due is not None and not held:
                ready = poll(self._pace.grace_s) if real else []
                if not ready:
                    self._advance(due)
                return ready
            if not real:
                raise Deadlock(f"nothing is left to happen at {self._now:g} s: {self._waiting()}")
            if ready := poll(min(left, ORDER_S)):
                return ready
        what = ", ".join(self._holders()) or "sockets or pipes"
        raise Deadlock(f"nothing has come for {self._pace.patience_s:g} real s of {what}: {self._waiting()}")

    def end_tasks(self) -> None:
        """Cancel what is left, in the order of its making, and let it end. What `until` was is no matter then."""
        self._until = None
        left = sorted(asyncio.all_tasks(self), key=hash)
        for task in left:
            task.cancel()
        if left:
            self.run_until_complete(asyncio.gather(*left, return_exceptions=True))

    def _due(self) -> float | None:
        """When the next timer is; None without any, or when there is none but for the end of all time."""
        when = self._scheduled[0].when() if self._scheduled else math.inf
        return None if when == math.inf else when

    def _advance(self, due: float) -> None:
        if self._until is not None and due > self._until:
            until, self._until = self._until, None
            raise TimeIsUp(f"the run was to go until {until:g} s, and what comes next is due at {due:g} s")
        self._now = max(self._now, due)
        self._clock_resolution = math.ulp(self._now)

    def _answered(self, *, late: bool) -> bool:
        """Take the answer of the job that was given first, once it has ended, or (`late`) of any; False: none has."""
        for answer, job in self._jobs.items():
            if job.done():
                del self._jobs[answer]
                _settle(answer, job)
                return True
            if not late:
                break
        return False

    def _holders(self) -> list[str]:
        """What holds the clock, in words."""
        self._processes = [one for one in self._processes if one.get_returncode() is None]
        jobs, threads = len(self._jobs), self._threads
        said = [f"{jobs} thread job{'s' * (jobs > 1)}"] * bool(jobs) + ["the threads' end"] * bool(threads)
        return said + [f"process {one.get_pid()}" for one in self._processes]

    def _started(self, made: tuple) -> tuple:
        self._processes.append(made[0])
        return made

    def _woken(self) -> None:
        # A job in somebody else's executor may outlive the loop.
        with suppress(RuntimeError):
            self.call_soon_threadsafe(lambda: None)

    @contextmanager
    def _held(self) -> object:
        self._threads += 1
        try:
            yield
        finally:
            self._threads -= 1

    def _waiting(self) -> str:
        tasks = sorted(asyncio.all_tasks(self), key=hash)
        return "; ".join(map(_place, tasks)) or "no task is left"


def _made_task(loop: VirtualLoop, coroutine: Coroutine, **more: object) -> asyncio.Task:
    return _Task(loop.numbered(), coroutine, loop=loop, **more)


def _settle(answer: asyncio.Future, job: Future) -> None:
    if answer.done():
        return
    if job.cancelled():
        answer.cancel()
    elif isinstance(error := job.exception(), StopIteration):
        # A future may not raise it: in a coroutine it would mean something else.
        answer.set_exception(RuntimeError(f"the job raised {error!r}"))
    elif error is not None:
        answer.set_exception(error)
    else:
        answer.set_result(job.result())


def _place(task: asyncio.Task) -> str:
    """A task's name, and where it waits."""
    here = task.get_coro()
    what = getattr(here, "__qualname__", type(here).__name__)
    # What it awaits awaits something else in turn; the last of them that has a line is where it waits.
    line = None
    while frame := getattr(here, "cr_frame", None):
        line = f"{frame.f_code.co_filename}:{frame.f_lineno}"
        here = here.cr_await
    return f"{task.get_name()} ({what}) waits" + (f" at {line}" if line else "")
