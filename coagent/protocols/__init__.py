"""The protocols, one file and one rule each. `protocol(name)` finds one by the name the command line uses.

What is listed in `PROTOCOLS` is meant to be used or compared with; the broken variants of MTPO are in `VARIANTS`.
"""

from collections.abc import Mapping
from difflib import get_close_matches

from coagent.bad_input import BadInput
from coagent.protocols.broadcast import Broadcast
from coagent.protocols.fork_merge import ForkMerge
from coagent.protocols.mtpo import Mtpo
from coagent.protocols.naive import Naive
from coagent.protocols.optimistic import Optimistic
from coagent.protocols.serial import Serial
from coagent.protocols.two_phase_locking import TwoPhaseLocking
from coagent.protocols.variants import VARIANTS

__all__ = ["PROTOCOLS", "VARIANTS", "protocol"]

PROTOCOLS: Mapping[str, object] = {
    one.name: one
    for one in (
        Serial(),
        Naive(),
        TwoPhaseLocking(),
        Optimistic(),
        ForkMerge(),
        Mtpo(),
        Mtpo(name="mtpo-reissue", late="reissue"),
        Mtpo(name="mtpo-footprint", notify="footprint"),
        Mtpo(name="mtpo-pass", gate="pass"),
        Broadcast(),
    )
}
"""Every protocol by name, variants apart."""


def protocol(name: str) -> object:
    """The protocol or variant of that name. Raises BadInput when there is none."""
    known = {**PROTOCOLS, **VARIANTS}
    if name in known:
        return known[name]
    close = get_close_matches(name, known, 1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise BadInput(
        f"there is no protocol {name!r}; {hint}known are {', '.join(PROTOCOLS)}, "
        f"and {len(VARIANTS)} variants of mtpo that `coagent list variants` names"
    )
