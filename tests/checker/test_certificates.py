"""Every answer has a certificate that a program without the checker accepts, and no other certificate passes for it."""

import hashlib
import json
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import combinations, permutations, product
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sketch import explains, random_history

from checker import check_source, transcript, transcript_reader, verify
from checker.certificate import certificate, claimed
from checker.formats import load
from checker.transaction import Transaction
from coagent.bad_input import BadInput

VERIFIER = Path(verify.__file__)
TRANSCRIPT = Path(transcript.__file__)
READER = Path(transcript_reader.__file__)
LISTS = (
    *("serializable", "snapshot-isolation", "read-committed", "repeatable-read", "strict-serializable"),
    "cursor-stability",
)
LEVELS = (*LISTS, "read-atomic", "causal")
RULES = ("wr", "ww", "rw", "unwritten", "either")


def written(transactions: list[Transaction]) -> str:
    """The transactions as a Jepsen history of JSON lines, one after the other; who is in no session has one alone."""
    rows = []
    for number, one in enumerate(transactions):
        told = [[kind, key, list(value) if isinstance(value, tuple) else value] for kind, key, value in one.steps]
        end = {"committed": "ok", "aborted": "fail", "unknown": "info"}[one.status]
        who = number if one.session is None else one.session
        rows += [{"type": "invoke", "process": who, "value": told}, {"type": end, "process": who, "value": told}]
    return "".join(json.dumps(row) + "\n" for row in rows)


def in_sessions(transactions: list[Transaction]) -> list[Transaction]:
    """The same transactions in two sessions by turns."""
    return [replace(one, session=at % 2) for at, one in enumerate(transactions)]


@cache
def pool() -> tuple[tuple[str, str], ...]:
    """Claims with the text that each is about, from small random histories at several levels."""
    found = []
    with TemporaryDirectory() as folder:
        for seed, model, level in product(range(60), ("append", "w"), LEVELS):
            path = Path(folder) / f"{model}-{seed}.jsonl"
            path.write_text(text := written(in_sessions(random_history(seed, model))))
            try:
                [source] = load(str(path))
                verdict = check_source(source, level=level)
                if verdict.verdict != "unknown":
                    found.append((json.dumps(claimed(source, verdict, None, text)), text))
            except BadInput:
                continue
    return tuple(found)


@pytest.fixture(scope="module")
def claims() -> tuple[tuple[str, str], ...]:
    return pool()


def accepted(claim: dict, text: str) -> bool:
    """Whether the claim lists what the text says, and follows."""
    return sealed_accepted(paper_of([claim], text.encode()), text.encode())


def paper_of(claims: list[dict], raw: bytes) -> bytes:
    """A certificate of these claims with the digests that belong to it."""
    paper = {"sha256": hashlib.sha256(raw).hexdigest(), "claims": claims}
    return json.dumps([hashlib.sha256(json.dumps(paper).encode()).hexdigest(), paper]).encode()


def sealed_accepted(paper: bytes, raw: bytes) -> bool:
    try:
        transcript.check(paper, raw)
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
    """Whether the statement is right: by trying every order there is, at weak levels by what the checker says."""
    named = transactions(text)
    live = [one for one in named.values() if one.status == "committed"]
    snapshot = claim["level"].endswith("snapshot-isolation")
    if not claim["level"].endswith(("serializable", "snapshot-isolation")):
        return judged(text, claim["level"]) == claim["verdict"]
    if claim["verdict"] == "ok":
        order = [name for name, *_ in claim["transactions"] if not name.startswith("tick ")]
        if snapshot:
            done = [name for name in order if name[:2] == "c:"]
            begun = {name[2:]: order.index(name) for name in order if name[:2] == "s:"}
            commits = [(name[2:], sum(one in done for one in order[: begun[name[2:]]])) for name in done]
            return sorted(begun) == sorted(one.name for one in live) and holds_as_snapshots(tuple(commits), named)
        if sorted(order) != sorted(one.name for one in live):
            return False
        chosen = tuple(named[name] for name in order)
        return explains(chosen) and timely(chosen, claim["level"])
    if snapshot:
        return not any(holds_as_snapshots(order, named) for order in snapshots(live))
    return not any(explains(order) and timely(order, claim["level"]) for order in permutations(live))


@cache
def judged(text: str, level: str) -> str:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "h.jsonl"
        path.write_text(text)
        [source] = load(str(path))
        return check_source(source, level=level).verdict


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


