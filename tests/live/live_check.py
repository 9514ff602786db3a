"""What holds of every live run: the verdict, the serial outcome, and that its events fed again do the same."""

from checker.notified import check_history
from checker.verdict import Verdict
from coagent.history import History, checked, lines, parse, plain
from coagent.live.ledger import Ledger
from coagent.live.running import LiveRun
from coagent.running import equal, serial_outcome
from coagent.stepper import rerun
from coagent.workload import Workload

NOT_FED = ("intent", "trouble", "quiescent", "end")


def judged(run: LiveRun, workload: Workload, protocol: object) -> Verdict:
    """The verdict on a live run, after its history was seen to be whole and to come out again when it is fed again."""
    check_replay(run.history, workload, protocol)
    written = "".join(lines(run.history))
    read = parse(written, "written")
    assert [{**one, "crc": None} for one in checked(run.history).records] == [
        {**one, "crc": None} for one in read.records
    ]
    return check_history(run.history, order=protocol.promises, rerun=rerun(workload))


def check_replay(history: History, workload: Workload, protocol: object) -> None:
    """The same events through the engine give the same effects, and the same records."""
    records = [record for record in history.records if record["event"] not in NOT_FED]
    assert list(Ledger(protocol, workload.tools).replay(history.records)) == records


def is_serial(run: LiveRun, workload: Workload) -> bool:
    """Whether state and reports are those of the agents run one after the other, in pre-order."""
    state, reports = serial_outcome(workload, tuple(one.name for one in workload.agents))
    found = run.history.end
    held = {path: plain(value) for path, value in run.final_state.items()}
    return equal(held, state) and equal(found["reports"], reports)
