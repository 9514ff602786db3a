"""The protocols with a sentence each, taken from where each is written down."""

import sys
from dataclasses import fields, is_dataclass

from coagent.protocols import PROTOCOLS


def protocol_names() -> list[tuple[str, str]]:
    """Every protocol's name, with the sentence its file opens with, or what sets a variant apart."""
    return [(name, _sentence(one)) for name, one in PROTOCOLS.items()]


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
