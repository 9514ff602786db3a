"""Accepts or refuses a certificate: `python verify.py CERTIFICATE HISTORY` exits 0 accepted, 1 refused, 3 unusable.

Needs Python alone and shares no line with the checker. `checker.certificate` says what a certificate holds and why
each rule here is sound.
"""

import gzip
import hashlib
import json
import re
import sys
from collections import defaultdict, namedtuple
from itertools import permutations

T = namedtuple("T", "how session begun ended steps")  # (kind, key, value); a read has the list it saw
LIMIT = {"read-uncommitted": 0, "read-committed": 1, "read-atomic": 1, "causal": 1, "cursor-stability": 1}
LIMIT |= {
    "notified-serializable": 4,
    "consistent-view": 2,
    "repeatable-read": 3,
    "snapshot-isolation": 4,
    "serializable": 4,
}
COST = {"ww": 0, "so": 0, "rt": 0, "sc": 0, "wr": 1, "unwritten": 1, "rw": 2, "older": 3, "newer": 3, "alone": 4}
MOST = 6  # agents of which every order is tried


def need(fact, why):
    if not fact:
        raise ValueError(why)


def records(text):
    """Each transaction's text, written as Jepsen does."""
    if '"ops"' in text:  # a schedule: a write appends its own place, and everybody sees the places so far
        steps, seen = defaultdict(list), defaultdict(list)
        for at, (who, kind, key) in enumerate(json.loads(text)["ops"]):
            steps["ok", who] += [("r", key, seen[key][:])] + [("append", key, at)] * (kind == "w")
            seen[key] += [at] * (kind == "w")
    elif "{" in text:
        maps = re.findall(r"\{[^{}]*\}", text)
        return [
            one
            for one in maps
            if re.search(r"\btype\W+(ok|fail|in)", one) and not re.search("process.{,4}nemesis", one)
        ]
    elif "(" in text:  # transaction -1 is what its session rolled back; a key starts as 0, unless somebody writes that
        lines = re.findall(r"^\s*(\w)\s*\((.+?),(.+?),(.+?),(.+?)\)\s*$", text, re.M)
        lines = [[part.strip() for part in line] for line in lines]
        zero = {key for kind, key, value, *_ in lines if (kind, value) == ("w", "0")}
        steps = defaultdict(list)
        for kind, key, value, who, name in lines:
            seen = "nil" if kind == "r" and value == "0" and key not in zero else value
            steps["fail" if name == "-1" else "ok", who, name].append((kind, key, seen))
    else:
        sessions = [re.split(r"^-+ *\n", one, flags=re.M) for one in re.split(r"^=+ *\n", text, flags=re.M)]
        steps = {("ok", who, at): one.split("\n") for who, many in enumerate(sessions) for at, one in enumerate(many)}
        steps = {name: [line.split() for line in lines if line.strip()] for name, lines in steps.items()}
        steps = {name: own for name, own in steps.items() if own}
    return [f"type {how} process {who} value {json.dumps(own)}" for (how, who, *_), own in steps.items()]


def read(text):
    """The transactions by name: T and the index of the record that ends one, its place when there are none."""
    found, running, parts = {}, {}, records(text)
    numbers = [next(iter(re.findall(r"\bindex\W+(\d+)", record)), "") for record in parts]
    numbers = numbers if "" not in numbers and len({*numbers}) == len(numbers) else range(len(numbers))
    for at, (number, record) in enumerate(zip(numbers, parts, strict=True)):
        said = " ".join(re.findall(r'[\[\]]|[^\s,:"\[\](){}]+', record.replace("null", "nil")))
        said = re.sub(r"\[ r ([^\s\[\]]+) \]", r"[ r \1 nil ]", said)
        steps = re.findall(r"\[ (r|w|append) (\S+) (\[ [^\[\]]*\]|[^\s\[\]]+) \]", said)
        need(len(steps) == len(re.findall(r"\[ (?:r|w|append) ", said)), f"cannot read {record}")
        steps = [(k, key, re.findall(r"[^\s\[\]]+", v.replace("nil", "")) if k == "r" else v) for k, key, v in steps]
        how, who = (next(iter(re.findall(rf"\b{field} (\S+)", said)), "") for field in ("type", "process"))
        if how == "invoke":
            running[who], found[f"T{number}"] = f"T{number}", T(how, who, at, 9e9, steps)
        else:
            old = found.pop(running.pop(who, ""), T(how, who, at, 0, []))
            found[f"T{number}"] = T(how, who, old.begun, at if old.ended else 9e9, steps or old.steps)
    return found


