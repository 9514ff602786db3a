"""Every answer has a certificate that a program without the checker accepts, and no other certificate passes for it."""

import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import combinations, permutations, product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sketch import explains, random_history

from checker import check_source, verify
from checker.certificate import certificate, claimed
from checker.formats import load
from checker.transaction import Transaction
from coagent.bad_input import BadInput

VERIFIER = Path(verify.__file__)
LEVELS = ("serializable", "snapshot-isolation", "read-committed", "consistent-view", "strict-serializable")
KINDS = ("wr", "ww", "rw", "so", "rt", "sc", "older", "newer", "unwritten", "alone")


def written(transactions: list[Transaction]) -> str:
    """The transactions as a Jepsen history of JSON lines, one after the other."""
    rows = []
    for number, one in enumerate(transactions):
        told = [[kind, key, list(value) if isinstance(value, tuple) else value] for kind, key, value in one.steps]
        end = {"committed": "ok", "aborted": "fail", "unknown": "info"}[one.status]
        rows += [{"type": "invoke", "process": number, "value": told}, {"type": end, "process": number, "value": told}]
    return "".join(json.dumps(row) + "\n" for row in rows)


@cache
def pool(folder: Path) -> tuple[tuple[str, str], ...]:
    """Claims with the text that each is about, from small random histories at several levels."""
    found = []
    for seed in range(60):
        for model in ("append", "w"):
            path = folder / f"{model}-{seed}.jsonl"
            path.write_text(written(random_history(seed, model)))
            for level in LEVELS:
                try:
                    [source] = load(str(path))
                    verdict = check_source(source, level=level)
                    if verdict.verdict != "unknown":
                        found.append((json.dumps(claimed(source, verdict, None, path.read_text())), path.read_text()))
                except BadInput:
                    continue
    return tuple(found)


@pytest.fixture(scope="module")
def claims(tmp_path_factory) -> tuple[tuple[str, str], ...]:
    return pool(tmp_path_factory.mktemp("claims"))


def accepted(claim: dict, text: str) -> bool:
    try:
        verify.judge(claim, text)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return False
    return True


# what an independent brute force says of a claim


def transactions(text: str) -> dict[str, Transaction]:
    """The transactions of JSON lines as written by `written`, by the name that certificates give them."""
    found = {}
    for place, row in enumerate(json.loads(line) for line in text.splitlines()):
        if row["type"] != "invoke":
            steps = tuple((k, key, tuple(v) if isinstance(v, list) else v) for k, key, v in row["value"])
            status = {"ok": "committed", "fail": "aborted"}.get(row["type"], "unknown")
            found[f"T{place}"] = Transaction(name=f"T{place}", status=status, steps=steps, begun=place - 1, ended=place)
    return found


def timely(order: tuple[Transaction, ...], level: str) -> bool:
    strict = level.startswith("str") and "session" not in level
    return not strict or all(a.begun < b.ended for at, a in enumerate(order) for b in order[at:])


def snapshots(live: list[Transaction], begun: frozenset = frozenset(), done: tuple = ()) -> Iterator[tuple]:
    """Every order of starts and commits, as (commits before the start of each, commits)."""
    if len(done) == len(live):
        yield done
        return
    for one in live:
        since = dict(begun).get(one.name)
        if since is None:
            yield from snapshots(live, begun | {(one.name, len(done))}, done)
        elif one.name not in {name for name, _ in done}:
            yield from snapshots(live, begun, (*done, (one.name, since)))


def holds_as_snapshots(order: tuple, named: dict[str, Transaction]) -> bool:
    """Whether each transaction reads the state at its start, and nobody commits a write to its keys meanwhile."""
    for place, (name, since) in enumerate(order):
        before = tuple(named[other] for other, _ in order[:since])
        if since > place or not explains_from(before, named[name]):
            return False
        mine = {key for kind, key, _ in named[name].steps if kind != "r"}
        for other, _ in order[since:place]:
            if mine & {key for kind, key, _ in named[other].steps if kind != "r"}:
                return False
    return True


