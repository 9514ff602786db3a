"""What a run took, by agent, in tokens and in money, from what the servers counted and the prices that a user names.

There is no table of prices here, and tokens that no server counted are reported as missing, never estimated.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from coagent.bad_input import BadInput
from coagent.live.agents.completion import Completion

MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Prices for a million tokens, in whatever money: of input, of input that came from the server's cache (None: as
    other input), and of output. Fractions, so that a sum of small amounts is exact."""

    input: Fraction
    cached_input: Fraction | None = None
    output: Fraction

    def of(self, tally: "Tally") -> Fraction:
        """The price of what was counted."""
        cached = self.input if self.cached_input is None else self.cached_input
        fresh = tally.prompt_tokens - tally.cached_tokens
        return (self.input * fresh + cached * tally.cached_tokens + self.output * tally.output_tokens) / MILLION


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Sums over completions: tokens (the cached ones are among the prompt's), seconds, and how many had no count."""

    completions: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    uncounted: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            completions=self.completions + other.completions,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            seconds=self.seconds + other.seconds,
            uncounted=self.uncounted + other.uncounted,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """A tally for each agent, in the order of their first completions."""

    by_agent: Mapping[str, Tally] = field(default_factory=dict)

    def add(self, agent: str, completion: Completion) -> "Bill":
        """The bill with one completion more."""
        sum_of = self.by_agent.get(agent, Tally()) + tally(completion)
        return Bill(by_agent={**self.by_agent, agent: sum_of})

    @property
    def total(self) -> Tally:
        """All agents together."""
        return sum(self.by_agent.values(), Tally())

    def rows(self, price: Price | None = None) -> Iterable[dict[str, object]]:
        """A row for each agent and, last, one for the run (agent None), with `cost` where there are prices.

        A cost is a number of the prices' money; it is a lower bound where `uncounted` is not 0.
        """
        for agent, sum_of in (*self.by_agent.items(), (None, self.total)):
            cost = {} if price is None else {"cost": float(price.of(sum_of))}
            yield {
                "agent": agent,
                "completions": sum_of.completions,
                "prompt_tokens": sum_of.prompt_tokens,
                "cached_tokens": sum_of.cached_tokens,
                "output_tokens": sum_of.output_tokens,
                "inference_s": sum_of.seconds,
                "uncounted": sum_of.uncounted,
                **cost,
            }


def tally(completion: Completion) -> Tally:
    """What one completion took."""
    counted = completion.prompt_tokens is not None and completion.output_tokens is not None
    return Tally(
        completions=1,
        prompt_tokens=completion.prompt_tokens or 0,
        cached_tokens=completion.cached_tokens or 0,
        output_tokens=completion.output_tokens or 0,
        seconds=completion.seconds,
        uncounted=int(not counted),
    )


def price(text: str) -> Price:
    """Reads `INPUT,OUTPUT` or `INPUT,CACHED,OUTPUT`, decimal numbers of some money for a million tokens each.

    Raises BadInput for anything else.
    """
    wrong = BadInput(
        f"{text!r} are no prices; they are INPUT,OUTPUT or INPUT,CACHED,OUTPUT for a million tokens each, "
        "such as 0.27,0.07,1.1"
    )
    parts = text.split(",")
    if len(parts) not in (2, 3) or any(set(part.strip()) - set("0123456789.") for part in parts):
        raise wrong
    try:
        first, *cached, last = (Fraction(part.strip()) for part in parts)
    except ValueError:
        raise wrong from None
    return Price(input=first, cached_input=cached[0] if cached else None, output=last)
