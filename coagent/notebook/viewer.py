"""`view(thing)`: a run to step through in a notebook, with a static picture beside it and a page to save.

Holds the run's layout and answers the page; everything shown comes from the replay. The widget's libraries are imported
only when it is shown, and are the extra `notebooks`.
"""

import threading
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from checker.verdict import Verdict
from coagent.bad_input import BadInput
from coagent.history import History, Record
from coagent.notebook import comparison, source
from coagent.notebook.document import document
from coagent.notebook.drawing import picture
from coagent.notebook.frame import Span
from coagent.notebook.graph import Graph, graph
from coagent.notebook.replay import Replay, replay
from coagent.notebook.scene import judged, problem, scene
from coagent.notebook.source import Source

AT_ONCE = 1_500
"""Operations up to which a run is judged when it is opened; a longer one when somebody asks."""


def view(thing: object, other: object = None, *, step: int | None = None, closely: Span | None = None) -> "StepperView":
    """A view of a run, at a step (None: the first).

    `thing` is the path of a recorded history, a History, an Outcome or Ran, a Setting (then the reader makes every
    choice), a Stepper, a World, or a counterexample of the testing kit (its Witness or Report). `other` is a second run
    to set beside it. `closely` are the seconds (from, to) that are shown event by event in a run so long that it is
    aggregated. What is no run is shown as a sentence that says why; nothing is raised.
    """
    return StepperView(thing, other, step=step, closely=closely)


