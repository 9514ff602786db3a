"""The verifier accepts what follows from the transactions that a certificate lists, and nothing else."""

import ast
import contextlib
import io
import json
import random
import sys
from collections import Counter
from itertools import permutations, product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sketch import history, random_history
from test_certificates import (
    accepted,
    explained,
    explanations,
    paper_of,
    pool,
    sealed_accepted,
    transactions,
    true,
    written,
)
from test_our_certificates import pool as pool_of_ours

from checker import transcript, transcript_reader, verify


def claim_of(rows: list, verdict: str = "violated", level: str = "serializable", **proof) -> dict:
    return {"line": None, "level": level, "verdict": verdict, "transactions": rows, **proof}


def follows(claim: dict) -> bool:
    try:
        return bool(verify.judge(claim))
    except (LookupError, TypeError, ValueError):
        return False


def rows_of(text: str, level: str = "serializable") -> list:
    return transcript.listing(transcript.read_whole(text, level), level)


def sketched(*rows: str, level: str = "serializable") -> list:
    """The listing of transactions as `sketch.history` takes them, under their own names."""
    found = rows_of(written(history(*rows)), level)
    names = {f"T{2 * at + 1}": row.partition(":")[0].rstrip("!?") for at, row in enumerate(rows)}
    return [[names.get(row[0], row[0]), *row[1:]] for row in found]


def test_it_is_read_in_ten_minutes_and_needs_python_alone():
    text = Path(verify.__file__).read_text()
    assert len(text.splitlines()) <= 60 and max(map(len, text.splitlines())) <= 120
    own = {"verify", "transcript_reader", "checker", "checker.transcript_reader"}
    for module, more in ((verify, set()), (transcript_reader, set()), (transcript, own)):
        nodes = list(ast.walk(ast.parse(Path(module.__file__).read_text())))
        names = {one.name for node in nodes if isinstance(node, ast.Import) for one in node.names}
        names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
        assert names <= sys.stdlib_module_names | more
    brought = {one.name for node in nodes if getattr(node, "module", "") == "checker" for one in node.names}
    assert brought == {"verify"}


# the rules, against every order there is


def steps_of(listed: dict) -> list:
    """Every step there could be but for those by cases, each with the operations that show it."""
    places = [(name, at) for name, (_, _, own) in listed.items() for at in range(len(own))]
    return [
        [rule, a, i, b, j, c, k, None]
        for (a, i), (b, j), (c, k) in product(places, places, places)
        for rule in ("wr", "ww", "rw", "unwritten")
        if listed[a][2][i][1] == listed[b][2][j][1] and (rule in ("ww", "rw") or (c, k) == (a, i))
    ]


def stands(step: list, listed: dict, made: Counter, known: frozenset = frozenset()) -> bool:
    a, b = step[1], step[3]
    cycle = [a] if a == b else [a, b]
    try:
        return bool(verify.derive({"steps": [step], "cycle": cycle}, {(b, a)} - {(a, a)} | known, listed, made))
    except (LookupError, TypeError, ValueError):
        return False


@pytest.mark.parametrize("model", ["append", "w"])
def test_a_step_that_stands_holds_in_every_order_that_explains_the_reads(model):
    """Every step there could be is tried, so that a rule that says too much is caught by one of these histories."""
    stood: Counter = Counter()
    for seed in range(25):
        text = written(explained(seed, model))
        orders = explanations(transactions(text))
        assert orders
        listed = {name: rest for name, *rest in rows_of(text)}
        made = Counter((key, *v) for _, _, own in listed.values() for kind, key, v in own if kind != "r")
        right = {
            (a, b)
            for a, b in permutations(listed, 2)
            if all(a in one and b in one and one.index(a) < one.index(b) for one in orders)
        }
        steps = steps_of(listed)
        first = {(step[1], step[3]) for step in steps if stands(step, listed, made)}
        assert first <= right, (first - right, text)
        for step in steps:
            if stands(step, listed, made, frozenset(first - {(step[1], step[3])})):
                stood[step[0]] += 1
                assert (step[1], step[3]) in right, (step, text)
    assert stood["wr"] and stood["rw"] and (stood["ww"] or model == "w"), stood


