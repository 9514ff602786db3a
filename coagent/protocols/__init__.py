"""The protocols, one file and one rule each. `protocol(name)` finds one by the name the command line uses.

`fork-merge` and the ablations are not registered here.
"""

from collections.abc import Mapping
from difflib import get_close_matches

from coagent.bad_input import BadInput
from coagent.protocols.broadcast import Broadcast
from coagent.protocols.mtpo import Mtpo
from coagent.protocols.naive import Naive
from coagent.protocols.optimistic import Optimistic
from coagent.protocols.serial import Serial
from coagent.protocols.two_phase_locking import TwoPhaseLocking

PROTOCOLS: Mapping[str, object] = {
    one.name: one
    for one in (
        Serial(),
        Naive(),
        TwoPhaseLocking(),
        Optimistic(),
        Mtpo(),
        Mtpo(name="mtpo-reissue", late="reissue"),
        Mtpo(name="mtpo-footprint", notify="footprint"),
        Mtpo(name="mtpo-pass", gate="pass"),
        Broadcast(),
    )
}
"""Every protocol by name."""


def protocol(name: str) -> object:
    """The protocol of that name. Raises BadInput when there is none."""
    if name in PROTOCOLS:
        return PROTOCOLS[name]
    close = get_close_matches(name, PROTOCOLS, 1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise BadInput(f"there is no protocol {name!r}; {hint}known are {', '.join(PROTOCOLS)}")
