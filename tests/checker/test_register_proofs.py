"""Every refutation of a register history is a derivation that a reader without the checker can follow, step by step."""

import copy
import random
from itertools import permutations, product

import by_definition as truth
import pytest
from sketch import history

from checker.level import LEVELS
from checker.orientation import oriented
from checker.polygraph import polygraph
from checker.register import check_register
from checker.register_fact import outside
from checker.sample_register import PLANTED, Mix, sampled
from checker.saturation import Saturation
from checker.serial_search import Block, search
from checker.splitting import decided
from checker.transaction import Transaction

LEVELS_PROVED = (
    "serializable",
    "strong-session-serializable",
    "snapshot-isolation",
    "strong-session-snapshot-isolation",
)


class Refused(Exception):
    """The derivation does not follow."""


def follow(tree, there, level, known=frozenset()):
    """Raises Refused unless every step of the tree follows from the transactions and what is known."""
    s, c = ("s:", "c:") if level.endswith("snapshot-isolation") else ("", "")
    named = {one.name: one for one in there}
    writes = {name: truth.finals(one) for name, one in named.items()}
    reads = {name: dict(truth.outside(one)) for name, one in named.items()}
    known = set(known)

    def need(fact):
        if not fact:
            raise Refused

    def source(name, key):
        found = [one for one in named if key in reads[name] and writes[one].get(key) == reads[name][key] != None]  # noqa: E711
        need(len(found) == 1)
        return found[0]

    def linked(path, start, end):
        need(path[0] == start and path[-1] == end and len(path) > 1)
        need(all((one, other) in known for one, other in zip(path, path[1:], strict=False)))

    for step in tree["steps"]:
        a, b = step["edge"]
        one, other = a[len(s) :], b[len(s) :]
        match step["why"]:
            case ["wr", key, value]:
                need((a, b) == (c + one, s + other) and one != other)
                need(writes[one].get(key) == value == reads[other].get(key) and source(other, key) == one)
            case ["init", key]:
                need((a, b) == (s + one, c + other) and one != other)
                need(reads[one].get(key, 0) is None and key in writes[other])
            case ["so"]:
                need((a, b) == (c + one, s + other) and "session" in level and (one, other) in truth.sessions(there))
            case ["sc"]:
                need(s and (a, b) == (s + one, c + one))
            case ["ww", key, reader, path]:
                need((a, b) == (c + one, s + other) and one != other and key in writes[one])
                need(source(reader, key) == other)
                linked(path, a, s + reader)
            case ["rw", key, writer, path]:
                need((a, b) == (s + one, c + other) and one != other and key in writes[other])
                need(source(one, key) == writer != other)
                linked(path, c + writer, b)
            case _:
                raise Refused
        known.add((a, b))
    if "split" in tree:
        split = tree["split"]
        rule, key, u, w = split["why"]
        need(rule == "writers" and u != w and key in writes[u] and key in writes[w])
        need(split["left"] == [c + u, s + w] and split["right"] == [c + w, s + u])
        follow(split["if_left"], there, level, known | {tuple(split["left"])})
        follow(split["if_right"], there, level, known | {tuple(split["right"])})
        return
    ring = tree["cycle"]
    need(ring and all((one, other) in known for one, other in zip(ring, ring[1:] + ring[:1], strict=True)))


def random_history(seed, most):
    """Blind writers and readers of any version over two or three keys: many orders are open."""
    chance = random.Random(seed)
    fresh, keys = iter(range(1, 100)), "xyz"[: chance.randint(2, 3)]
    rows = [
        [(chance.choice("rww"), key) for key in chance.sample(keys, chance.randint(1, len(keys)))]
        for _ in range(chance.randint(3, most))
    ]
    rows = [[(kind, key, next(fresh) if kind == "w" else None) for kind, key in row] for row in rows]
    values = {key: [None, *(v for row in rows for kind, at, v in row if kind == "w" and at == key)] for key in keys}
    rows = [
        [(kind, key, chance.choice(values[key]) if kind == "r" else value) for kind, key, value in row] for row in rows
    ]
    return [
        Transaction(name=f"T{n}", status="committed", steps=tuple(row), session=chance.randint(0, 3))
        for n, row in enumerate(rows)
    ]


def test_every_refutation_of_a_small_history_follows():
    proved = 0
    for seed in range(800):
        there = random_history(seed, 6)
        for level in LEVELS_PROVED:
            verdict = check_register(there, LEVELS[level])
            assert verdict.verdict != "unknown"
            if verdict.verdict == "violated" and verdict.proof is not None:
                follow(verdict.proof, there, level)
                proved += 1
    assert proved > 500