# mutations


@st.composite
def mutants(draw, whole: str, text: str) -> tuple[dict, str, bool]:
    """A claim that says something else than one that was given out, or the same about another history; and whether
    what it lists was changed."""
    claim = json.loads(whole)
    rows, proof = claim["transactions"], claim.get("proof")
    names = [row[0] for row in rows]
    ways = ["verdict", "level", "history", "must", "value", "lose step", "lose row", "after", "rename"]
    ways += ["swap"] if claim["verdict"] == "ok" else []
    ways += ["rule", "turn", "who", "place", "lose", "node", "shorten"] if isinstance(proof, dict) else []
    way = draw(st.sampled_from(ways))
    pick = lambda many: draw(st.integers(0, len(many) - 1))  # noqa: E731
    row = rows[pick(rows)]
    step = proof["steps"][pick(proof["steps"])] if isinstance(proof, dict) and proof["steps"] else None
    match way:
        case "verdict":
            claim["verdict"] = {"ok": "violated", "violated": "ok"}[claim["verdict"]]
        case "level":
            claim["level"] = draw(st.sampled_from([*LEVELS, "read-uncommitted", "serial", "", "repeatable-read"]))
        case "history":
            digits = [at for one in re.finditer("value.*", text) for at in range(*one.span()) if text[at].isdigit()]
            assume(digits)
            at = digits[pick(digits)]
            text = text[:at] + str((int(text[at]) + draw(st.integers(1, 9))) % 10) + text[at + 1 :]
        case "must":
            row[1] = not row[1]
        case "value" if row[3]:
            row[3][pick(row[3])][2] = draw(st.sampled_from([["77"], [], ["1"], ["1", "2"]]))
        case "lose step" if row[3]:
            del row[3][pick(row[3])]
        case "lose row":
            rows.remove(row)
        case "after":
            row[2] = draw(st.sampled_from([[], names[:1], [*row[2], names[-1]]]))
        case "rename":
            row[0] = draw(st.sampled_from([*names, "T99", "tick 9"]))
        case "swap" if len(rows) > 1:
            at = draw(st.integers(0, len(rows) - 2))
            rows[at], rows[at + 1] = rows[at + 1], rows[at]
        case "rule" if step:
            step[0] = draw(st.sampled_from(RULES))
        case "turn" if step:
            step[1], step[3] = step[3], step[1]
        case "who" if step:
            step[draw(st.sampled_from([1, 3, 5]))] = draw(st.sampled_from(names))
        case "place" if step:
            step[draw(st.sampled_from([2, 4, 6]))] += draw(st.sampled_from([-2, -1, 1, 2]))
        case "lose" if step:
            proof["steps"].remove(step)
        case "node" if proof and proof["cycle"]:
            proof["cycle"][pick(proof["cycle"])] = draw(st.sampled_from(names))
        case "shorten" if proof and proof["cycle"]:
            del proof["cycle"][pick(proof["cycle"])]
    return claim, text, way in ("must", "value", "lose step", "lose row", "after", "rename")


def mutated(claims: tuple, examples: int) -> dict[str, int]:
    """How many of so many different mutants were refused, and how many accepted because they are true."""
    counts = {"refused": 0, "true": 0}

    @settings(max_examples=examples, database=None, deadline=None, derandomize=True)
    @given(st.data())
    def run(data) -> None:
        whole, text = claims[data.draw(st.integers(0, len(claims) - 1))]
        claim, text, listing = data.draw(mutants(whole, text))
        if any(json.loads(one) == claim and other == text for one, other in claims):
            return
        if accepted(claim, text):
            assert true(claim, text) and not (listing and loses_nothing_needed(claim, text)), (claim, text)
            counts["true"] += 1
        else:
            counts["refused"] += 1

    run()
    return counts


def loses_nothing_needed(claim: dict, text: str) -> bool:
    """Whether what is listed is not what `listing` leaves of the history."""
    whole = transcript.read_whole(text, claim["level"])
    rows = {name: rest for name, *rest in claim["transactions"]}
    keys = {key for _, _, steps in rows.values() for _, key, _ in steps}
    keys = None if claim["verdict"] == "ok" else {key for key in keys if not key.startswith("lock ")}
    right = transcript.listing(whole, claim["level"], keys, {name.split(":")[-1] for name in rows})
    return rows != {name: rest for name, *rest in right}


