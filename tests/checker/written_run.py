"""Histories in our format as tests write them: a line an event, on a live store that is followed, so that what each
call sees, returns and captures need not be spelled out.

    A.1 get x                  a call: invoked, carried out on the live store, answered
    A.1 get x under B.1        a read served as the store was before B.1 (an order-filtered read)
    A.1 get x told 7           answered with another value than it comes to
    A.1 add x 1 silently       answered without the total
    B.3 put x 5 for B.2        in the place of B.2, which is undone
    B.2 put x 5 masked by C.1  left out of the live store
    undo B.2 / redo B.2        the runtime's own; `redo` tells nobody
    notify B.1 of A.2          its agent is sent what B.1 comes to: a read looks at the live store again (`refresh`)
    consume B.1                its agent begins an inference that consumes the notice
    infer B / cancel B.2 by A.1 / retract B.2 / finish A 7 / commit A / give up B
"""

from collections.abc import Mapping

from coagent.history import History, cell_out, lines, parse, plain
from coagent.operation import Result
from coagent.store import Glass
from coagent.tool import TOOLS

ARGS = {"put": "value", "create": "value", "send": "value", "add": "by", "copy": "to"}


def written(text: str, state: Mapping[str, object], *, agents: str = "AB", quiescent: bool = True) -> History:
    """The history of a text; agents that neither commit nor give up in it finish and commit at its end."""
    return parse("".join(lines(_Writing(state, agents, quiescent).history(text))), "written")