@pytest.mark.parametrize("level", ["serializable", "strict-serializable"])
def test_orders_are_accepted_just_when_brute_force_says_so(level):
    counts: Counter = Counter()
    for seed, model in product(range(16), ("append", "w")):
        text = written(random_history(seed, model))
        named = transactions(text)
        live = [name for name, one in named.items() if one.status == "committed"]
        rows = {row[0]: row for row in rows_of(text, level)}
        for order in permutations(live):
            ticks = [row for name, row in rows.items() if name.startswith("tick ")]
            whole = [[name] for name in order]
            if ticks:  # each tick where it belongs when the clock is right, so any other order breaks one
                first = [next((at for at, name in enumerate(order) if tick[0] in rows[name][2]), 0) for tick in ticks]
                for tick, at in zip(ticks, first, strict=True):
                    whole[at].insert(-1, tick[0])
            claim = claim_of([rows[name] for some in whole for name in some], "ok", level)
            right = true(claim, text)
            assert accepted(claim, text) == follows(claim) == right, (order, text)
            counts[right] += 1
    assert counts[True] > 5 and counts[False] > 100, counts


def test_that_every_order_fails_is_accepted_just_when_brute_force_says_so():
    counts: Counter = Counter()
    for seed, model in product(range(60), ("append", "w")):
        text = written(random_history(seed, model))
        claim = claim_of(rows_of(text), proof="every order")
        right = true(claim, text)
        assert accepted(claim, text) == follows(claim) == right, text
        counts[right] += 1
    assert counts[True] > 10 and counts[False] > 10, counts


# forgeries


def edge(
    rule: str, a: str, b: str, i: int = 0, j: int = 0, c: str = "", k: int = 0, reverse: dict | None = None
) -> list:
    return [rule, a, i, b, j, c or a, k, reverse]


def refuted(rows: list, cycle: list[str], *steps: list) -> bool:
    return follows(claim_of(rows, proof={"steps": [*steps], "cycle": cycle}))


def test_wr_is_refused_when_two_wrote_the_value_or_another_key_or_in_doubt():
    good = sketched("A: append x 1; r y [1]", "B: append y 1; r x [1]")
    assert refuted(good, ["A", "B"], edge("wr", "A", "B", 0, 1), edge("wr", "B", "A", 0, 1))
    two = sketched("A: append x 1; r y [1]", "B: append y 1; r x [1]", "C: append x 1")
    assert not refuted(two, ["A", "B"], edge("wr", "A", "B", 0, 1), edge("wr", "B", "A", 0, 1))
    other = sketched("A: append x 1; r y [1]", "B: append y 1; r z [1]", "C: append z 1")
    assert not refuted(other, ["A", "B"], edge("wr", "A", "B", 0, 1), edge("wr", "B", "A", 0, 1))
    assert not refuted([[*good[0][:1], False, *good[0][2:]], good[1]], ["A", "B"], edge("wr", "A", "B", 0, 1))
    assert not refuted(good, ["A", "B"], edge("wr", "A", "B", 0, 1))
    assert not refuted(good, ["A", "B"], edge("wr", "A", "B", -2, 1), edge("wr", "B", "A", -2, 1))


def test_wr_and_rw_are_refused_along_the_order_of_a_transactions_own_steps():
    fine = sketched("A: append x 1; r x [1]")
    assert not refuted(fine, ["A"], edge("wr", "A", "A", 0, 1))
    before = sketched("A: r x []; append x 1")
    assert not refuted(before, ["A"], edge("rw", "A", "A", 0, 1))
    assert refuted(sketched("A: append x 1; r x []"), ["A"], edge("rw", "A", "A", 1, 0))
    assert refuted(sketched("A: r x [1]; append x 1"), ["A"], edge("wr", "A", "A", 1, 0))
    assert not refuted(fine, ["A"], edge("ww", "A", "A", 0, 0, "A", 1))


def test_ww_is_refused_when_the_read_shows_the_other_order():
    rows = sketched("A: append x 1; r y [2]", "B: append x 2; append y 2", "C: r x [1 2]")
    wr = edge("wr", "B", "A", 1, 1)
    assert refuted(rows, ["A", "B"], edge("ww", "A", "B", 0, 0, "C"), wr)
    turned = sketched("A: append x 1; r y [2]", "B: append x 2; append y 2", "C: r x [2 1]")
    assert not refuted(turned, ["A", "B"], edge("ww", "A", "B", 0, 0, "C"), wr)
    unread = sketched("A: append x 1; r y [2]", "B: append x 2; append y 2", "C: r x [2]")
    assert not refuted(unread, ["A", "B"], edge("ww", "A", "B", 0, 0, "C"), wr)
    registers = sketched("A: w x 1; r y 2", "B: w x 2; w y 2", "C: r x 1")
    assert not refuted(registers, ["A", "B"], edge("ww", "A", "B", 0, 0, "C"), wr)


