"""A workload: what the world starts from, who acts in it, with which tools, and what must hold at the end.

Scenario files and workloads written in Python become the same value here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from coagent.actor import Program
from coagent.bad_input import BadInput
from coagent.fork import Merge
from coagent.judge import PERFECT, Judge
from coagent.operation import Value
from coagent.program import program
from coagent.scenario import Scenario
from coagent.tool import TOOLS, Tool

Invariant = Callable[[Mapping[str, Value], Mapping[str, object]], bool]
"""Whether a final state (values by path) and the reports (by agent) are acceptable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The simulated cost of inference and tools; the defaults are fitted once, to the papers' canary (P1, case study).

    Seconds: `think_s` before a call that says nothing else, `judge_s` to judge notices and for each
    step of a repair, `tool_s` for a tool call. Tokens: `system_tokens` of prompt that every context
    begins with, `step_tokens` that a call adds to it, `notice_tokens` that a notice adds, or word of an abort,
    `output_tokens_per_s` written while inferring. Contexts are append-only (P1): an agent that has to start again
    does so below what it did before. A token read from the cache costs `cached_price` of one read anew. `noise` is
    the log-normal spread of think times; seed 0 takes them as they stand.
    """

    think_s: float = 5.0
    judge_s: float = 2.0
    tool_s: float = 0.1
    system_tokens: int = 1500
    step_tokens: int = 150
    notice_tokens: int = 60
    output_tokens_per_s: float = 120.0
    cached_price: float = 0.1
    noise: float = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """A scripted agent; think times in seconds, None where the workload's cost decides.

    `launch_s` is when it is launched, in simulated seconds after the start; 0: with the others, at the start. Who
    comes later is appended to the order (PROTOCOL 5), so late agents are listed last, in the order of their coming.

    `dies_after` (None: it lives) is after how many calls of its program it dies: the answer to the last of them is
    lost, the call is resolved by reading, and when the answer is known nobody takes it. It is not launched again; its
    report is a Failure, "died", and a protocol that can takes back what it did. What cannot be taken back stays.

    `task` is what the agent is to do, in words, for a model in its place; empty: there is no telling.
    """

    name: str
    program: Program
    think_s: float | None = None
    finish_think_s: float | None = None
    launch_s: float = 0.0
    dies_after: int | None = None
    task: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """State at the start, agents in pre-order, tools by name, and the invariant (None: any serial outcome is right).

    `merge` is the workload's own way to merge a fork into the live state (None: cell by cell).
    """

    name: str
    state: tuple[tuple[str, Value], ...]
    agents: tuple[Agent, ...]
    tools: Mapping[str, Tool] = field(default_factory=lambda: TOOLS)
    cost: Cost = Cost()
    invariant: Invariant | None = None
    story: str = ""
    schedule: tuple[int, ...] | None = None
    merge: Merge | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What stays the same in a run. `lost` names operations whose first execution answers `unknown` (False: it had
    no effect; True: it had, and only the answer was lost)."""

    workload: Workload
    protocol: object
    seed: int = 0
    judge: Judge = PERFECT
    lost: Mapping[str, bool] = field(default_factory=dict)

    @property
    def draw(self) -> tuple[str, int]:
        """What the draws of this trial are keyed by, so that they are the same under every protocol, and no two
        workloads share them."""
        return self.workload.name, self.seed


def check_launches(agents: Sequence[Agent]) -> None:
    """Raises BadInput unless the agents are listed in the order in which they are launched, none before the start."""
    times = [0.0, *(one.launch_s for one in agents)]
    for (before, here), one in zip(pairwise(times), agents, strict=True):
        if not before <= here < float("inf"):
            raise BadInput(
                f"{one.name!r} is launched at {here} s, after one launched at {before} s; a new agent is appended to "
                "the order, so list agents in the order of their launch_s, from 0 up"
            )


def from_scenario(scenario: Scenario) -> Workload:
    """The workload that a scenario file describes."""
    given = {"judge_s": scenario.judge_s, "tool_s": scenario.tool_s}
    cost = Cost(think_s=scenario.think_s, **{name: value for name, value in given.items() if value is not None})
    agents = tuple(
        Agent(name=one.name, program=program(one), think_s=one.think_s, finish_think_s=one.finish_think_s)
        for one in scenario.agents
    )
    return Workload(
        name=scenario.name,
        state=scenario.state,
        agents=agents,
        cost=cost,
        story=scenario.story or "",
        schedule=scenario.schedule,
    )