def explains_from(before: tuple[Transaction, ...], one: Transaction) -> bool:
    blind = [Transaction(name=b.name, status=b.status, steps=tuple(s for s in b.steps if s[0] != "r")) for b in before]
    return explains((*blind, one))


def true(claim: dict, text: str) -> bool:
    """Whether the statement is right, by trying every order there is."""
    named = transactions(text)
    live = [one for one in named.values() if one.status == "committed"]
    snapshot = claim["level"].endswith("snapshot-isolation")
    if claim["verdict"] == "ok":
        order = claim["order"]
        if sorted(name for name, _ in order) != sorted(one.name for one in live):
            return False
        if snapshot:
            return holds_as_snapshots(tuple(map(tuple, order)), named)
        chosen = tuple(named[name] for name, _ in order)
        placed = [since for _, since in order] == list(range(len(order)))
        return placed and explains(chosen) and timely(chosen, claim["level"])
    if snapshot:
        return not any(holds_as_snapshots(order, named) for order in snapshots(live))
    return not any(explains(order) and timely(order, claim["level"]) for order in permutations(live))


# what a step of a proof may say


def says(step: list, text: str, level: str, before: list | None = None) -> bool:
    """Whether the verifier lets the step stand; the cycle that it is given with never holds."""
    claim = {"line": None, "level": level, "verdict": "violated"}
    claim["proof"] = {"steps": [*(before or []), step], "cycle": ["nobody"]}
    try:
        verify.judge(claim, text)
    except ValueError as error:
        return "allows" in str(error)
    except (LookupError, TypeError):
        return False
    raise AssertionError("a cycle of nobody was accepted")


def explained(seed: int, model: str) -> list[Transaction]:
    """Four transactions that ran one after the other, told in another order; some aborted, some of unknown end, and
    some wrote what another one wrote."""
    chance = random.Random(f"{model}-{seed}")
    state: dict[str, object] = {}
    found = []
    for name in "ABCD":
        status = chance.choices(("committed", "aborted", "unknown"), (8, 1, 1))[0]
        now, steps = dict(state), []
        for _ in range(chance.randint(1, 3)):
            key, value = chance.choice("xy"), chance.choice((chance.randint(1, 3), chance.randint(10, 99)))
            if chance.random() < 0.5:
                steps.append(("r", key, now.get(key, () if model == "append" else None)))
            else:
                steps.append((model, key, value))
                now[key] = (*now.get(key, ()), value) if model == "append" else value
        state = now if status == "committed" or status == "unknown" and chance.random() < 0.5 else state
        found.append(Transaction(name=name, status=status, steps=tuple(steps)))
    chance.shuffle(found)
    return found


def explanations(named: dict[str, Transaction]) -> list[list[str]]:
    """Every order of the committed transactions and some of those of unknown end that explains the committed reads."""
    sure = [one for one in named.values() if one.status == "committed"]
    open_ended = [
        Transaction(name=one.name, status=one.status, steps=tuple(step for step in one.steps if step[0] != "r"))
        for one in named.values()
        if one.status == "unknown"
    ]
    chosen = [[*sure, *some] for count in range(len(open_ended) + 1) for some in combinations(open_ended, count)]
    return [[one.name for one in order] for many in chosen for order in permutations(many) if explains(order)]


