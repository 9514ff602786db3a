"""How long to wait before a model is asked again: exponential back-off with jitter, or what the server asks for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import Random


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """At most `tries` requests; between them `first_s`, doubled each time up to `most_s`, of which jitter leaves at
    least half. A server that asks for a wait gets it, and up to `first_s` more, unless that is more than `most_s`."""

    tries: int = 6
    first_s: float = 0.5
    most_s: float = 60.0

    def wait_s(self, failures: int, asked_s: float | None, random: Random) -> float | None:
        """Seconds to wait after so many failures (from 1), or None: it is no use to ask again."""
        if failures >= self.tries or (asked_s is not None and asked_s > self.most_s):
            return None
        if asked_s is not None:
            return asked_s + random.uniform(0.0, self.first_s)
        return min(self.most_s, self.first_s * 2.0 ** (failures - 1)) * random.uniform(0.5, 1.0)


def retry_after_s(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds that an answer asks to wait: `retry-after-ms`, else `retry-after` in seconds or as a date (RFC 9110).

    None where it asks for nothing, or for nothing that can be read. `now` is in UTC.
    """
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            asked_s = float(headers.get(name, "")) * unit_s
        except ValueError:
            continue
        if 0.0 <= asked_s < float("inf"):
            return asked_s
    try:
        until = parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - (now or datetime.now(UTC))).total_seconds())