def read_ours(text):
    """A history of coagent: what counts of each agent in the end, between the cells at the start and at the end."""
    header, *records = map(json.loads, text.splitlines())
    calls, saw, told, note, wrote, undone, gone, idle, last = {}, {}, {}, {}, {}, set(), set(), set(), {}
    for record in records:
        event, op = record["event"], record.get("op")
        answer = record.get("status"), record.get("value")
        match event:
            case "invoke":
                calls[op] = record
            case "result":
                saw[op], told[op] = record["saw"], answer
            case "notify":
                note[op] = record
            case "consume":
                for one in (one for one in record["ops"] if one in note and calls[one]["agent"] == record["agent"]):
                    seen = note.pop(one)
                    if not seen["cancelled"]:
                        told[one] = (seen["status"], seen["value"])
                        saw[one] = saw[one] if calls[one]["writes"] else seen["saw"]
            case "withdraw" | "repair" if record.get("action") != "insert":
                gone.add(op)
            case "abort":
                own = ("agent", "attempt")
                gone |= {one for one, call in calls.items() if all(call[field] == record[field] for field in own)}
            case "give-up":
                idle.add(record["agent"])
            case "finish":
                last[record["agent"]] = record["report"]
        if event in ("exec", "redo", "mask"):
            wrote[op] = record["wrote"]
        undone = undone | {op} if event == "undo" else undone - {op} if event in ("redo", "mask") else undone
        if event in ("redo", "refresh") and (calls[op]["writes"] or answer == told.get(op)):
            saw[op] = record["saw"]
    need(not undone & (calls.keys() - gone), f"{undone} is undone")
    end, found = records[-1], {}
    agents = [agent["name"] for agent in header["agents"] if agent["name"] not in idle]
    told_last = [json.dumps(last.get(agent, "none")) for agent in agents]
    need(end["quiescent"], "the run did not come to its end")
    need(told_last == [json.dumps(end["reports"].get(agent)) for agent in agents], "an agent did not report so")
    start = [("w", path, json.dumps(value)) for path, value in header["state"].items()]
    found["(start)"] = T("ok", "", 0, 0, start)
    for place, agent in enumerate(agents):
        counted = [op for op, call in calls.items() if call["agent"] == agent and op not in gone and op in told]
        steps = []
        for op in sorted(counted, key=lambda op: calls[op]["position"]):
            lists = tuple(path for path in saw[op] if path[-1] == "/")  # of a member listed it counts that it is there
            steps += [("r", path, held(cell)) for path, cell in saw[op].items() if not path.startswith(lists)]
            inside = sorted(path for path, cell in saw[op].items() if path not in lists and held(cell))
            steps += [("l", path, [one for one in inside if one.startswith(path)]) for path in lists]
            steps += [("w", path, *(held(cell) or [None])) for path, cell in wrote.get(op, {}).items()]
        found[agent] = T("ok", "", place + 1, place + 1, steps)
    final = [("r", path, [json.dumps(value)]) for path, value in end["final_state"].items()]
    paths = {path for one in found.values() for kind, path, _ in one.steps if kind == "w"} - end["final_state"].keys()
    found["(end)"] = T("ok", "", 9e9, 9e9, [*final, *(("r", path, []) for path in sorted(paths))])
    return found


def held(cell):
    return [json.dumps(cell["value"])] if "value" in cell else []


def replay(order, found, snapshot, earlier):
    """Each [name, n] sees the first n to commit, all so far but for snapshots; nobody since wrote what it writes."""
    state = defaultdict(lambda: [(-1, [])])
    for now, (name, since) in enumerate(order):
        need(since == now or snapshot and 0 <= since < now, f"{name} starts at no such place")
        need(not any(earlier(found[other], found[name]) for other, _ in order[since:]), f"{name} is too early")
        own = {}
        for kind, key, value in found[name].steps:
            past = state[key]
            here = own[key] if key in own else next(old for at, old in reversed(past) if at < since)
            if kind == "l":
                now_there = {one: own.get(one, many[-1][1]) for one, many in state.items() if one.startswith(key)}
                need(value == sorted(one for one in now_there if now_there[one]), f"{name} listed {key} as {value}")
            elif kind == "r":
                need(value == here or found[name].how != "ok", f"{name} read {key} as {value}, and here it is {here}")
            else:
                need(past[-1][0] < since, f"{key} is written by another between start and commit of {name}")
                own[key] = [*here, value] if kind == "append" else [] if value is None else [value]
        for key, value in own.items():
            state[key].append((now, value))
    names = [name for name, _ in order]
    need(
        len({*names}) == len(names) and all(found[name].how != "fail" for name in names), "somebody is there too often"
    )
    need({name for name, one in found.items() if one.how == "ok"} <= {*names}, "a committed transaction is left out")