def test_a_mutated_certificate_is_refused_unless_brute_force_finds_it_true(claims):
    """With digests that fit, so that what the history says has to decide."""
    counts = mutated(claims, 900)
    assert counts["refused"] >= 500, counts
    assert counts["true"] < counts["refused"] / 4, counts


@pytest.mark.nightly
def test_many_mutated_certificates_are_refused(claims):
    assert mutated(claims, 6_000)["refused"] > 3_000


def rules_in(proof: object) -> set[str]:
    """The rules of a proof, those under `either` too."""
    steps = proof["steps"] if isinstance(proof, dict) else []
    return {step[0] for step in steps}.union(*(rules_in(step[7]) for step in steps))


def test_the_claims_that_are_mutated_are_of_every_kind(claims):
    told = [json.loads(claim) for claim, _ in claims]
    assert set().union(*(rules_in(claim.get("proof")) for claim in told)) == {*RULES}
    assert {(claim["level"], claim["verdict"]) for claim in told} >= {
        (level, verdict) for level in LEVELS for verdict in ("ok", "violated")
    }


def test_every_claim_is_true(claims):
    assert len(claims) > 300
    for claim, text in claims:
        few = len(transactions(text)) < 5 or "isolation" not in claim  # of five, starts and commits have 113,400 orders
        assert not few or true(json.loads(claim), text)


def test_every_violation_of_a_small_history_is_certified(tmp_path):
    """Those that need cases are left to the checker's own derivations, which these levels of lists never need."""
    for seed in range(150):
        for model in ("append", "w"):
            path = tmp_path / f"{model}-{seed}.jsonl"
            path.write_text(written(in_sessions(random_history(seed, model))))
            [source] = load(str(path))
            registers = ("serializable", "snapshot-isolation", "read-atomic", "causal", "cursor-stability")
            for level in (*LISTS, "read-uncommitted") if model == "append" else registers:
                verdict = check_source(source, level=level)
                if verdict.verdict == "violated":
                    assert claimed(source, verdict, None, path.read_text())["verdict"] == "violated"


# files, and the program


def given_out(path: Path, level: str = "serializable") -> list[tuple[str, str]]:
    """For each answered history of a file, what became of its certificate: its verdict, or why there is none."""
    answers = [(source, check_source(source, level=level)) for source in load(str(path))]
    whole = "".join(certificate(path.read_bytes(), answers))
    transcript.check(whole.encode(), path.read_bytes())
    return [(claim["level"], claim["verdict"]) for claim in json.loads(whole)[1]["claims"]]


def test_every_answer_about_textbook_and_simulated_lists_and_elles_files_is_certified(histories):
    files = [histories / "schedules" / "textbook.jsonl", *sorted(histories.glob("simulated/la-*-0[0-2].edn"))]
    files += [
        histories / "elle" / name for name in ("paper-example.edn", "paper-example.json", "list-append-gh-30.edn")
    ]
    found = [one for path in files for one in given_out(path)]
    assert {verdict for _, verdict in found} == {"ok", "violated"} and len(found) > 40


@pytest.mark.parametrize(
    "level",
    [
        "snapshot-isolation",
        "strict-serializable",
        "strong-session-serializable",
        "repeatable-read",
        "read-committed",
        "read-uncommitted",
        "cursor-stability",
    ],
)
def test_answers_at_other_levels_are_certified_too(histories, level):
    for path in sorted(histories.glob("simulated/la-s*-0[0-4].edn")):
        assert given_out(path, level)


@pytest.mark.parametrize("level", ["serializable", "snapshot-isolation"])
def test_every_answer_about_registers_is_certified(histories, level):
    files = [*sorted(histories.glob("simulated/rw-*-0[0-2].edn")), *sorted(histories.rglob("awdit/**/*.txt"))]
    files += [histories / "register-text" / name for name in ("galera.txt", "pg_ser_bug.txt", "yugabyte.txt")]
    found = [one for path in files for one in given_out(path, level)]
    assert {verdict for _, verdict in found} == {"ok", "violated"} and len(found) > 40


@pytest.mark.parametrize(("level", "most"), [("causal", 45), ("read-atomic", 30), ("cursor-stability", 25)])
def test_every_violation_of_causal_consistency_is_certified(histories, level, most):
    """Of the other two levels as well, and every ok, each at the level asked for and none weaker or stronger."""
    found: Counter = Counter()
    for path in [*sorted(histories.glob("simulated/rw-*.edn")), *sorted(histories.rglob("awdit/**/*.txt"))]:
        [(told, verdict)] = given_out(path, level)
        assert told.removeprefix("strong-session-") == level
        found[verdict] += 1
    assert found["violated"] >= most and found["ok"] > 40, found


