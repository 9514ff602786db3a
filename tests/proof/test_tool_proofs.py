"""Inverse, frame and commutativity of tools: proved for those that keep their word, refuted for those that do not."""

import subprocess
import sys
from dataclasses import replace

import pytest

from checker.oracle import Ledger
from checker.proof import Compensation, Proof, prove_commutativity, prove_frame, prove_inverse, proved_tools, samples
from checker.proof.tool_table import conflicting, exit_code
from coagent.operation import Declaration, Result
from coagent.tool import OK, TOOLS, Args, Case, Meaning, Tool, View, Writes, changing, reading
from workloads.cluster import CLUSTER_TOOLS
from workloads.o5_double_booked_slot import CREATE_EVENT, EVENTS_ON


def _increase(view: View, args: Args) -> tuple[Result, Writes]:
    cell = view.cell(args["path"])
    whole = bool(cell) and isinstance(cell[0], int) and not isinstance(cell[0], bool)
    total = cell[0] + 1 if whole else 1
    return Result("ok", total), ((args["path"], (total,)),)


_PLUS = "value('{path}') + 1 if present('{path}') and integer(value('{path}')) else 1"
INCREASE = Tool("increase", changing, _increase, "count up", Meaning((Case(value=_PLUS, writes=(("{path}", _PLUS),)),)))
DECREASE = replace(
    INCREASE,
    name="decrease",
    exec=lambda view, args: (OK, ((args["path"], ((view.cell(args["path"]) or (0,))[0] - 1,)),)),
    meaning=Meaning((Case(writes=(("{path}", "(value('{path}') if present('{path}') else 0) - 1"),)),)),
)


def _spy(view: View, args: Args) -> tuple[Result, Writes]:
    return Result("ok", bool(view.cell(args["path"])) or bool(view.cell("secret"))), ()


def _stray(view: View, args: Args) -> tuple[Result, Writes]:
    return OK, ((args["path"], (1,)), ("log", (args["path"],)))


SPY = Tool("spy", reading, _spy, "", Meaning((Case(value="present('{path}') or present('secret')"),)))
STRAY = Tool("stray", changing, _stray, "", Meaning((Case(writes=(("{path}", "1"), ("log", "path"))),)))
HALF = Tool(
    "half",
    lambda args: Declaration(reads=(args["path"],), writes=(args["path"],)),
    lambda view, args: (Result("failed", "half done"), ((args["path"], (0,)),)),
    "",
    Meaning((Case(status="failed", value="'half done'", writes=(("{path}", "0"),)),)),
)


LARGER = ("rolled_out", "commands", "sizes", "pins", "nodes", "budgets", "pages")
"""Tools whose proofs take a second or more; most are the same listing as `images` over another field."""


@pytest.mark.parametrize("name", [name for name in CLUSTER_TOOLS if name not in LARGER])
def test_every_tool_keeps_its_frame_and_is_undone(name: str) -> None:
    for proof in (prove_frame(CLUSTER_TOOLS[name]), prove_inverse(CLUSTER_TOOLS[name])):
        assert proof.verdict == "proved", proof.sentences()
        assert proof.complete


@pytest.mark.nightly
@pytest.mark.parametrize("tool", [*(CLUSTER_TOOLS[name] for name in LARGER), CREATE_EVENT], ids=lambda tool: tool.name)
def test_the_larger_tools_keep_their_frame_and_are_undone(tool: Tool) -> None:
    assert prove_frame(tool).verdict == prove_inverse(tool).verdict == "proved"


def test_nothing_is_known_of_a_tool_that_is_not_data() -> None:
    proof = prove_inverse(EVENTS_ON)
    assert (proof.verdict, proof.exit_code) == ("unknown", 2)
    assert proof.missing == ("the tool 'events_on' is not declared as data",)


NAIVE = {
    "add, by what is negative": (TOOLS["add"], Compensation(tool="add", args={"path": "path", "by": "-by"}), "proved"),
    "create, by delete": (TOOLS["create"], Compensation(tool="delete", args={"path": "path"}), "proved"),
    "create, by delete always": (
        TOOLS["create"],
        Compensation(tool="delete", args={"path": "path"}, always=True),
        "refuted",
    ),
    "put, by delete": (TOOLS["put"], Compensation(tool="delete", args={"path": "path"}), "refuted"),
    "delete, by put": (TOOLS["delete"], Compensation(tool="put", args={"path": "path", "value": "0"}), "refuted"),
    "copy, by delete": (TOOLS["copy"], Compensation(tool="delete", args={"path": "to"}), "refuted"),
    "send, by delete": (TOOLS["send"], Compensation(tool="delete", args={"path": "path"}), "refuted"),
    "increase, by decrease": (INCREASE, Compensation(tool="decrease", args={"path": "path"}), "refuted"),
}