class StepperView:
    """A run being looked at. All of it may be called from any thread."""

    def __init__(
        self, thing: object, other: object = None, *, step: int | None = None, closely: Span | None = None
    ) -> None:
        self._closely = closely
        self._lock = threading.RLock()
        self._widget = None
        self._run: Source | None = None
        self._other: Source | None = None
        self._replay: Replay | None = None
        self._judged: tuple[Verdict, Graph] | None = None
        self._refused = ""
        self._problem = ""
        self._step = step or 0
        try:
            self._run = source.source(thing)
            self._other = None if other is None else source.source(other)
            self._fold()
        except BadInput as error:
            self._problem = str(error)
        self._scene = self._made()

    # what a notebook asks

    @property
    def problem(self) -> str:
        """Why there is nothing to show, in a sentence; empty when there is."""
        return self._problem

    @property
    def replay(self) -> Replay:
        """The run by steps. Raises BadInput where there is none."""
        if self._replay is None:
            raise BadInput(self._problem)
        return self._replay

    @property
    def history(self) -> History:
        """The history of the run shown, forks and all."""
        return self.replay.history

    @property
    def schedule(self) -> tuple[int, ...]:
        """The choices of the run shown; empty where they are not known."""
        return self._run.schedule if self._run else ()

    @property
    def step(self) -> int:
        """The step shown."""
        return self._widget.step if self._widget is not None else self._step

    @step.setter
    def step(self, step: int) -> None:
        with self._lock:
            self._step = max(0, min(step, len(self._replay or ()) - 1)) if self._replay else 0
            if self._widget is not None:
                self._widget.step = self._step

    def verdict(self) -> Verdict:
        """The checker's verdict on the run shown, from what its protocol promises; judged once."""
        with self._lock:
            return self._judgement()[0]

    def compare(self, other: object) -> "StepperView":
        """Set another run beside this one. Raises BadInput for what is no run."""
        with self._lock:
            self._other = source.source(other)
            self._show()
        return self

    def extend(self, records: Iterable[Record]) -> None:
        """More of a run that is still going on: records that follow those there are.

        A background task calls this; the reader's step stays where it is, or at the end if it was there.
        """
        with self._lock:
            history = self.replay.history
            self._run = Source(history=replace(history, records=(*history.records, *records)))
            at_end = self.step >= len(self._replay) - 1
            self._fold()
            self._show(len(self._replay) - 1 if at_end else None)

    def save(self, path: str | Path) -> Path:
        """Write one page that needs no network and no kernel, with the same stepping. Returns where it is."""
        with self._lock:
            if self._replay is not None:
                self._judgement()
            path = Path(path)
            path.write_text(document(self._made()), encoding="utf-8")
        return path

    def svg(self) -> str:
        """The static picture."""
        with self._lock:
            if self._replay is None:
                return _sentence(self._problem)
            found = self._judged or (None, None)
            return picture(self._replay, *found)

    def _repr_mimebundle_(self, **more: object) -> dict[str, object]:
        bundle = {"text/plain": repr(self), "image/svg+xml": self.svg()}
        try:
            shown = self.widget._repr_mimebundle_()
        except BadInput:
            return bundle
        data = shown[0] if isinstance(shown, tuple) else shown
        return {**bundle, **{kind: value for kind, value in (data or {}).items() if kind != "text/plain"}}

    def __repr__(self) -> str:
        if self._replay is None:
            return f"nothing to step through: {self._problem}"
        header = self._replay.history.header
        return f"{header['workload']} under {header['protocol']}: {len(self._replay):,} steps"

    @property
    def widget(self) -> object:
        """The widget itself, made when first asked for. Raises BadInput where its libraries are missing."""
        with self._lock:
            if self._widget is None:
                from coagent.notebook.widget import made

                self._widget = made(self._scene, self._step, self._answer)
            return self._widget

    # what the page asks

    def _answer(self, message: object) -> None:
        """Do what the page asks for; what cannot be done is said there, in a sentence."""
        with self._lock:
            self._refused = ""
            try:
                self._do(message)
            except BadInput as error:
                self._refused = str(error)
                self._show()

    def _do(self, message: object) -> None:
        match message:
            case {"do": "verdict"}:
                self._judgement()
                self._show()
            case {"do": "alone"}:
                self._other = None
                self._show()
            case {"do": "take", "after": int(after), "choice": int(choice)} if 0 <= after < len(self._run.worlds):
                if after < len(self._run.schedule) and self._run.schedule[after] == choice:
                    self._show(self._step_of(after + 1))
                else:
                    self._forked(source.take(self._run, after, choice), after)
            case {"do": "finish", "after": int(after)} if 0 <= after < len(self._run.worlds):
                self._forked(source.finish(self._run, after), after)
            case {"do": "follow", "schedule": str(schedule)}:
                self._forked(source.follow(self._run, schedule), None)

    def _forked(self, run: Source, after: int | None) -> None:
        """Show another run of the same setting; the old one stays beside it, unless it only went less far."""
        old = self._run
        if run.schedule == old.schedule:
            self._show()
            return
        if run.schedule[: len(old.schedule)] != old.schedule:
            self._other = old
        shared = next(
            (at for at, pair in enumerate(zip(old.schedule, run.schedule, strict=False)) if pair[0] != pair[1]),
            min(len(old.schedule), len(run.schedule)),
        )
        self._run = run
        self._fold()
        self._show(self._step_of((shared if after is None else after) + 1))

    def _step_of(self, choices: int) -> int:
        """The last step of the records that were there after so many choices."""
        count = self._run.worlds[min(choices, len(self._run.worlds) - 1)].recorder.count
        frames = self._replay.frames
        return max((at for at, one in enumerate(frames) if one.first < count), default=0)

    # what is held

    def _fold(self) -> None:
        self._replay = replay(self._run.history, self._run.breaks, closely=self._closely)
        self._judged = None
        if self._replay.operations <= AT_ONCE and self._run.history.end["event"] == "end":
            self._judgement()

    def _judgement(self) -> tuple[Verdict, Graph]:
        if self._run is None or self._replay is None:
            raise BadInput(self._problem)
        if self._judged is None:
            self._judged = _judge(self._run)
        return self._judged

    def _show(self, step: int | None = None) -> None:
        self._scene = self._made()
        if step is not None:
            self._step = step
        if self._widget is not None:
            with self._widget.hold_sync():
                self._widget.scene = self._scene
                if step is not None:
                    self._widget.step = step

    def _made(self) -> dict[str, object]:
        if self._replay is None:
            return problem(self._problem)
        made = scene(self._replay)
        made["verdict"] = judged(*self._judged) if self._judged else None
        made["choices"] = _choices(self._run, self._replay)
        made["refused"] = self._refused
        if self._other is not None:
            made |= self._beside()
        return made

    def _beside(self) -> dict[str, object]:
        there = replay(self._other.history, self._other.breaks)
        words = tuple(one.verdict().verdict for one in (self, StepperView(self._other)))
        other = scene(there)
        drawn = ("agents", "at", "stretches", "marks", "arrows", "jumps")
        found = {"other": {**{key: other[key] for key in drawn}, "title": f"beside it: {comparison.name(there)}"}}
        found["compare"] = comparison.compared(self._replay, there, words)
        parts = comparison.parting(self._replay, there)
        return found if parts is None else {**found, "parts": parts}


def _judge(run: Source) -> tuple[Verdict, Graph]:
    """The verdict on a run, with its programs run again where they are at hand, and its graph."""
    from checker.notified import check_history
    from coagent.stepper import rerun

    again = rerun(run.setting.workload) if run.setting is not None else None
    verdict = check_history(run.history, order=run.history.header["order"], rerun=again)
    return verdict, graph(run.history, verdict)


def _choices(run: Source, shown: Replay) -> dict[str, object] | None:
    """What was open after each number of choices, and the step from which that many had been taken."""
    if not run.worlds or shown.each > 1:
        return None
    counts = [one.recorder.count for one in run.worlds]
    ends = [frame.last for frame in shown.frames]
    at, step = [], 0
    for count in counts:
        while step < len(ends) - 1 and ends[step] < count:
            step += 1
        at.append(step)
    open_ = [[source.said(choice, world) for choice in world.choices()] for world in run.worlds]
    return {"at": at, "open": open_, "schedule": list(run.schedule)}


def _sentence(words: str) -> str:
    from html import escape

    size = 'width="760" height="40" viewBox="0 0 760 40"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}><text x="8" y="24" font-size="13">{escape(words)}</text></svg>'
    )
