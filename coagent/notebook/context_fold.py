"""Follows what each agent has in its context: its calls with the results it was told, notices, judgements, its report.

An entry changes as its premise goes stale, a notice about it is sent and consumed, and a repair replaces it. Decides
nothing; the words are those of the text lanes.
"""

from collections import defaultdict
from collections.abc import Iterable

from coagent.history import Record, frozen
from coagent.lanes import call, outcome
from coagent.notebook.object_fold import ObjectFold
from coagent.notebook.premise import Premises
from coagent.notebook.version_line import VersionLine
from coagent.operation import show

ROUTES = {
    "snapshot": "as of its place",
    "recorded": "as of its place",
    "undo": "as of its place",
    "fork": "on its fork",
}


class ContextFold:
    """The contexts so far: by agent a line of versions for each entry, and one for how the agent is."""

    def __init__(self, names: Iterable[str], objects: ObjectFold, filtered: bool) -> None:
        self.names = tuple(names)
        self.entries: dict[str, list[VersionLine]] = {name: [] for name in self.names}
        self.status: dict[str, VersionLine] = {name: VersionLine() for name in self.names}
        self.calls: dict[str, Record] = {}
        self.premises = Premises(objects, filtered)
        self._spots: dict[str, VersionLine] = {}
        self._notices: dict[str, VersionLine] = {}
        self._mode = dict.fromkeys(self.names, "not launched")
        self._attempt = dict.fromkeys(self.names, 1)
        self._pending: dict[str, dict[str, None]] = defaultdict(dict)
        self._parked: dict[str, VersionLine] = {}
        self._own: dict[str, list[str]] = defaultdict(list)

    def take(self, step: int, record: Record, moved: Iterable[str]) -> None:
        """Follow a record of this step; `moved` are the paths that it touched."""
        self._follow(step, record)
        for op in sorted(self.premises.moved(moved)):
            self._mark(step, op, stale=sorted(self.premises.stale[op]))
        agent = record.get("agent")
        if agent is not None:
            self.status[agent].put(step, self._status(agent))

    def _status(self, agent: str) -> dict[str, object]:
        return {"mode": self._mode[agent], "attempt": self._attempt[agent], "pending": list(self._pending[agent])}

    def _follow(self, step: int, record: Record) -> None:
        agent, op = record.get("agent"), record.get("op")
        match record["event"]:
            case "invoke":
                self.calls[op] = record
                self._mode[agent] = "waits for a result"
            case "result":
                self._result(step, record)
            case "notify":
                self._notified(step, record)
            case "consume":
                for name in record["ops"]:
                    self._consumed(step, agent, name)
            case "judge":
                self._judged(step, record)
            case "repair" if record["action"] != "insert":
                how = f"rewritten as {record['by']}" if "by" in record else "taken back"
                self._close(step, op, how)
            case "cancel":
                self._mark(step, op, fate=f"cancelled by {record['by']}")
            case "park":
                self._mode[agent] = "parked"
                self._parked[op] = self._add(step, agent, {"kind": "parked", "op": op, "text": call(self.calls[op])})
            case "release" | "withdraw":
                self._unparked(step, record)
            case "hold":
                held = call(record) if "tool" in record else "its report"
                self._add(step, agent, {"kind": "held", "text": held})
            case _:
                self._lived(step, record)

    def _lived(self, step: int, record: Record) -> None:
        agent = record.get("agent")
        match record["event"]:
            case "launch":
                self._mode[agent] = "waiting"
            case "infer":
                self._mode[agent] = "thinks"
            case "inferred":
                self._mode[agent] = "has thought"
            case "finish":
                self._mode[agent] = "has reported"
                self._add(step, agent, {"kind": "report", "text": f"reports {_brief(record['report'])}"})
            case "commit":
                self._mode[agent] = "committed"
                self._add(step, agent, {"kind": "commit", "text": "commits"})
                self._forget(agent)
            case "abort":
                self._attempt[agent] = record["attempt"] + 1
                for op in self._own.pop(agent, ()):
                    self._close(step, op, "aborted")
                self._add(step, agent, {"kind": "abort", "text": f"starts again: {record['because']}"})
            case "give-up":
                self._mode[agent] = "died" if record["because"] == "died" else "gave up"
                self._forget(agent)

    def _result(self, step: int, record: Record) -> None:
        op, agent = record["op"], record["agent"]
        self._mode[agent] = "has a result"
        invoke = self.calls[op]
        card = {
            "kind": "write" if invoke["writes"] else "read",
            "op": op,
            "text": call(invoke),
            "told": outcome(record),
            "note": ROUTES.get(record.get("route", ""), ""),
            "replaces": invoke.get("replaces", ""),
        }
        self._own[agent].append(op)
        self._spots[op] = self._add(step, agent, card)
        self.premises.believe(op, record.get("saw", {}) if not invoke["writes"] or not invoke["blind"] else {})

    def _notified(self, step: int, record: Record) -> None:
        op, agent = record["op"], record["agent"]
        self._pending[agent][op] = None
        news = "is cancelled" if record["cancelled"] else f"is now {outcome(record)}"
        cause = self.calls[record["cause"]]
        text = f"{call(self.calls[op])} {news}"
        because = f"{record['cause']}: {call(cause)}"
        known = self._notices.get(op)
        if known is not None and known.last["state"] == "pending":
            known.put(step, {**known.last, "text": text, "because": because})
        else:
            card = {"kind": "notice", "op": op, "text": text, "because": because, "state": "pending"}
            self._notices[op] = self._add(step, agent, card)
        self._mark(step, op, news="" if record["cancelled"] else outcome(record), saw=record.get("saw", {}))

    def _consumed(self, step: int, agent: str, op: str) -> None:
        self._pending[agent].pop(op, None)
        notice, spot = self._notices.get(op), self._spots.get(op)
        if notice is not None:
            notice.put(step, {**notice.last, "state": "consumed"})
        if spot is not None and "news" in spot.last and not spot.last.get("closed"):
            card = {key: value for key, value in spot.last.items() if key not in ("news", "saw", "stale")}
            before = card["told"] if spot.last["news"] and spot.last["news"] != card["told"] else card.get("was", "")
            spot.put(step, {**card, "told": spot.last["news"] or card["told"], "was": before})
            if "fate" not in card:
                self.premises.believe(op, spot.values[-2].get("saw", {}) if len(spot.values) > 1 else {})

    def _judged(self, step: int, record: Record) -> None:
        self._mode[record["agent"]] = "has judged"
        for op in record["ops"]:
            notice = self._notices.get(op)
            if notice is not None:
                notice.put(step, {**notice.last, "state": f"judged: {record['decision']}"})
        about = ", ".join(record["ops"])
        text = {"keep": "what it did stands"}.get(record["decision"], f"{record['decision']}s what rests on it")
        self._add(step, record["agent"], {"kind": "judge", "text": f"{text} ({about})", "state": record["decision"]})

    def _unparked(self, step: int, record: Record) -> None:
        agent, op = record["agent"], record["op"]
        self._mode[agent] = "waits for a result" if record["event"] == "release" else "waiting"
        line = self._parked.pop(op, None)
        if line is not None:
            line.put(step, {**line.last, "state": "may go on" if record["event"] == "release" else "withdrawn"})

    def _close(self, step: int, op: str, fate: str) -> None:
        self.premises.drop(op)
        self._mark(step, op, fate=fate, closed=True, stale=[])

    def _forget(self, agent: str) -> None:
        for op in self._own.pop(agent, ()):
            self.premises.drop(op)

    def _mark(self, step: int, op: str, **more: object) -> None:
        line = self._spots.get(op)
        if line is not None:
            line.put(step, {**line.last, **more})

    def _add(self, step: int, agent: str, card: dict[str, object]) -> VersionLine:
        line = VersionLine()
        line.put(step, card)
        self.entries[agent].append(line)
        return line


def _brief(value: object) -> str:
    text = show(frozen(value))
    return text if len(text) <= 80 else text[:77] + "..."