@pytest.mark.parametrize("model", ["append", "w"])
def test_a_step_that_stands_holds_in_every_order_that_explains_the_reads(model):
    """Every step there could be is tried, so that a rule that says too much is caught by one of these histories."""
    stood: Counter = Counter()
    for seed in range(25):
        text = written(explained(seed, model))
        named = transactions(text)
        orders = explanations(named)
        assert orders
        edges = []
        for why, a, b, key in product(("wr", "ww", "rw", "unwritten", "alone", "so"), named, named, "xy"):
            if says([why, a, b, key, []], text, "serializable"):
                stood[why] += 1
                right = all(a in one and b in one and one.index(a) < one.index(b) for one in orders)
                assert right, (why, a, b, text)
                edges.append([why, a, b, key, []])
        known = {(step[1], step[2]) for step in edges}
        paths = [list(pair) for pair in permutations(named, 2)] + [[one] for one in named]
        paths += [[a, b, c] for (a, b), c in product(known, named) if c not in (a, b)]
        for why, a, b, key in product(("older", "newer"), named, named, "xy"):
            for path in (path for path in paths if a in path[:1] + path[-1:] or b in path[:1] + path[-1:]):
                if says([why, a, b, key, path], text, "serializable", edges):
                    stood[why] += 1
                    right = all(a in one and b in one and one.index(a) < one.index(b) for one in orders)
                    assert right, (why, a, b, path, text)
    wanted = {"append": ("wr", "rw", "ww"), "w": ("wr", "rw", "older", "newer")}[model]
    assert all(stood[why] for why in wanted), stood


def test_a_split_is_of_two_writers_of_one_key(tmp_path):
    """Both ways of a split are gone, so each must be taken: one transaction is in no order with itself."""
    from sketch import history

    text = written(history("A: w x 1", "B: w x 2; w y 1", "C: r y nil"))
    for writers, key in ((["T1", "T1"], "x"), (["T1", "T3"], "y"), (["T1", "T5"], "x"), (["T1", "T9"], "x")):
        half = {"steps": [], "cycle": writers[:1]}
        proof = {"steps": [], "writers": writers, "key": key, "left": half, "right": half}
        assert not accepted({"line": None, "level": "serializable", "verdict": "violated", "proof": proof}, text)


# mutations


@st.composite
def mutants(draw, claims: tuple[tuple[str, str], ...]) -> tuple[dict, str]:
    """A claim that says something else than one that was given out, or the same about another history."""
    whole, text = draw(st.sampled_from(claims))
    claim = json.loads(whole)
    names = sorted(verify.read(text))
    ways = ["verdict", "level", "history"] + (["swap", "drop", "double", "rename", "since"] if "order" in claim else [])
    ways += ["why", "turn", "key", "who", "lose", "node", "shorten"] if "proof" in claim else []
    way = draw(st.sampled_from(ways))
    pick = lambda many: draw(st.integers(0, len(many) - 1))  # noqa: E731
    order, proof = claim.get("order"), claim.get("proof", {"steps": [], "cycle": []})
    match way:
        case "verdict":
            claim["verdict"] = {"ok": "violated", "violated": "ok"}[claim["verdict"]]
        case "level":
            claim["level"] = draw(st.sampled_from([*LEVELS, "read-uncommitted", "serial", "", "repeatable-read"]))
        case "history":
            digits = [at for at, one in enumerate(text) if one.isdigit()]
            at = digits[pick(digits)]
            text = text[:at] + str((int(text[at]) + draw(st.integers(1, 9))) % 10) + text[at + 1 :]
        case "swap" if len(order) > 1:
            at = draw(st.integers(0, len(order) - 2))
            order[at][0], order[at + 1][0] = order[at + 1][0], order[at][0]
        case "drop" if order:
            del order[pick(order)]
        case "double" if order:
            order.append([order[pick(order)][0], len(order)])
        case "rename" if order:
            order[pick(order)][0] = draw(st.sampled_from([*names, "T99", "A"]))
        case "since" if order:
            order[pick(order)][1] += draw(st.sampled_from([-2, -1, 1, 2]))
        case "why" if proof["steps"]:
            proof["steps"][pick(proof["steps"])][0] = draw(st.sampled_from(KINDS))
        case "turn" if proof["steps"]:
            step = proof["steps"][pick(proof["steps"])]
            step[1], step[2] = step[2], step[1]
        case "key" if proof["steps"]:
            proof["steps"][pick(proof["steps"])][3] = draw(st.sampled_from(["x", "y", "z", ""]))
        case "who" if proof["steps"]:
            step = proof["steps"][pick(proof["steps"])]
            step[draw(st.sampled_from([1, 2]))] = draw(st.sampled_from(names))
        case "lose" if proof["steps"]:
            del proof["steps"][pick(proof["steps"])]
        case "node" if proof.get("cycle"):
            proof["cycle"][pick(proof["cycle"])] = draw(st.sampled_from([*names, *("c:" + name for name in names)]))
        case "shorten" if proof.get("cycle"):
            del proof["cycle"][pick(proof["cycle"])]
    return claim, text