def test_both_ways_of_deciding_give_the_answer_of_every_serial_order():
    seen = {True: 0, False: 0}
    for seed in range(400):
        there = random_history(seed, 6)
        if not truth.sound(there, repeatable=True):
            continue
        expected = any(truth.explains([(one, half) for one in way for half in "sc"]) for way in permutations(there))
        for apart in (False, True):
            known = Saturation(polygraph([outside(one).block for one in there], apart=apart))
            if known.saturate():
                assert apart or not expected
                continue
            order, refuted = decided(known, 10_000)
            assert (order is None) != (refuted is None)
            assert apart or (order is not None) == expected
            assert order is None or apart or truth.explains([(there[place], half) for place in order for half in "sc"])
            if refuted is not None:
                follow(refuted.tree, there, "snapshot-isolation" if apart else "serializable")
                assert oriented(known) is None
            seen[order is not None] += 1
    assert seen[True] > 50


@pytest.mark.parametrize("planted", PLANTED)
@pytest.mark.parametrize("level", ["serializable", "snapshot-isolation"])
def test_a_planted_violation_is_found_named_and_proved_among_hundreds(planted, level):
    sample = sampled(Mix(transactions=300, keys=60), 7, planted=planted)
    verdict = check_register(sample.transactions, LEVELS[level])
    if planted == "write skew" and level == "snapshot-isolation":
        assert verdict.verdict == "ok"
        return
    assert verdict.verdict == "violated" and planted in {one.name for one in verdict.anomalies}
    follow(verdict.proof, sample.transactions, level)
    assert len(verdict.proof["steps"]) < 12


def test_a_proof_with_a_step_changed_is_refused():
    sample = sampled(Mix(transactions=200, keys=40), 3, planted="write skew")
    proof = check_register(sample.transactions, LEVELS["serializable"]).proof
    follow(proof, sample.transactions, "serializable")
    assert proof["steps"]
    for place, step in product(range(len(proof["steps"])), ("drop", "turn")):
        wrong = copy.deepcopy(proof)
        if step == "drop":
            del wrong["steps"][place]
        else:
            wrong["steps"][place]["edge"].reverse()
        with pytest.raises(Refused):
            follow(wrong, sample.transactions, "serializable")


RING = {
    "A": "w x 1; w a 1",
    "B": "w x 2; w b 1",
    "E": "w y 1; w e 1",
    "F": "w y 2; w f 1",
    "RA": "r x 1; r e 1; r f 1",
    "RB": "r x 2; r e 1; r f 1",
    "QE": "r y 1; r a 1; r b 1",
    "QF": "r y 2; r a 1; r b 1",
}
"""Each order of A and B goes ill with each order of E and F, and nothing else says so."""


def rings(seed):
    """One or two such rings on keys of their own, some reads left out, in an order of chance."""
    chance = random.Random(seed)
    rows = []
    for number in range(chance.randint(1, 2)):
        for name, body in RING.items():
            steps = [step for step in body.split("; ") if step[0] == "w" or chance.random() < 0.93]
            rows.append(f"{name}{number}: " + "; ".join(f"{step[:3]}{number}{step[3:]}" for step in steps))
    chance.shuffle(rows)
    return history(*rows)


def test_rings_that_take_splits_are_decided_as_trying_every_state_does():
    seen = {"ok": 0, "violated": 0}
    for seed in range(150):
        there = rings(seed)
        blocks = [Block(name=one.name, reads=dict(truth.outside(one)), writes=truth.finals(one)) for one in there]
        expected = search(blocks, budget=10**6)
        assert expected.complete
        for level in ("serializable", "snapshot-isolation"):
            verdict = check_register(there, LEVELS[level])
            if level == "serializable":
                assert verdict.verdict == ("ok" if expected.order else "violated")
                seen[verdict.verdict] += 1
            assert verdict.verdict != "unknown"
            if verdict.verdict == "violated":
                assert [one.name for one in verdict.anomalies] == ["no serial order"] and "split" in verdict.proof
                follow(verdict.proof, there, level)
    assert min(seen.values()) > 30


def test_what_takes_both_orders_is_told_in_words_and_unknown_without_budget():
    there = history(*(f"{name}: {body}" for name, body in RING.items()))
    verdict = check_register(there)
    assert verdict.verdict == "violated"
    [told] = verdict.anomalies
    assert len(told.because) == 2 and set(told.transactions) < set(RING)
    assert told.because[0].startswith("if A wrote x before B, then ")
    assert "RA before B, because RA read x as A wrote it, before B overwrote that" in told.because[0]
    assert all(line.endswith(": a contradiction") for line in told.because)
    nothing = check_register(there, budget=0)
    assert nothing.verdict == "unknown" and "0 guesses" in nothing.missing[0]