class _Writing:
    def __init__(self, state: Mapping[str, object], agents: str, quiescent: bool) -> None:
        self.header = {
            "history": "coagent",
            "version": 1,
            "sealed": False,
            "simulated": True,
            "workload": "written",
            "protocol": "mtpo",
            "seed": 0,
            "schedule": "clock",
            "agents": [{"name": name, "rank": [rank]} for rank, name in enumerate(agents, 1)],
            "state": dict(state),
            "order": "declared",
        }
        self.quiescent = quiescent
        self.cells = {path: ((value,), None) for path, value in state.items()}
        self.invokes: dict[str, dict] = {}
        self.captured: dict[str, dict] = {}
        self.redone: dict[str, dict] = {}
        self.reports: dict[str, object] = dict.fromkeys(agents)
        self.ended: set[str] = set()
        self.records: list[dict] = []

    def history(self, text: str) -> History:
        for row in text.strip().splitlines():
            self.line(row.split())
        for name in self.reports if self.quiescent else ():
            if name not in self.ended:
                self.finish(name, None)
                self.add("commit", agent=name)
        final = {path: plain(cell[0]) for path, (cell, _) in sorted(self.cells.items()) if cell}
        count = len(self.records)
        self.add("end", records=count, quiescent=self.quiescent, final_state=final, reports=self.reports)
        return History(self.header, tuple(self.records))

    def add(self, event: str, **fields: object) -> None:
        self.records.append({"at": 0.0, "event": event, **fields})

    def line(self, words: list[str]) -> None:
        match words:
            case ["undo", op]:
                self.undo(op)
            case ["redo", op]:
                self.execute(op, "redo")
            case ["notify", op, "of", cause]:
                if not self.invokes[op]["writes"]:
                    self.redone[op] = self.outcome(*self.look(op)[::2])
                    self.add("refresh", op=op, **self.redone[op])
                self.add("notify", agent=op[0], op=op, cause=cause, cancelled=False, **self.redone[op])
            case ["consume", op]:
                self.add("infer", agent=op[0], attempt=1)
                self.add("consume", agent=op[0], ops=[op])
            case ["infer", name]:
                self.add("infer", agent=name, attempt=1)
            case ["cancel", op, "by", by]:
                self.undo(op)
                self.add("cancel", op=op, by=by)
                self.add("notify", agent=op[0], op=op, cause=by, cancelled=True, status="ok", value=None)
            case ["retract", op]:
                self.add("repair", agent=op[0], op=op, action="retract")
                self.undo(op)
            case ["finish", name, report]:
                self.finish(name, int(report))
            case ["commit", name]:
                if not any(one["event"] == "finish" and one["agent"] == name for one in self.records):
                    self.finish(name, None)
                self.ended.add(name)
                self.add("commit", agent=name)
            case ["give", "up", name]:
                self.ended.add(name)
                self.add("abort", agent=name, attempt=1, because="told to")
                self.add("give-up", agent=name, because="told to")
            case [op, tool, path, *rest]:
                self.call(op, tool, path, rest)

    def finish(self, name: str, report: object) -> None:
        self.reports[name] = report
        self.add("finish", agent=name, report=report)

    def call(self, op: str, tool: str, path: str, rest: list[str]) -> None:
        args = {"path": path}
        if tool in ARGS:
            word = rest.pop(0)
            args[ARGS[tool]] = int(word) if word.lstrip("-").isdigit() else word
        old = rest[1] if rest[:1] == ["for"] else None
        self.invoke(op, tool, args, old)
        if old:
            self.add("repair", agent=op[0], op=old, action="rewrite", by=op)
            self.undo(old)
        match rest:
            case ["masked", "by", by]:
                _, wrote, _ = self.look(op)
                self.add("mask", op=op, by=by, wrote={where: cell_out(cell) for where, cell in wrote})
                self.add("result", op=op, agent=op[0], status="ok", value="ok", saw={})
                return
            case ["under", above]:
                result, saw = self.look(op, self.captured[above])[::2]
                self.add("result", op=op, agent=op[0], **self.outcome(result, saw, "snapshot"))
                return
        result, saw = self.execute(op, "exec") if self.invokes[op]["writes"] else self.look(op)[::2]
        match rest:
            case ["told", value]:
                result = Result("ok", int(value))
            case ["silently"]:
                result = Result("ok", None)
        self.add("result", op=op, agent=op[0], **self.outcome(result, saw))

    def invoke(self, op: str, tool: str, args: dict, old: str | None) -> None:
        declared = TOOLS[tool].declare(args)
        rank = [one["rank"][0] for one in self.header["agents"] if one["name"] == op[0]]
        place = self.invokes[old]["position"] if old else [*rank, int(op[2:])]
        self.invokes[op] = {
            "agent": op[0],
            "op": op,
            "attempt": 1,
            "position": place,
            "tool": tool,
            "args": args,
            "reads": list(declared.reads),
            "writes": list(declared.writes),
            "blind": declared.blind,
            "recoverable": declared.recoverable,
            **({"replaces": old} if old else {}),
        }
        self.add("invoke", **self.invokes[op])

    def look(self, op: str, corrected: dict | None = None) -> tuple:
        """Result, writes and sightings of a call on the live store, corrected by what was captured."""
        one = self.invokes[op]
        glass = Glass(self.cells, corrected or {})
        result, wrote = TOOLS[one["tool"]].exec(glass, one["args"])
        return result, wrote, glass.sightings()

    def execute(self, op: str, act: str) -> tuple:
        result, wrote, saw = self.look(op)
        self.captured[op] = {path: self.cells.get(path, ((), None)) for path, _ in wrote}
        entries = {path: {**cell_out(cell), "writer": writer} for path, (cell, writer) in self.captured[op].items()}
        self.add("prepare", op=op, captured=entries)
        self.redone[op] = self.outcome(result, saw)
        told = self.redone[op] if act == "redo" else {"status": result.status}
        self.add(act, op=op, wrote={path: cell_out(cell) for path, cell in wrote}, **told)
        self.cells |= {path: (cell, op) for path, cell in wrote}
        return result, saw

    def undo(self, op: str) -> None:
        self.add("undo", op=op)
        self.cells |= self.captured.pop(op, {})

    def outcome(self, result: Result, saw: tuple, route: str = "live") -> dict:
        seen = {one.path: {**cell_out(one.cell), "writer": one.writer} for one in saw}
        return {"status": result.status, "value": plain(result.value), "route": route, "saw": seen}
