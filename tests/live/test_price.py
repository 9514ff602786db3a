"""Tokens and money: exact sums, by agent and in all, and nothing made up."""

from fractions import Fraction

import pytest

from coagent.bad_input import BadInput
from coagent.live.agents.completion import Completion
from coagent.live.agents.price import Bill, Price, price

FIRST = Completion(prompt_tokens=1000, cached_tokens=400, output_tokens=50, seconds=2.0)
SECOND = Completion(prompt_tokens=3000, cached_tokens=0, output_tokens=10, seconds=1.0)
SILENT = Completion(text="no tokens", seconds=4.0)


def bill(*given):
    made = Bill()
    for agent, completion in given:
        made = made.add(agent, completion)
    return made


def test_cached_input_has_its_own_price():
    named = Price(input=Fraction(2), cached_input=Fraction(1, 2), output=Fraction(8))
    rows = {row["agent"]: row for row in bill(("A", FIRST), ("B", SECOND)).rows(named)}
    assert rows["A"]["cost"] == pytest.approx((600 * 2 + 400 * 0.5 + 50 * 8) / 1e6, rel=1e-12)
    assert rows["B"]["cost"] == pytest.approx((3000 * 2 + 10 * 8) / 1e6, rel=1e-12)
    assert rows[None]["cost"] == pytest.approx(rows["A"]["cost"] + rows["B"]["cost"], rel=1e-12)


def test_sums_are_by_agent_and_in_all():
    made = bill(("A", FIRST), ("B", SECOND), ("A", SECOND))
    assert list(made.by_agent) == ["A", "B"]
    assert (made.by_agent["A"].prompt_tokens, made.by_agent["A"].cached_tokens) == (4000, 400)
    assert (made.total.completions, made.total.output_tokens, made.total.seconds) == (3, 70, 4.0)


def test_completions_without_tokens_are_counted_as_such():
    row = list(bill(("A", FIRST), ("A", SILENT)).rows(price("1,1")))[-1]
    assert (row["completions"], row["uncounted"], row["prompt_tokens"], row["inference_s"]) == (2, 1, 1000, 6.0)
    assert "cost" not in next(iter(bill(("A", FIRST)).rows()))


def test_a_million_small_amounts_are_exact():
    cheap = price("0.1,0.3")
    tiny = Completion(prompt_tokens=1, cached_tokens=0, output_tokens=1)
    assert cheap.of(bill(*[("A", tiny)] * 1000).total) == Fraction(4, 10) / 1000


def test_prices_are_read_as_they_are_written():
    assert price("0.27, 0.07 ,1.1") == Price(
        input=Fraction(27, 100), cached_input=Fraction(7, 100), output=Fraction(11, 10)
    )
    assert price("2,8").cached_input is None


@pytest.mark.parametrize("text", ["", "1", "1,2,3,4", "-1,2", "1,x", "nan,1", "1/3,1", "1e9,1", ",", "1.1.1,2"])
def test_what_is_no_price_is_refused(text):
    with pytest.raises(BadInput, match="INPUT,CACHED,OUTPUT"):
        price(text)
