"""The answer of every checker: ok with an order, violated with its anomalies, unknown with what was missing.

Decides nothing; it is the shape that the command line prints and the exit code that goes with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from checker.anomaly import Anomaly

EXIT = {"ok": 0, "violated": 1, "unknown": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a history is, judged by `criterion`.

    `verdict` is `ok` (then `order` is a serial order that explains it; at snapshot isolation the order of
    the commits, with `starts_and_commits` in `proof`; at weaker levels one that keeps the ww and, from read
    committed on, wr edges), `violated` (then `anomalies` is not empty) or `unknown` (then `missing` says why).
    `blame` names the assumption that a bad run broke (`A1`, `A2`, `A3`, `inverse` or `protocol`; an ok run is
    bad when its workload's invariant is broken), or None, and `evidence` are the sentences that show it.
    `proof` is otherwise a derivation of a violation that is no single cycle, as JSON (see
    `checker.certificate`). `transactions` and
    `operations` are counts over the whole history, `seconds` wall clock.
    """

    verdict: str
    criterion: str
    order: tuple[str, ...] | None = None
    anomalies: tuple[Anomaly, ...] = ()
    missing: tuple[str, ...] = ()
    blame: str | None = None
    evidence: tuple[str, ...] = ()
    proof: Mapping[str, object] | None = field(default=None, compare=False)
    transactions: int = 0
    operations: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.verdict not in EXIT:
            raise ValueError(f"a verdict is ok, violated or unknown, not {self.verdict!r}")
        if self.verdict == "violated" and not self.anomalies:
            raise ValueError("a violated verdict needs an anomaly that says why")
        if self.verdict == "ok" and (self.anomalies or self.order is None):
            raise ValueError("an ok verdict has a serial order and no anomaly")
        if self.verdict == "unknown" and not self.missing:
            raise ValueError("an unknown verdict must say what was missing")

    @property
    def exit_code(self) -> int:
        """0 holds, 1 violated, 2 cannot tell."""
        return EXIT[self.verdict]

    def to_json(self, file: str | None = None) -> dict[str, object]:
        """The verdict as JSON has it, `file` first when given; `missing` and `evidence` only when there are any."""
        shape: dict[str, object] = {} if file is None else {"file": file}
        shape |= {
            "verdict": self.verdict,
            "criterion": self.criterion,
            "order": None if self.order is None else list(self.order),
            "anomalies": [
                {
                    "name": one.name,
                    "adya": one.adya,
                    "transactions": list(one.transactions),
                    "because": list(one.because),
                }
                for one in self.anomalies
            ],
            "blame": self.blame,
            "transactions": self.transactions,
            "operations": self.operations,
            "seconds": round(self.seconds, 6),
        }
        shape |= {"evidence": list(self.evidence)} if self.blame else {}
        return shape | {"missing": list(self.missing)} if self.verdict == "unknown" else shape

    def _repr_html_(self) -> str:
        """As a notebook shows it."""
        from checker.display import verdict_html

        return verdict_html(self)

    def sentences(self) -> list[str]:
        """The verdict in lines that a person reads: the answer, then the reasons."""
        match self.verdict:
            case "ok":
                return [
                    f"{self.criterion}: {_size(self)}",
                    f"{_kind_of_order(self)}: {_listed(self.order or ())}",
                    *_blamed(self),
                ]
            case "violated":
                return [f"not {self.criterion}: {_size(self)}", *_reasons(self.anomalies), *_blamed(self)]
            case _:
                return [f"cannot tell whether it is {self.criterion}: {_size(self)}", *self.missing, *_blamed(self)]


def _kind_of_order(verdict: Verdict) -> str:
    if verdict.proof and "starts_and_commits" in verdict.proof:
        return "an order of the commits"
    weak = verdict.criterion.endswith(
        ("committed", "uncommitted", "view", "stability", "isolation", "atomic", "causal")
    )
    return "an order of the writes" if weak else "a serial order"


def _size(verdict: Verdict) -> str:
    return f"{_counted(verdict.transactions, 'transaction')}, {_counted(verdict.operations, 'operation')}"


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _listed(order: Sequence[str], most: int = 30) -> str:
    if not order:
        return "(none committed)"
    return ", ".join(order[:most]) + (f" and {len(order) - most} more" if len(order) > most else "")


def _reasons(anomalies: Sequence[Anomaly]) -> list[str]:
    return [f"{one.name} ({one.adya}): {sentence}" for one in anomalies for sentence in one.because]


def _blamed(verdict: Verdict) -> list[str]:
    """What was broken, and the evidence that the reasons have not told already."""
    told = {f"{one.name}: {why}" for one in verdict.anomalies for why in one.because} | {*verdict.missing}
    more = [one for one in verdict.evidence if one not in told]
    return [f"broken: {verdict.blame}", *more] if verdict.blame else []
