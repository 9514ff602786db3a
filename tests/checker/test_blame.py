"""Whose fault a bad run is: faults put into real runs, one at a time, are laid where they belong.

`pytest -m nightly` makes a hundred injections of each kind, over the workloads and over random scenarios.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest

from coagent.history import History, lines
from coagent.protocols import protocol
from coagent.protocols.variant import Variant
from coagent.simulate import Chance, Clock, simulate
from coagent.stepper import verdict
from coagent.testing import random_scenario
from coagent.workload import Workload, from_scenario
from coagent.world import Setting
from paper_figures.blame_matrix import Injection, exact, injections, own_workloads, table, took_effect
from workloads import workload
from workloads.fault import BROKEN, KINDS, Fault, halfway, kept, misread, outcome, unread

SOURCES: dict[str, Callable[[int], Workload]] = {
    "workloads": own_workloads,
    "random": lambda seed: from_scenario(random_scenario(seed + 7_000)),
}


def blamed(kind: str, source: str, many: int) -> list[Injection]:
    return list(islice(injections(kind, SOURCES[source]), many))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("source", SOURCES)
def test_an_injected_fault_is_laid_where_it_belongs(kind: str, source: str) -> None:
    for one in blamed(kind, source, 8):
        assert one.blamed == one.broken, (one.how, one.workload, one.seed, one.verdict.sentences())
        assert one.verdict.evidence


@pytest.mark.nightly
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("source", SOURCES)
def test_of_a_hundred_injections_none_is_wrongly_the_protocols_and_nearly_all_are_exact(kind: str, source: str) -> None:
    found = blamed(kind, source, 100)
    if KINDS[kind][0] != "protocol":
        assert not [one for one in found if one.blamed == "protocol"]
    counts = {kind: Counter(one.blamed for one in found)}
    assert exact(counts)[kind] >= 0.95, table(counts)


def runs(rules: tuple[str, ...], seeds: range) -> Iterator[tuple[str, int, object]]:
    for seed in seeds:
        for given in (from_scenario(random_scenario(seed)), own_workloads(seed)):
            for rule in rules:
                yield rule, seed, simulate(Setting(workload=given, protocol=protocol(rule), seed=seed), Chance(seed))


def test_a_run_without_a_fault_is_nobodys() -> None:
    for rule, seed, run in runs(("mtpo", "mtpo-reissue", "mtpo-footprint", "mtpo-pass", "2pl", "occ"), range(20)):
        found = verdict(run)
        assert (found.verdict, found.blame, found.evidence) == ("ok", None, ()), (rule, seed, found.sentences())


def test_a_run_without_coordination_is_the_protocols_fault_when_it_is_bad() -> None:
    answers = Counter(
        (found.verdict, found.blame) for _, _, run in runs(("naive",), range(60)) if (found := verdict(run))
    )
    assert set(answers) == {("ok", None), ("violated", "protocol")} and min(answers.values()) > 10


@pytest.mark.parametrize("way", [unread, kept, misread], ids=lambda way: way.__name__)
def test_a_fault_without_effect_is_ok_and_nobodys(way: Callable[[Workload, int], Fault]) -> None:
    """Only a notice that was due and never consumed breaks an assumption (A2) even where nothing came of it."""
    innocent = {("ok", None)} | ({("violated", "A2")} if way is unread else set())
    ok = 0
    for seed in range(40):
        run = outcome(way(own_workloads(seed), seed), seed)
        found = verdict(run)
        ok += found.verdict == "ok"
        assert took_effect(run) or (found.verdict, found.blame) in innocent, (seed, found.sentences())
    assert ok > 10


RARE = ("mtpo-with-thomas-over-rmw", "mtpo-without-uncovering", "mtpo-without-transitive-closure")
"""Variants that go wrong in few random runs; their own worlds show them."""


@pytest.mark.parametrize("rule", [one for one in BROKEN if one.name not in RARE], ids=lambda rule: rule.name)
def test_a_rule_that_is_taken_out_is_convicted_by_name_on_some_random_schedule(rule: Variant) -> None:
    for seed in range(300):
        given = from_scenario(random_scenario(seed)) if seed % 2 else own_workloads(seed)
        found = verdict(outcome(Fault(workload=given, protocol=rule), seed))
        assert found.blame in (None, "protocol")
        if rule.expects in {one.name for one in found.anomalies}:
            return
    raise AssertionError(f"no schedule of 300 convicts {rule.name} of {rule.expects}")


def test_an_erring_judge_is_found_by_running_the_program_again_and_by_nothing_else() -> None:
    """The history of a notice wrongly judged is a good history: only the agent's program tells otherwise."""
    from checker.notified import check_history

    run = outcome(kept(workload("lost-update"), 5), 5)
    alone = check_history(run.history, order="declared")
    known = verdict(run)
    assert took_effect(run)
    assert (alone.verdict, alone.blame) == ("ok", None)
    assert (known.verdict, known.blame) == ("violated", "A3")
    assert [one.name for one in known.anomalies] == ["wrong revision"]
    assert "judged 'keep'" in known.evidence[0]


def test_the_matrix_is_a_table_with_a_row_for_each_kind() -> None:
    rows = table({kind: Counter({broken: 3}) for kind, (broken, _) in KINDS.items()}).splitlines()
    assert len(rows) == len(KINDS) + 2 and all(row.count("|") == rows[0].count("|") for row in rows)
    assert all("**3**" in row for row in rows[2:])


def test_the_command_line_knows_the_programs_of_the_workloads_that_come_along(
    coagent: Callable, tmp_path: Path
) -> None:
    file = tmp_path / "kept.ndjson"
    run = outcome(kept(workload("lost-update"), 5), 5)
    file.write_text("".join(lines(run.history)), encoding="utf-8")
    answer = coagent("check", file)
    assert answer.code == 1 and "broken: A3" in answer.out
    other = History({**run.history.header, "workload": "somebody else's"}, run.history.records)
    file.write_text("".join(lines(other)), encoding="utf-8")
    assert coagent("check", file).code == 0


def test_an_agent_that_breaks_the_invariant_alone_is_told_beside_an_ok() -> None:
    run = outcome(halfway(workload("k2-canary"), 0), 0)
    found = verdict(run)
    assert (found.verdict, found.blame) == ("ok", "A1")
    assert "break the invariant too" in found.sentences()[-1]


def test_agents_that_gave_up_are_not_said_to_fail_alone() -> None:
    given = workload("g3-swept")
    run = simulate(Setting(workload=given, protocol=protocol("occ")), Clock(given.cost.tool_s))
    assert any(one.gave_up for one in run.world.actors.values())
    assert verdict(run).blame is None
