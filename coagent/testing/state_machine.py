"""A Hypothesis state machine in which Hypothesis invents the calls as well as the schedule, one after the other.

An inference is not decided before it ends, so until then a call may still be added to its agent's program: what
comes of it is a scenario and a schedule, which are replayed from the start and judged when the example is over.
"""

import json
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from coagent.actor import Report, next_action
from coagent.protocols.guard import Guard
from coagent.scenario import Scenario, parse_scenario, scenario_out
from coagent.simulate import Listed
from coagent.testing.scenario_writer import told
from coagent.testing.strategy import steps
from coagent.testing.trial import one_schedule
from coagent.workload import from_scenario
from coagent.world import Choice, Setting, World, opened

START = st.fixed_dictionaries({}, optional={path: st.integers(0, 2) for path in ("x", "d/a")})
PATHS = ("x", "x", "d/a", "d")
"""What the agents meet on: one object, another, and the folder that this one is in."""


def machine(protocol: object, *, agents: int = 2, calls: int = 4) -> type[RuleBasedStateMachine]:
    """The state machine for a protocol, with so many agents of up to `calls` steps each.

    `machine(protocol).TestCase` is what unittest and pytest collect; a failing example says the scenario and the
    schedule that go wrong. Steps are guarded (see `coagent.protocols.guard`).
    """
    names = "ABCDEFGH"[:agents]

    class Invented(RuleBasedStateMachine):
        """Makes up steps, and takes choices."""

        @initialize(state=START)
        def open(self, state: dict[str, int]) -> None:
            """Every agent is launched, with nothing to do yet."""
            self.data = {"name": "invented", "state": state, "agents": [{"name": one, "steps": []} for one in names]}
            self.closed: set[str] = set()
            self.taken: list[int] = []
            self.world: World = opened(_setting(self.data, protocol))

        def idle(self) -> list[int]:
            """The agents whose inference has come to nothing but the report so far, by index."""
            found = []
            for at, name in enumerate(names):
                one = self.world.actors[name]
                room = len(self.data["agents"][at]["steps"]) < calls and name not in self.closed
                if room and one.mode == "inferring" and isinstance(one.action, Report):
                    found.append(at)
            return found

        @precondition(lambda self: self.idle())
        @rule(draw=st.data())
        def call(self, draw: st.DataObject) -> None:
            """An agent's inference comes to one more step, and ends."""
            at = draw.draw(st.sampled_from(self.idle()), label="agent")
            program = self.data["agents"][at]["steps"]
            bound = frozenset(step["as"] for step in program if "as" in step and "list" not in step)
            program.append(draw.draw(steps(bound, fresh=f"v{len(program) + 1}", paths=PATHS), label="step"))
            self.world = _with_program(self.world, _setting(self.data, protocol), names[at])
            self.go(Choice("infer", names[at]))

        @precondition(lambda self: self.others())
        @rule(number=st.integers(0, 7))
        def take(self, number: int) -> None:
            """An effect completes, or an inference ends that came to something before."""
            others = self.others()
            self.go(others[number % len(others)])

        @precondition(lambda self: self.idle() and len(self.taken) > 2)
        @rule(number=st.integers(0, 7))
        def finish(self, number: int) -> None:
            """An agent's inference comes to its report."""
            idle = self.idle()
            self.go(Choice("infer", names[idle[number % len(idle)]]))

        def others(self) -> list[Choice]:
            """What may happen besides an idle agent's making something up."""
            idle = {names[at] for at in self.idle()}
            return [one for one in self.world.choices() if one.act != "infer" or one.name not in idle]

        def go(self, choice: Choice) -> None:
            """Take a choice; an agent that reports has made up its last step."""
            if choice.act == "infer" and isinstance(self.world.actors[choice.name].action, Report):
                self.closed.add(choice.name)
            self.taken.append(self.world.choices().index(choice))
            self.world = self.world.take(choice)

        @precondition(lambda self: not self.world.choices())
        @rule()
        def rest(self) -> None:
            """Nothing can happen any more."""

        def teardown(self) -> None:
            """The run goes on to its end, is replayed from its scenario and its schedule, and is judged."""
            if hasattr(self, "world"):
                judge(self.scenario, protocol, tuple(self.taken), self.world)

        @property
        def scenario(self) -> Scenario:
            """What has been invented so far."""
            return _scenario(self.data)

    Invented.__name__ = Invented.__qualname__ = f"Invented[{protocol.name}]"
    return Invented


def judge(scenario: Scenario, protocol: object, schedule: tuple[int, ...], reached: World) -> None:
    """Raises AssertionError, with all that is needed to replay it, unless the run is as promised."""
    again = opened(Setting(workload=from_scenario(scenario), protocol=Guard(protocol)))
    for index in schedule:
        again = again.take(again.choices()[index])
    told = json.dumps(scenario_out(scenario))
    assert again == reached, f"{told} does not lead along {schedule} to where it led when it was invented"
    witness = one_schedule(scenario, protocol, Listed(schedule))
    if witness:
        lines = [f"{protocol.name}: {witness.why}", *witness.ran.verdict.sentences()]
        taken = ",".join(map(str, witness.schedule)) or "0"
        raise AssertionError("\n".join([*lines, f"scenario: {told}", f"schedule: {taken}"]))


def _setting(data: dict, protocol: object) -> Setting:
    return Setting(workload=from_scenario(_scenario(data)), protocol=Guard(protocol))


def _scenario(data: dict) -> Scenario:
    """The scenario, each agent of which reports all that it was ever answered, so that nothing it saw goes unjudged."""
    agents = [told(agent) for agent in data["agents"]]
    return parse_scenario({**data, "agents": agents}, "invented")


def _with_program(world: World, setting: Setting, name: str) -> World:
    """The world with another program for an agent, whose present inference comes to what that now says."""
    one = world.actors[name]
    action = next_action(setting.workload.agents[one.index].program, one.log, setting.workload.tools)
    return replace(world, setting=setting, actors=world.actors.set(name, replace(one, action=action)))
