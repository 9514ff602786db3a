"""K3, lost update in the cluster: two agents each switch one feature flag in the same text of a ConfigMap.

The flags are one JSON text, so whoever writes last writes back what it read of the other's flag.
"""

import json
from collections.abc import Generator, Mapping
from functools import partial

from coagent.operation import Result, Value
from coagent.program import Intent
from coagent.workload import Agent, Workload
from workloads.cluster import CLUSTER_TOOLS, CONFIGMAPS, FLAGS, named, put
from workloads.row import at

NAME = "k3-flag-blob"
CONFIG = "flagd-config"
VARIANTS = {"adFailure": "on", "cartFailure": "off", "paymentFailure": "off", "recommendationCache": "off"}
"""The flags at the start, each with the variant that is served."""

OFF, ON = "adFailure", "recommendationCache"
"""The flags that A turns off and B turns on."""

TASK = (
    "Turn the feature flag {flag} {variant}. Fetch the flags of the ConfigMap flagd-config, which are a JSON text; "
    'in it set "defaultVariant" of this flag, below "flags", to "{variant}", and leave all else as you found it. Put '
    "the whole text at the path cluster/configmaps/flagd-config/data/demo.flagd.json: JSON on one line, the names of "
    "every object in alphabetical order, one blank after each comma and each colon, none at the end. If the flag has "
    'that variant already, put nothing. Report the variant that it had before, "on" or "off", as a string. If there '
    'is no such flag, change nothing and report "no such flag".'
)
ALSO_A = ' Before you report, put the text "yes" at the path cluster/configmaps/flagd-config/labels/reviewed.'


def text(variants: Mapping[str, str]) -> str:
    """The flags as the ConfigMap holds them."""
    flags = {name: {"defaultVariant": variant, "state": "ENABLED"} for name, variant in variants.items()}
    return json.dumps({"flags": flags}, sort_keys=True)


def switch(flag: str, variant: str, labels: bool) -> Generator[Intent, Result, Value]:
    """One agent: fetch the flags, and write them back with one of them set. Reports what it was set from."""
    found = (yield Intent(call=named("flags", CONFIG))).value
    flags = json.loads(found) if isinstance(found, str) else {}
    chosen = flags.get("flags", {}).get(flag)
    if chosen is None:
        return "no such flag"
    before, chosen["defaultVariant"] = chosen["defaultVariant"], variant
    if before != variant:
        yield Intent(call=put(at(CONFIGMAPS, CONFIG, FLAGS), json.dumps(flags, sort_keys=True)))
    if labels:
        yield Intent(call=put(at(CONFIGMAPS, CONFIG, "labels/reviewed"), "yes"))
    return before


def holds(state: Mapping[str, Value], reports: Mapping[str, object]) -> bool:
    """Both flags are switched, and the others are as they were."""
    return state.get(at(CONFIGMAPS, CONFIG, FLAGS)) == text({**VARIANTS, OFF: "off", ON: "on"})


def workload(*, irrelevant: bool = False) -> Workload:
    """The cell. With `irrelevant`, A then labels the ConfigMap: that lies in what B fetched, and is not in the text."""
    return Workload(
        name=NAME,
        story=f"A turns {OFF} off and B turns {ON} on, in one JSON text of a ConfigMap.",
        state=((at(CONFIGMAPS, CONFIG, FLAGS), text(VARIANTS)),),
        agents=(
            Agent(
                name="A",
                program=partial(switch, OFF, "off", irrelevant),
                task=TASK.format(flag=OFF, variant="off") + ALSO_A * irrelevant,
            ),
            Agent(name="B", program=partial(switch, ON, "on", False), task=TASK.format(flag=ON, variant="on")),
        ),
        tools=CLUSTER_TOOLS,
        invariant=holds,
    )
