"""What a live run knows of one agent, and the turns that its inferences begin with."""

from dataclasses import dataclass, field

from coagent.actor import Entry
from coagent.event import Event
from coagent.operation import Notice, Result

NO_USAGE = {"prompt_tokens": 0, "cached_tokens": 0, "output_tokens": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Why an agent may infer again, or will not: the answer to what it did last.

    `kind` is `started`, `result` (of `op`), `held` (what it asked for was not carried out: judge the notices first),
    `reopened` (the same, after its report), `restarted` (everything of its attempt was undone: begin again), and, as
    last words, `committed` and `gave-up`. `notices` are consumed with it; `because` says why an attempt ended. Turns
    are numbered from 1, by agent: what an inference comes to belongs to the turn that it began with.
    """

    kind: str
    op: str | None = None
    result: Result | None = None
    notices: tuple[Notice, ...] = ()
    because: str = ""
    attempt: int = 1
    number: int = 0

    @property
    def over(self) -> bool:
        """Whether these are the last words."""
        return self.kind in ("committed", "gave-up")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """What is known of an agent.

    `mode` is `ready` (may begin an inference), `inferring`, `waiting`, `resting` (reported) or `done`; `log` are its
    operations with what it was told; `turn` is what it infers on, `turns` counts them, `began` is the one that the
    attempt began with; `asked` is what it waits for; `counted` whether the tokens of its inference are recorded.
    """

    name: str
    rank: tuple[int, ...]
    mode: str = "waiting"
    attempt: int = 1
    log: tuple[Entry, ...] = ()
    fresh: tuple[str, ...] = ()
    turn: Turn = field(default_factory=lambda: Turn(kind="started"))
    turns: int = 0
    began: int = 0
    asked: Event | None = None
    counted: bool = False
    report: object = None
    gave_up: bool = False