COUNTS = {"refused": 0, "true": 0}


def mutated(claims: tuple, examples: int) -> dict[str, int]:
    """How many of so many different mutants were refused, and how many accepted because they are true."""
    counts = {"refused": 0, "true": 0}

    @settings(max_examples=examples, database=None, deadline=None, derandomize=True)
    @given(st.data())
    def run(data) -> None:
        claim, text = data.draw(mutants(claims))
        if (json.dumps(claim), text) in claims:
            return
        if accepted(claim, text):
            assert true(claim, text), (claim, text)
            counts["true"] += 1
        else:
            counts["refused"] += 1

    run()
    return counts


def test_a_mutated_certificate_is_refused_unless_brute_force_finds_it_true(claims):
    counts = mutated(claims, 900)
    assert counts["refused"] >= 500, counts
    assert counts["true"] < counts["refused"], counts


@pytest.mark.nightly
def test_many_mutated_certificates_are_refused(claims):
    assert mutated(claims, 6_000)["refused"] > 3_000


def test_the_claims_that_are_mutated_are_of_every_kind(claims):
    told = [json.loads(claim) for claim, _ in claims]
    steps = {step[0] for claim in told if "proof" in claim for step in claim["proof"]["steps"]}
    assert {"wr", "ww", "rw", "alone", "unwritten", "rt", "sc"} <= steps
    assert {(claim["level"], claim["verdict"]) for claim in told} >= {
        (level, verdict) for level in ("serializable", "snapshot-isolation") for verdict in ("ok", "violated")
    }


def test_every_claim_is_true_by_brute_force(claims):
    serial = [one for one in claims if json.loads(one[0])["level"] in ("serializable", "strict-serializable")]
    assert len(serial) > 100
    for claim, text in serial:
        assert true(json.loads(claim), text)


# files, and the program


def given_out(path: Path, level: str = "serializable") -> list[tuple[str, str]]:
    """For each answered history of a file, what became of its certificate: its verdict, or why there is none."""
    answers = [(source, check_source(source, level=level)) for source in load(str(path))]
    whole = json.loads("".join(certificate(path.read_bytes(), answers)))
    verify.verify(whole, path.read_bytes())
    return [(claim["level"], claim["verdict"]) for claim in whole["claims"]]


def test_every_answer_about_textbook_and_simulated_lists_and_elles_files_is_certified(histories):
    files = [histories / "schedules" / "textbook.jsonl", *sorted(histories.glob("simulated/la-*-0[0-2].edn"))]
    files += [
        histories / "elle" / name for name in ("paper-example.edn", "paper-example.json", "list-append-gh-30.edn")
    ]
    found = [one for path in files for one in given_out(path)]
    assert {verdict for _, verdict in found} == {"ok", "violated"} and len(found) > 40


@pytest.mark.parametrize("level", ["snapshot-isolation", "strict-serializable", "repeatable-read"])
def test_answers_at_other_levels_are_certified_too(histories, level):
    for path in sorted(histories.glob("simulated/la-s*-0[0-4].edn")):
        assert given_out(path, level)


@pytest.mark.parametrize("level", ["serializable", "snapshot-isolation"])
def test_every_answer_about_registers_is_certified(histories, level):
    files = [*sorted(histories.glob("simulated/rw-*-0[0-2].edn")), *sorted(histories.rglob("awdit/**/*.txt"))]
    files += [histories / "register-text" / name for name in ("galera.txt", "pg_ser_bug.txt", "yugabyte.txt")]
    found = [one for path in files for one in given_out(path, level)]
    assert {verdict for _, verdict in found} == {"ok", "violated"} and len(found) > 40