class Facts:
    """What is recorded of each key: `reads` has what committed transactions saw from outside, `writes` what stands."""

    def __init__(self, found):
        self.reads, self.writes, self.made, self.alone = defaultdict(list), {}, defaultdict(list), set()
        early = set()
        self.lists = any(kind == "append" for one in found.values() for kind, _, _ in one.steps)
        for name, one in found.items():
            known = defaultdict(lambda: (None, []))  # what it must see of a key by its own steps: all of it, the end
            for kind, key, value in one.steps:
                base, tail = known[key]
                if kind == "r" and one.how == "ok":
                    start = value[: max(0, len(value) - len(tail))] if base is None else base
                    self.alone |= {name} if value != start + tail else set()
                    self.reads[key, name] += [value] if self.lists or (key, name) not in self.writes else []
                elif kind != "r" and one.how != "fail":
                    early |= {(name, key, value)} if any(value in seen for seen in self.reads[key, name]) else set()
                    self.writes[key, name] = self.writes.get((key, name), []) * self.lists + [value]
                known[key] = (value, []) if kind == "r" else (base, [*tail, value]) if self.lists else ([value], [])
        for (key, name), values in self.writes.items():
            for value in values:
                self.made[key, value].append(name)
        self.alone |= {name for name, key, value in early if self.made[key, value] == [name]}
        shown = {(key, v) for (key, _), seen in self.reads.items() for one in seen for v in one}
        self.sure = {name for name, one in found.items() if one.how == "ok"}
        self.sure |= {self.made[one][0] for one in shown if len(self.made[one]) == 1}

    def seen(self, key, name):
        return self.reads.get((key, name), [])

    def unseen(self, key, name):
        return [one for one in self.seen(key, name) if self.lists or not one]

    def saw(self, key, reader, writer):
        mine = [v for v in self.writes.get((key, writer), []) if self.made[key, v] == [writer]]
        return any(v in one for one in self.seen(key, reader) for v in mine)

    def overwrote(self, key, a, b):
        pairs = [
            (v, w)
            for v in self.writes.get((key, a), [])
            for w in self.writes.get((key, b), [])
            if self.made[key, v] == [a]
        ]
        every = [one for (other, _), seen in self.reads.items() if other == key for one in seen]
        return self.lists and any(
            v in one and (w not in one or one.index(v) < one.index(w) and self.made[key, w] == [b])
            for v, w in pairs
            for one in every
        )


def derive(tree, known, facts, found, level, earlier):
    """Each step [why, a, b, key, path] adds an edge; then a cycle that the level forbids, or both ways of a split."""
    s, c = ("s:", "c:") if level.endswith("snapshot-isolation") else ("", "")
    known, node, flow = dict(known), len(s), set()
    for why, a, b, key, path in tree["steps"]:
        linked = path[1:] and all(pair in known for pair in zip(path, path[1:], strict=False))
        match why:
            case "so" | "rt":
                fits, edge = earlier(found[a], found[b]), (c + a, s + b)
            case "sc":
                fits, edge = s and a == b, (s + a, c + a)
            case "wr":
                fits, edge = facts.saw(key, b, a), (c + a, s + b)
            case "ww":
                fits, edge = facts.overwrote(key, a, b), (c + a, s + b)
            case "rw":
                unseen = (v not in one for one in facts.unseen(key, a) for v in facts.writes.get((key, b), []))
                fits, edge = any(unseen), (s + a, c + b)
            case "older":  # a wrote too, and comes before the end of the path, who saw what b wrote: so before b
                fits = linked and not facts.lists and (key, a) in facts.writes
                fits = fits and path[0] == c + a and path[-1][:node] == s
                fits, edge = fits and facts.saw(key, path[-1][node:], b), (c + a, s + b)
            case "newer":  # a saw what the start of the path wrote, and b, after that, wrote too: so a before b
                fits = linked and not facts.lists and (key, b) in facts.writes
                fits = fits and path[0][:node] == c and path[-1] in (s + b, c + b)
                fits, edge = fits and facts.saw(key, a, path[0][node:]) and path[0] != c + b, (s + a, c + b)
            case "unwritten":
                seen = [(one.count(v), facts.made[key, v]) for one in facts.seen(key, a) for v in one]
                fits, edge = any(times > len(makers) for times, makers in seen), (c + a, c + a)
            case "alone":
                fits, edge = a in facts.alone, (c + a, c + a)
        need(
            fits and {a, b} <= facts.sure and (a != b) == (why not in ("sc", "unwritten", "alone")),
            f"no {why} of {a}, {b}",
        )
        cost = 1 if why == "rw" and facts.saw(key, a, b) else COST[why]
        flow |= {edge} if why in ("so", "wr") else set()
        if level in (
            "read-atomic",
            "causal",
        ):  # there one step of reading, or of a session too, is enough (causal: many)
            seen = {*zip(path, path[1:], strict=False)} <= flow and (len(path) == 2 or level == "causal")
            ends = why == "older" or why == "rw" and path[:1] + path[-1:] == [b, a]
            cost = 1 if why == "alone" or seen and ends else cost
        known[edge] = min(cost, known.get(edge, cost))
    if "writers" in tree:
        (u, w), key = tree["writers"], tree["key"]
        need(u != w and {u, w} <= facts.sure and {(key, u), (key, w)} <= facts.writes.keys(), f"{u} and {w} may meet")
        derive(tree["left"], known | {(c + u, s + w): 3}, facts, found, level, earlier)
        derive(tree["right"], known | {(c + w, s + u): 3}, facts, found, level, earlier)
        return
    costs = [known.get(edge, 9) for edge in zip(tree["cycle"], tree["cycle"][1:] + tree["cycle"][:1], strict=True)]
    limit = LIMIT[re.sub("^(strong-session|strong|strict)-", "", level)]
    limit += level == "cursor-stability" and len({step[3] for step in tree["steps"]}) == 1  # a lost update
    need(costs and max(costs) <= limit and (limit != 2 or costs.count(2) < 2), f"{level} allows {tree['cycle']}")