@pytest.mark.parametrize("name", NAIVE)
def test_a_compensating_call_is_an_inverse_only_where_nothing_is_forgotten(name: str) -> None:
    tool, inverse, verdict = NAIVE[name]
    assert prove_inverse(tool, inverse, tools={**TOOLS, "decrease": DECREASE}).verdict == verdict


def test_counting_down_again_leaves_a_zero_where_nothing_was() -> None:
    proof = prove_inverse(INCREASE, Compensation(tool="decrease", args={"path": "path"}), tools={"decrease": DECREASE})
    shown = proof.counterexample
    ledger = Ledger(shown.state.items())
    before = dict(ledger.cells)
    ledger.run(INCREASE, {"path": "p"})
    ledger.run(DECREASE, {"path": "p"})
    assert ledger.cells != before
    assert "replayed" in "".join(proof.sentences())


@pytest.mark.parametrize(
    ("tool", "word"), [(SPY, "differs outside its reads"), (STRAY, "writes log"), (HALF, "has failed, and writes")]
)
def test_a_tool_that_leaves_its_frame_is_refuted(tool: Tool, word: str) -> None:
    proof = prove_frame(tool)
    assert proof.verdict == "refuted"
    assert word in " ".join(proof.counterexample.differs)


def commute(left: str, right: str, **more: object) -> Proof:
    """The proof for the first calls of two tools that conflict."""
    [*pairs] = conflicting(TOOLS[left], TOOLS[right])
    return prove_commutativity(*pairs[0], **more)


@pytest.mark.parametrize(
    ("left", "right", "results", "verdict", "condition"),
    [
        ("add", "add", False, "proved", ""),
        ("add", "add", True, "proved", "p is absent"),
        ("put", "put", True, "proved", "value 1 = value 2"),
        ("put", "create", True, "proved", "p is there"),
        ("get", "put", True, "proved", "p = value"),
        ("get", "delete", True, "proved", "p is absent"),
        ("get", "add", True, "proved", "p is absent, or when by = 0"),
        ("put", "delete", True, "refuted", ""),
        ("create", "delete", True, "refuted", ""),
        ("list", "put", True, "proved", ""),
    ],
)
def test_two_calls_on_one_object_commute_when(
    left: str, right: str, results: bool, verdict: str, condition: str
) -> None:
    proof = commute(left, right, results=results)
    assert (proof.verdict, proof.condition) == (verdict, condition)


def test_a_new_member_does_not_commute_with_the_listing_of_its_parent_unless_it_was_there() -> None:
    pairs = {one.known["path"]: (listing, one) for listing, one in conflicting(TOOLS["list"], TOOLS["put"])}
    assert prove_commutativity(*pairs["p/a"]).condition == "p/a is there"


@pytest.mark.parametrize("right", TOOLS)
@pytest.mark.parametrize("left", TOOLS)
def test_calls_on_different_objects_always_commute(left: str, right: str) -> None:
    one = samples(TOOLS[left], " 1", names=("p",) if left != "copy" else ("p", "q"))[-1 if left != "copy" else 1]
    other = samples(TOOLS[right], " 2", names=("r",) if right != "copy" else ("r", "s"))[-1 if right != "copy" else 1]
    proof = prove_commutativity(one, other, conditions=False)
    assert (proof.verdict, proof.complete) == ("proved", True)


def test_the_counterexample_to_commuting_differs_when_the_tools_run_it() -> None:
    proof = commute("put", "delete")
    ends = []
    for order in ((0, 1), (1, 0)):
        ledger = Ledger(proof.counterexample.state.items())
        for place in order:
            ledger.run(TOOLS[("put", "delete")[place]], {"path": "p", "value": None})
        ends.append(dict(ledger.cells))
    assert ends[0] != ends[1]


def test_unknowns_of_two_calls_may_not_be_taken_for_one() -> None:
    [one] = samples(TOOLS["put"])
    with pytest.raises(ValueError, match="different tags"):
        prove_commutativity(one, one)


def test_the_table_says_of_every_tool_what_is_known() -> None:
    lines = list(proved_tools({"put": TOOLS["put"], "events_on": EVENTS_ON}))
    answers = {(line.subject, line.question): line.answer() for line in lines}
    assert answers["put", "inverse"] == answers["put", "frame"] == "proved"
    assert answers["put p value 1 | put p value 2", "commute"] == "when value 1 = value 2"
    assert answers["events_on", "frame"] == "the tool 'events_on' is not declared as data"
    assert (exit_code(lines), exit_code(lines[:2])) == (2, 0)


def test_the_door_does_not_import_the_solver() -> None:
    program = "import sys, checker.proof; sys.exit('z3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