def test_every_answer_at_read_committed_where_sessions_count_is_certified_by_its_axiom(histories, tmp_path):
    files = [*sorted(histories.rglob("awdit/**/*.txt")), *sorted(histories.glob("register-text/*.txt"))]
    files += sorted(histories.glob("register-text/dbcop/*galera_all_writes__3_*hist-0002*"))
    found = Counter(one for path in files for one in given_out(path, "read-committed"))
    level = "strong-session-axiomatic-read-committed"
    assert {told for told, _ in found} == {level} and found[level, "violated"] >= 4 and found[level, "ok"] > 20, found
    path = tmp_path / "h.txt"
    path.write_text("w(1,1,0,0)\nw(2,1,0,0)\nr(1,1,1,1)\nr(2,0,1,1)\n")
    assert given_out(path, "read-committed") == [(level, "violated")]


def test_nearly_every_violation_of_consistent_view_is_certified(histories):
    """Not where the order of two writers has to be tried both ways, nor over long ways that no read shows."""
    found: Counter = Counter()
    for path in sorted(histories.glob("simulated/rw-*.edn")):
        [source] = load(str(path))
        if check_source(source, level="consistent-view").verdict == "violated":
            try:
                found[given_out(path, "consistent-view")[0]] += 1
            except BadInput:
                found["none"] += 1
    assert found["consistent-view", "violated"] >= 20 and found["none"] <= 3, found


def test_registers_are_certified_at_read_uncommitted(tmp_path):
    """The order of their versions is free there, so that whatever committed is in order."""
    path = tmp_path / "h.jsonl"
    path.write_text(written([replace(one, session=0) for one in random_history(3, "w")]))
    for level in ("read-uncommitted", "strong-session-read-uncommitted", "strong-read-uncommitted"):
        assert given_out(path, level) == [(level, "ok")]


@pytest.mark.parametrize("level", ["strict-serializable", "strong-session-serializable", "strong-snapshot-isolation"])
@pytest.mark.parametrize("model", ["w", "append"])
def test_one_of_unknown_end_may_take_effect_after_what_began_later(tmp_path, level, model):
    from sketch import history

    path = tmp_path / "h.jsonl"
    seen = "4" if model == "w" else "[5 4]"
    there = history(f"A?: {model} x 4", f"B: {model} x 5", f"C: r x {seen}", f"D?: {model} y 1")
    path.write_text(written([replace(one, session=0) for one in there]))
    assert given_out(path, level) == [(level, "ok")]


@pytest.mark.parametrize(
    "error", [":none", "{:code 40001}", "{:via [{:at {:line 1}}]}", '"a } b"', '"; {"', '"} {:type :ok"', ":e ; {"]
)
def test_whatever_is_told_of_an_abort_it_is_one(tmp_path, error):
    path = tmp_path / "h.edn"
    rows = (
        "{:type :invoke :process 0 :value [[:append :x 1]]}",
        f"{{:type :fail :error {error}\n:process 0 :value [[:append :x 1]]}}",
        "{:type :invoke :process 1 :value [[:r :x nil]]}",
        "{:type :ok :process 1 :value [[:r :x [1]]]}",
    )
    path.write_text("\n".join(rows))
    assert given_out(path) == [("serializable", "violated")]
    assert [name for name in transcript.read_whole(path.read_text(), "serializable")] == ["T3"]


def test_keys_that_differ_in_their_blanks_and_brackets_alone_are_two(tmp_path):
    path = tmp_path / "h.edn"
    path.write_text('{:type :ok :value [[:w "a b" 1] [:w "a(b" 2]]}\n{:type :ok :value [[:r "a b" 2]]}\n')
    whole = transcript.read_whole(path.read_text(), "serializable")
    assert len({key for one in whole.values() for _, key, _ in one.steps}) == 2
    assert given_out(path) == [("serializable", "violated")]


def test_lists_in_round_brackets_are_certified_too(tmp_path):
    path = tmp_path / "h.edn"
    path.write_text("{:type :ok :value [[:append :x 1]]}\n{:type :ok :value ((:r :x (1)))}\n")
    assert given_out(path) == [("serializable", "ok")]


