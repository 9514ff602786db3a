"""The protocols and the variants of MTPO with a sentence each, taken from where each is written down."""

import sys
from dataclasses import fields, is_dataclass

from coagent.bad_input import BadInput
from coagent.protocols import PROTOCOLS, VARIANTS

SECTIONS = ("workloads", "protocols", "variants")
"""What there is to list."""


def protocol_names() -> list[tuple[str, str]]:
    """Every protocol's name, with the sentence its file opens with, or what sets a variant apart."""
    return [(name, _sentence(one)) for name, one in PROTOCOLS.items()]


def variant_names() -> list[tuple[str, str]]:
    """Every variant's name, with what is wrong about it and the papers' sentence that it breaks."""
    return [(name, f"{(one.__doc__ or '').strip()} Breaks {one.breaks}.") for name, one in VARIANTS.items()]


def listed(section: str | None) -> dict[str, list[tuple[str, str]]]:
    """Names with sentences by section, of one section or (None) of all. Raises BadInput for a section there is not."""
    if section not in (None, *SECTIONS):
        raise BadInput(f"there is nothing called {section!r} to list; there are {', '.join(SECTIONS)}")
    from workloads import names

    made = {"workloads": names, "protocols": protocol_names, "variants": variant_names}
    return {name: list(made[name]()) for name in SECTIONS if section in (None, name)}


def _sentence(protocol: object) -> str:
    kind = type(protocol)
    plain = kind()
    if not is_dataclass(protocol) or plain == protocol:
        return " ".join((sys.modules[kind.__module__].__doc__ or "").split("\n\n")[0].split())
    differs = [
        f"{one.name} = {getattr(protocol, one.name)}"
        for one in fields(kind)
        if one.name != "name" and getattr(protocol, one.name) != getattr(plain, one.name)
    ]
    return f"{plain.name} with {', '.join(differs)}"
