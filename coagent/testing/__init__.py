"""Property-testing a protocol: one's own, or a variant of one that comes along. Needs the extra `test`.

`check_protocol(protocol)` looks for the smallest run that is not as promised; `machine(protocol)` is a Hypothesis state
machine that invents the calls as well; the strategies draw scenarios, schedules and judges for tests of one's own.
"""

from coagent.bad_input import BadInput

try:
    import hypothesis  # noqa: F401  (asked for once, here, so that its absence is told in one sentence)
except ImportError as error:
    raise BadInput("coagent.testing needs Hypothesis, which is not there; pip install 'coagent-mtpo[test]'") from error

from coagent.testing.check import BUDGETS, CI, NIGHTLY, QUICK, check_protocol
from coagent.testing.contract import Conformance, conformance
from coagent.testing.report import Budget, Report
from coagent.testing.shrink import smallest
from coagent.testing.small_world import small_worlds
from coagent.testing.state_machine import machine
from coagent.testing.strategy import judges, random_scenario, scenarios, schedules, small_scenario, steps
from coagent.testing.trial import Trial, Witness, every_schedule, one_schedule

__all__ = [
    "BUDGETS",
    "CI",
    "NIGHTLY",
    "QUICK",
    "Budget",
    "Conformance",
    "Report",
    "Trial",
    "Witness",
    "check_protocol",
    "conformance",
    "every_schedule",
    "judges",
    "machine",
    "one_schedule",
    "random_scenario",
    "scenarios",
    "schedules",
    "small_scenario",
    "small_worlds",
    "smallest",
    "steps",
]