def test_rw_is_refused_of_a_register_that_was_written_before():
    rows = sketched("A: r x 1; w y 1", "B: w x 2; r y 1", "C: w x 1")
    wr, rw = edge("wr", "A", "B", 1, 1), edge("rw", "A", "B", 0, 0, "C")
    assert not refuted(rows, ["A", "B"], rw, wr)
    assert not refuted(rows, ["B", "A"], edge("rw", "A", "B"), edge("rw", "B", "A"))
    kept = sketched("A: r x 1; r y 1", "B: w x 2; w y 1; r z 1", "C: w x 1; w z 1")
    flow = [edge("wr", "C", "B", 1, 2), edge("wr", "B", "A", 1, 1)]
    assert refuted(kept, ["A", "B"], *flow, rw)
    assert not refuted(kept, ["A", "B"], *flow[1:], rw)


def test_unwritten_is_refused_of_what_somebody_may_have_written():
    assert refuted(sketched("A: r x [9]"), ["A"], edge("unwritten", "A", "A"))
    assert refuted(sketched("A: r x [1 1]", "B: append x 1"), ["A"], edge("unwritten", "A", "A"))
    assert not refuted(sketched("A: r x [1 1]", "B: append x 1; append x 1"), ["A"], edge("unwritten", "A", "A"))
    assert not refuted(sketched("A: r x [1]", "B?: append x 1"), ["A"], edge("unwritten", "A", "A"))
    assert refuted(sketched("A: r x [1]", "B!: append x 1"), ["A"], edge("unwritten", "A", "A"))


def test_either_is_refused_when_the_reverse_leads_nowhere_or_is_of_one_transaction():
    rows = sketched("A: w x 1", "B: w x 2")
    nothing = {"steps": [], "cycle": []}
    for reverse in (nothing, {"steps": [], "cycle": ["A"]}, {"steps": [], "cycle": ["B", "A"]}):
        assert not refuted(rows, ["A", "B"], edge("either", "A", "B", reverse=reverse))
    own = {"steps": [], "cycle": ["A"]}
    assert not refuted(rows, ["A"], edge("either", "A", "A", reverse=own))
    assert not refuted(rows, [])


def test_what_is_known_under_one_case_is_not_known_outside():
    rows = sketched("A: w x 1", "B: w x 2")
    inner = edge("either", "A", "B", reverse={"steps": [], "cycle": ["A", "B"]})
    outer = edge("either", "B", "A", reverse={"steps": [inner], "cycle": ["A", "B"]})
    assert not refuted(rows, ["A", "B"], outer) and not refuted(rows, ["A", "B"], outer, inner)


def test_an_order_that_leaves_out_a_committed_transaction_or_forges_a_tick_is_refused():
    text = written(history("A: append x 1", "B: r x []"))
    rows = rows_of(text)
    assert not accepted(claim_of(rows, "ok"), text) and accepted(claim_of(rows[::-1], "ok"), text)
    assert not accepted(claim_of(rows[:1], "ok"), text) and not accepted(claim_of([], "ok"), text)
    strict = rows_of(text, "strict-serializable")
    names = [row[0] for row in strict]
    assert any(name.startswith("tick ") for name in names)
    order = sorted(strict, key=lambda row: ["T3", "T1"].index(row[0]) if row[0][0] == "T" else -1)
    assert not accepted(claim_of(order, "ok", "strict-serializable"), text)
    forged = [[name, must, [], steps] for name, must, _, steps in order]
    assert follows(claim_of(forged, "ok", "strict-serializable"))
    assert not accepted(claim_of(forged, "ok", "strict-serializable"), text)
    later = [["tick 7", True, ["T1"], []], *([name, must, ["tick 7"], own] for name, must, _, own in rows)]
    assert not accepted(claim_of(later, proof="every order"), text)