def refused(names, found):
    """Why a serial order does not hold; nothing when it does."""
    try:
        replay([[name, place] for place, name in enumerate(names)], found, False, lambda a, b: False)
    except ValueError as error:
        return str(error)
    return ""


def judge(claim, text):
    """Raises ValueError, which says why, unless the claim follows from the history's text."""
    ours, level = text.startswith('{"history": "coagent"'), claim["level"]
    found = read_ours(text) if ours else read(text)
    kept = "so" if "session" in level or level in ("causal", "read-atomic") else "rt" if level.startswith("str") else ""
    need(re.sub("^(strong-session|strong|strict)-", "", level) in LIMIT, f"{level} is no level that is known here")

    def earlier(a, b):
        return kept == "so" and a.session == b.session != "" and a.begun < b.begun or kept == "rt" and a.ended < b.begun

    if level == "notified-serializable" and claim["verdict"] == "ok":
        need(ours and [name for name, _ in claim["order"]] == [*found], "it is not the declared order")
    if level == "notified-serializable" and claim["verdict"] == "violated":
        need(refused([*found], found) == claim["because"] != "", "that is not what contradicts the declared order")
    elif ours and claim["verdict"] == "violated":
        agents = [*found][1:-1]
        orders = [["(start)", *order, "(end)"] for order in permutations(agents)] if len(agents) <= MOST else [[*found]]
        need(
            level == "serializable" and len(agents) <= MOST and all(refused(one, found) for one in orders), "one holds"
        )
    elif claim["verdict"] == "ok":
        need(
            not ours or [claim["order"][at][0] for at in (0, -1)] == ["(start)", "(end)"], "it leaves out start or end"
        )
        replay(claim["order"], found, level.endswith("snapshot-isolation"), earlier)
    else:
        need(claim["verdict"] == "violated", "it claims neither ok nor violated")
        derive(claim["proof"], {}, Facts(found), found, level, earlier)


def verify(certificate, raw):
    """Raises ValueError, which says why, unless every claim follows from the bytes of the history."""
    need(hashlib.sha256(raw).hexdigest() == certificate["sha256"], "it is the certificate of another file")
    text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8-sig").replace("\r\n", "\n")
    for claim in certificate["claims"]:
        judge(claim, text.split("\n")[claim["line"] - 1] if claim["line"] else text)


if __name__ == "__main__":
    try:
        with open(sys.argv[1], "rb") as certificate, open(sys.argv[2], "rb") as history:
            claims, raw = json.load(certificate), history.read()
    except (OSError, IndexError, ValueError, RecursionError) as error:
        sys.exit(print(f"unusable: {error}") or 3)
    try:
        verify(claims, raw)
    except (ValueError, LookupError, TypeError, AttributeError, OSError, EOFError, RecursionError) as error:
        sys.exit(print(f"refused: {error}") or 1)
    print("accepted")