def test_registers_that_are_not_view_serializable_are_certified(tmp_path):
    from sketch import history

    path = tmp_path / "h.jsonl"
    path.write_text(written(history("A: r x nil; w x 1", "B: r x nil; w x 2")))
    assert given_out(path, "view-serializable") == [("serializable", "violated")]


def test_an_ok_is_refused_a_certificate_when_no_order_of_a_stronger_level_shows_it(tmp_path, monkeypatch):
    from sketch import history

    path = tmp_path / "h.jsonl"
    path.write_text(written(history("A: append x 1", "B: r x [1]")))
    monkeypatch.setattr("checker.certificate.accepted", lambda claim, whole: False)
    for level in ("serializable", "snapshot-isolation", "strict-serializable", "read-committed"):
        with pytest.raises(BadInput, match="no certificate for an ok"):
            given_out(path, level)


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


def run(program: Path, *words: object) -> tuple[int, str]:
    done = subprocess.run([sys.executable, program, *map(str, words)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


@pytest.mark.parametrize("program", [VERIFIER, TRANSCRIPT], ids=["verify", "transcript"])
def test_the_command_writes_what_the_programs_accept_and_another_history_is_refused(tmp_path, coagent, program):
    rows = {"a": "A: r x []; append x 1", "b": "B: r x []; append x 2"}
    from sketch import history

    good, bad = tmp_path / "good.jsonl", tmp_path / "bad.jsonl"
    bad.write_text(written(history(*rows.values())))
    good.write_text(written(history(rows["a"], "B: r x [1]; append x 2")))
    for path, code in ((good, 0), (bad, 1)):
        paper = path.with_suffix(".json")
        assert coagent("check", path, "--certificate", paper).code == code
        assert run(program, paper, path) == (0, "accepted\n")
        first = paper.read_bytes()
        assert coagent("check", path, "--certificate", paper).code == 3
        assert paper.read_bytes() == first
        code, said = run(program, paper, {good: bad, bad: good}[path])
        assert code == 1 and said.startswith("refused")
    assert run(program, good.with_suffix(".json"), tmp_path / "none")[0] == 3
    assert run(program, good, good)[0] == 3 and run(program, tmp_path, good)[0] == 3 and run(program)[0] == 3


def test_a_claim_about_another_history_is_refused_though_its_digests_fit(tmp_path):
    from sketch import history

    path = tmp_path / "h.jsonl"
    path.write_text(written(history("A: append x 1", "B: r x [1]")))
    [source] = load(str(path))
    claim = claimed(source, check_source(source), None, path.read_text())
    assert accepted(claim, path.read_text())
    assert not accepted(claim, written(history("A: append x 1", "B: r x []")))
    assert not accepted(claim, written(history("A: append x 1", "B: r x [1]", "C: r x [2]")))
    assert not accepted(claim, written(history("A!: append x 1", "B: r x [1]")))
    assert not sealed_accepted(paper_of([], path.read_bytes()), path.read_bytes())


def test_the_transcript_needs_its_reader_and_the_verifier_alone(tmp_path):
    for program in (VERIFIER, TRANSCRIPT, READER):
        (tmp_path / program.name).write_bytes(program.read_bytes())
    code, said = run(tmp_path / TRANSCRIPT.name)
    assert code == 3 and said.startswith("unusable")


def test_an_unknown_answer_and_one_that_nothing_shows_have_no_certificate(tmp_path, coagent):
    from sketch import history

    path = tmp_path / "h.jsonl"
    path.write_text(written(history("A: append x 1", "B: append x 1", "C: r x [1]")))
    answer = coagent("check", path, "--certificate", tmp_path / "c.json")
    assert answer.code == 3 and "unknown" in answer.err and not (tmp_path / "c.json").exists()
    fork = ["A: append x 1", "B: append y 1", "C: r x [1]; r y []", "D: r x []; r y [1]"]
    for rows, level, told in (
        (fork, "consistent-view", "no certificate for an ok"),
        (["A: append x 1; append y 1", "B: r x [1]; r y []"], "consistent-view", "no certificate was found"),
    ):
        path.write_text(written(history(*rows)))
        answer = coagent("check", path, "--level", level, "--certificate", tmp_path / "c.json")
        assert answer.code == 3 and told in answer.err and not (tmp_path / "c.json").exists()