def test_a_part_of_a_history_counts_only_with_all_who_write_its_keys():
    text = written(history("A: append x 1", "B: r x [1]", "C: append y 1; r x [1]"))
    rows = rows_of(text)
    cut = [row for row in rows if row[0] != "T1"]
    proof = {"steps": [edge("unwritten", "T3", "T3")], "cycle": ["T3"]}
    assert follows(claim_of(cut, proof=proof)) and not accepted(claim_of(cut, proof=proof), text)
    assert not accepted(claim_of(rows, proof=proof), text)


def test_transactions_that_need_not_be_there_are_not_forced_into_every_order():
    rows = sketched("A: append x 1", "B?: append x 2", "C: r x [1]")
    assert [row[1] for row in rows] == [True, False, True]
    assert not refuted(rows, ["B", "C"], edge("rw", "C", "B"), edge("wr", "B", "C"))
    assert not follows(claim_of(rows, proof="every order"))


def test_listings_that_no_history_has_are_judged_by_the_same_rules():
    """Whoever checks a certificate without the history still gets what follows from what is listed."""
    read, one, two = ["r", "x", []], ["w", "x", ["1"]], ["w", "x", ["2"]]
    emptied = [["A", True, [], [read, ["r", "y", ["1"]]]], ["B", True, [], [one, ["w", "y", ["1"]]]]]
    steps = edge("rw", "A", "B"), edge("wr", "B", "A", 1, 1)
    assert refuted(emptied, ["A", "B"], *steps)
    assert not refuted([*emptied, ["C", True, [], [["w", "x", []]]]], ["A", "B"], *steps)
    apart = [["A", True, [], [read, ["r", "y", ["1"]]]], ["B", True, [], [["append", "z", ["1"]], ["w", "y", ["1"]]]]]
    assert not refuted(apart, ["A", "B"], *steps)
    lists = sketched("A: append x 1; r y [2]", "B: append x 2; append y 2", "C: r x [1 2]")
    lists[2][1] = False
    assert not refuted(lists, ["A", "B"], edge("ww", "A", "B", 0, 0, "C"), edge("wr", "B", "A", 1, 1))
    assert not refuted([["A", True, ["B"], [one]], ["B", False, ["A"], [two]]], ["A", "B"])
    assert refuted([["A", True, ["B"], [one]], ["B", True, ["A"], [two]]], ["A", "B"])
    doubtful = [["A", True, [], [one]], ["B", False, [], [["r", "x", ["9"]]]]]
    assert not follows(claim_of(doubtful, proof="every order"))
    doubtful[1][1] = True
    assert follows(claim_of(doubtful, proof="every order"))
    assert not follows(claim_of(doubtful, "unknown", proof="every order"))
    assert not follows(claim_of([["A", True, ["A"], [one]]], "ok"))


def test_no_violation_follows_from_writes_of_many_values_or_of_none_or_of_two_kinds_to_one_key():
    twice, read = ["append", "x", ["1", "2"]], ["r", "x", ["1", "2"]]
    rows = [["A", True, [], [twice]], ["B", True, [], [read]]]
    assert follows(claim_of(rows, "ok")) and not refuted(rows, ["B"], edge("unwritten", "B", "B"))
    empty = [
        ["A", True, [], [["append", "x", []], ["r", "y", []]]],
        ["B", True, [], [["r", "x", []], ["w", "y", ["1"]]]],
    ]
    back = edge("rw", "A", "B", 1, 1)
    assert follows(claim_of(empty, "ok")) and not refuted(empty, ["A", "B"], edge("rw", "B", "A"), back)
    reset = [
        ["B", True, [], [["append", "x", ["1"]], ["w", "y", ["1"]]]],
        ["C", True, [], [["w", "x", []]]],
        ["A", True, [], [["r", "x", []], ["r", "y", ["1"]]]],
    ]
    forth = edge("rw", "A", "B"), edge("wr", "B", "A", 1, 1)
    assert follows(claim_of(reset, "ok")) and not refuted(reset, ["A", "B"], *forth)
    assert refuted([reset[0], reset[2]], ["A", "B"], *forth)


# the program


PROGRAM = compile(Path(verify.__file__).read_text(), "verify.py", "exec")


def exit_code(paper: str, *history: Path, folder: Path) -> int:
    """What the program exits with, run in this process."""
    file = folder / "c.json"
    file.write_text(paper)
    kept, sys.argv = sys.argv, ["verify.py", str(file), *map(str, history)]
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(PROGRAM, {"__name__": "__main__"})
    except SystemExit as end:
        return end.code
    finally:
        sys.argv = kept
    return 0