def test_every_violation_of_causal_consistency_is_certified(histories):
    for path in [*sorted(histories.glob("simulated/rw-*-0[0-2].edn")), *sorted(histories.rglob("awdit/**/*.txt"))]:
        [source] = load(str(path))
        if check_source(source, level="causal").verdict == "violated":
            assert given_out(path, "causal")


@pytest.mark.nightly
@pytest.mark.parametrize("level", ["serializable", "snapshot-isolation"])
def test_every_recorded_register_history_is_certified(histories, level):
    for path in [*histories.glob("register-text/*.txt"), *histories.glob("register-text/dbcop/*.gz")]:
        [source] = load(str(path))
        if check_source(source, level=level).verdict != "unknown":
            assert given_out(path, level), path


@pytest.mark.nightly
def test_every_schedule_and_every_simulated_list_is_certified(histories):
    for path in [
        *histories.glob("schedules/*.jsonl"),
        *histories.glob("simulated/la-*.edn"),
        *histories.glob("elle/*"),
    ]:
        assert given_out(path)


def run(*words: object) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, VERIFIER, *map(str, words)], capture_output=True, text=True, check=False)


def test_the_command_writes_what_the_program_accepts_and_another_history_is_refused(tmp_path, coagent):
    rows = {"a": "A: r x []; append x 1", "b": "B: r x []; append x 2"}
    from sketch import history

    good, bad = tmp_path / "good.jsonl", tmp_path / "bad.jsonl"
    bad.write_text(written(history(*rows.values())))
    good.write_text(written(history(rows["a"], "B: r x [1]; append x 2")))
    for path, code in ((good, 0), (bad, 1)):
        paper = path.with_suffix(".json")
        assert coagent("check", path, "--certificate", paper).code == code
        assert (run(paper, path).returncode, run(paper, path).stdout) == (0, "accepted\n")
        first = paper.read_bytes()
        assert coagent("check", path, "--certificate", paper).code == 3
        assert paper.read_bytes() == first
        assert run(paper, {good: bad, bad: good}[path]).returncode == 1
    assert run(good.with_suffix(".json"), tmp_path / "none").returncode == 3
    assert run(good, good).returncode == 3 and run(tmp_path, good).returncode == 3 and run().returncode == 3


def test_a_longer_text_of_the_same_claim_is_judged_by_what_it_says(tmp_path):
    """The digest is a help to people: without it, what the history says decides."""
    from sketch import history

    path = tmp_path / "h.jsonl"
    path.write_text(written(history("A: append x 1", "B: r x [1]")))
    [source] = load(str(path))
    claim = claimed(source, check_source(source), None, path.read_text())
    assert accepted(claim, path.read_text())
    assert not accepted(claim, written(history("A: append x 1", "B: r x []")))
    assert not accepted(claim, written(history("A: append x 1", "B: r x [1]", "C: r x [2]")))
    assert not accepted(claim, written(history("A!: append x 1", "B: r x [1]")))


def test_the_verifier_imports_nothing_but_the_standard_library(tmp_path):
    alone = tmp_path / "verify.py"
    alone.write_bytes(VERIFIER.read_bytes())
    done = subprocess.run([sys.executable, "-I", "-S", alone], capture_output=True, text=True, check=False)
    assert done.returncode == 3 and done.stdout.startswith("unusable")


def test_an_unknown_answer_and_an_ok_that_nothing_shows_have_no_certificate(tmp_path, coagent):
    from sketch import history

    path = tmp_path / "h.jsonl"
    path.write_text(written(history("A: append x 1", "B: append x 1", "C: r x [1]")))
    answer = coagent("check", path, "--certificate", tmp_path / "c.json")
    assert answer.code == 3 and "unknown" in answer.err and not (tmp_path / "c.json").exists()
    path.write_text(written(history("A: append x 1; append y 1", "B: r x [1]; r y []")))
    answer = coagent("check", path, "--level", "read-committed", "--certificate", tmp_path / "c.json")
    assert answer.code == 3 and "no certificate for an ok" in answer.err and not (tmp_path / "c.json").exists()
