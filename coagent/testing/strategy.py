"""Hypothesis strategies for what a run depends on: scenarios, schedules, judges that err, single steps.

Every value drawn is valid: any scenario parses, any list of integers is a schedule (`coagent.simulate.Wrapped`).
"""

from collections.abc import Sequence
from random import Random

from hypothesis import strategies as st

from coagent.judge import Judge
from coagent.scenario import Scenario
from coagent.testing.scenario_writer import AGENTS_MAX, PATHS, STEPS_MAX, written


def random_scenario(seed: int) -> Scenario:
    """The scenario of a seed, of up to five agents and eight steps each: the same one on every machine."""
    return written(Random(seed), f"random {seed}")


def small_scenario(seed: int) -> Scenario:
    """The scenario of a seed, of two agents and at most three steps each: small enough to take every schedule."""
    return written(Random(seed), f"small {seed}", agents=2, steps=3)


def scenarios(
    *, agents: int = AGENTS_MAX, steps: int = STEPS_MAX, telling: bool = False
) -> st.SearchStrategy[Scenario]:
    """Scenarios of two agents up to `agents`, with up to `steps` steps each.

    They share nested paths and have conditionals, loops, failing calls, unrecoverable sends, reports; with
    `telling`, each agent reports all that it was answered.
    """
    return st.randoms(use_true_random=False).map(
        lambda random: written(random, "generated", agents=agents, steps=steps, telling=telling)
    )


def schedules(*, most: int = 60) -> st.SearchStrategy[list[int]]:
    """Lists of up to `most` integers from 0, for `Wrapped`: each is taken modulo the choices there are."""
    return st.lists(st.integers(0, 7), max_size=most)


def judges(*, most: float = 1.0) -> st.SearchStrategy[Judge]:
    """Judges that overlook notices, or redo what they need not, at rates of up to `most` (assumption A3)."""
    rate = st.floats(0.0, most, allow_nan=False)
    return st.builds(Judge, miss=rate, over=rate)


def values() -> st.SearchStrategy[str]:
    """Constants as a scenario's expressions have them."""
    return st.sampled_from(("0", "1", "2", "'a'", "true", "null", "[1, 2]"))


def steps(
    names: frozenset[str] = frozenset(), fresh: str = "v", paths: Sequence[str] = PATHS
) -> st.SearchStrategy[dict]:
    """One step of a program as data: a call on one of the `paths`, or a conditional or report over the bound `names`;
    `fresh` is bound to a call's result."""
    paths = st.sampled_from(tuple(paths))
    value = st.one_of(values(), st.sampled_from(sorted(names))) if names else values()
    gets = st.builds(lambda path: {"get": path, "as": fresh}, paths)
    calls = st.one_of(
        gets,
        gets,
        st.builds(lambda path, given: {"put": path, "value": given, "as": fresh}, paths, value),
        st.builds(lambda path, given: {"create": path, "value": given, "as": fresh}, paths, value),
        st.builds(lambda path: {"delete": path, "as": fresh}, paths),
        st.builds(lambda path, by: {"add": path, "by": str(by), "as": fresh}, paths, st.integers(-2, 3)),
        st.builds(lambda path, to: {"copy": path, "to": to, "as": fresh}, paths, paths),
        st.builds(lambda path: {"list": path, "as": fresh}, paths),
        st.builds(lambda given: {"send": "out", "value": given, "as": fresh}, value),
    )
    if not names:
        return calls
    tests = st.builds("{} == {}".format, st.sampled_from(sorted(names)), values())
    branches = calls.map(lambda step: {key: one for key, one in step.items() if key != "as"})
    conditionals = st.builds(lambda test, then: {"if": test, "then": [then]}, tests, branches)
    return st.one_of(calls, calls, conditionals, value.map(lambda given: {"report": given}))