@st.composite
def altered(draw, paper: object) -> object:
    """The same JSON with one thing in it changed, taken out or doubled."""
    if isinstance(paper, (list, dict)) and paper and draw(st.integers(0, 9)):
        places = list(paper) if isinstance(paper, dict) else list(range(len(paper)))
        place = draw(st.sampled_from(places))
        found = paper.copy()
        match draw(st.sampled_from(["into"] * 8 + ["out", "double"])):
            case "into":
                found[place] = draw(altered(paper[place]))
            case "out":
                del found[place]
            case "double" if isinstance(paper, list):
                found.insert(place, paper[place])
            case "double":
                found["more"] = paper[place]
        return found
    match paper:
        case bool():
            return not paper
        case int():
            return paper + draw(st.sampled_from([-1, 1, 7]))
        case str() if paper and draw(st.booleans()):
            at = draw(st.integers(0, len(paper) - 1))
            return paper[:at] + draw(st.sampled_from("abcT019: ")) + paper[at + 1 :]
    return draw(st.sampled_from([None, "", "ok", "violated", 0, [], {}, [["T1", True, [], []]]]))


@pytest.fixture(scope="module")
def papers(tmp_path_factory) -> list[tuple[str, Path]]:
    """Certificates as written, of lists and registers at every level that has some, and of our own histories."""
    folder = tmp_path_factory.mktemp("papers")
    found = []
    claims = [*random.Random(1).sample(pool(), 90), *random.Random(1).sample(pool_of_ours(), 30)]
    for at, (claim, text) in enumerate(claims):
        file = folder / f"{at}.history"
        file.write_bytes(text.encode())
        found.append((paper_of([json.loads(claim)], text.encode()).decode(), file))
    return found


def test_a_certificate_with_any_one_thing_changed_is_refused_by_the_verifier_alone(papers, tmp_path):
    refused: Counter = Counter()

    @settings(max_examples=800, database=None, deadline=None, derandomize=True)
    @given(st.data())
    def run(data) -> None:
        paper, file = papers[data.draw(st.integers(0, len(papers) - 1))]
        other = data.draw(altered(json.loads(paper)))
        if json.dumps(other) != paper:
            assert exit_code(json.dumps(other), file, folder=tmp_path) == 1
            assert exit_code(json.dumps(other), folder=tmp_path) == 1
            refused[json.loads(paper)[1]["claims"][0]["level"]] += 1

    run()
    assert sum(refused.values()) >= 500 and len(refused) > 4, refused


def test_a_certificate_is_accepted_as_it_is_and_refused_with_another_history(papers, tmp_path):
    for at, (paper, file) in enumerate(papers):
        assert exit_code(paper, file, folder=tmp_path) == exit_code(paper, folder=tmp_path) == 0
        assert sealed_accepted(paper.encode(), file.read_bytes())
        if papers[at - 1][1].read_bytes() != file.read_bytes():
            assert exit_code(paper, papers[at - 1][1], folder=tmp_path) == 1
    assert exit_code("[", folder=tmp_path) == 3 and exit_code("[]", folder=tmp_path) == 1
    assert exit_code(paper_of([], b"").decode(), folder=tmp_path) == 1


def test_listed_transactions_that_are_changed_together_with_the_digest_are_refused_by_the_transcript(papers):
    refused: Counter = Counter()

    @settings(max_examples=600, database=None, deadline=None, derandomize=True)
    @given(st.data())
    def run(data) -> None:
        paper, file = papers[data.draw(st.integers(0, len(papers) - 1))]
        [claim] = json.loads(paper)[1]["claims"]
        rows = claim["transactions"]
        at = data.draw(st.integers(0, len(rows) - 1))
        other = data.draw(altered(rows[at]))
        if json.dumps(other) != json.dumps(rows[at]):
            changed = {**claim, "transactions": [*rows[:at], other, *rows[at + 1 :]]}
            assert not sealed_accepted(paper_of([changed], file.read_bytes()), file.read_bytes()), (changed, claim)
            refused["by the transcript alone" if follows(changed) else "by both"] += 1

    run()
    assert min(refused["by the transcript alone"], refused["by both"]) > 50, refused
