"""What a variant of MTPO is: MTPO with one rule left out or bent, which it breaks, and what it is to be convicted of.

Decides nothing that MTPO does not. A judge may not read `expects`: it is what a test holds the judge's answer to.
"""

from dataclasses import dataclass, field

from coagent.protocols.mtpo import Mtpo


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant(Mtpo):
    """MTPO and what is changed: the sentence that it breaks, and the anomaly that shows it ("" when none may)."""

    breaks: str = field(default="", repr=False)
    expects: str = field(default="", repr=False)
