"""The proposition and the laws hold by their premises, and not without them."""

import pytest

from checker.proof import proposition, prove_laws, prove_proposition
from checker.proof.proof import Counterexample, Proof


def test_the_proposition_and_both_laws_are_proved_for_any_number() -> None:
    for proof in (prove_proposition(), *prove_laws()):
        assert (proof.verdict, proof.how) == ("proved", "z3"), proof.sentences()
        assert len(proof.notes) >= 3


@pytest.mark.parametrize("steps", ["_proposition", "_read_side", "_write_side"])
def test_a_step_without_its_premises_is_not_proved(steps: str) -> None:
    kept = 0
    for words, given, goal in getattr(proposition, steps)():
        bare = proposition._proof("bare", lambda step=(words, goal): [(step[0], [], step[1])], 1.0)
        kept += bare.verdict == "proved"
        whole = proposition._proof("whole", lambda step=(words, given, goal): [step], 5.0)
        assert whole.verdict == "proved"
    assert kept == 0


def test_premises_that_contradict_each_other_prove_nothing() -> None:
    words, given, goal = next(iter(proposition._proposition()))
    false = proposition._proof("false", lambda: [(words, [*given, goal.ctx and _no(goal)], goal)], 1.0)
    assert false.verdict == "unknown"
    assert "contradict" in false.missing[0]


def _no(goal: object) -> object:
    import z3

    return z3.Not(goal)


@pytest.mark.parametrize(
    "fields",
    [
        {"verdict": "perhaps"},
        {"verdict": "refuted"},
        {"verdict": "unknown"},
        {"verdict": "proved", "counterexample": Counterexample(state={})},
    ],
)
def test_an_answer_that_contradicts_itself_cannot_be_made(fields: dict) -> None:
    with pytest.raises(ValueError):
        Proof(what="it holds", **fields)
