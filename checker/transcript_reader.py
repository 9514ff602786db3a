"""Reads a history's file for `transcript.py`: every format that has certificates, by a reader of its own for each.

Needs Python alone and knows nothing of the checker, so that a slip in the checker's readers shows as another history.
"""

import gzip
import json
import re
from collections import defaultdict, namedtuple
from contextlib import suppress

T = namedtuple("T", "how session begun ended steps")  # (kind, key, value); a read has the list it saw

WORD, NOTE = r'"(?:[^"\\]|\\.)*+"', r";[^\n]*+"
MAP = rf'\{{(?:[^{{}}";]++|{WORD}|{NOTE})*+\}}'
for _ in range(8):  # maps in maps
    MAP = rf'\{{(?:[^{{}}";]++|{WORD}|{NOTE}|{MAP})*+\}}'
PARTS = re.compile(f"{MAP}|{WORD}|{NOTE}", re.S)


def unpacked(raw):  # the text of a file
    return (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8-sig").replace("\r\n", "\n")


def need(fact, why):  # raises ValueError, which says why, unless it is a fact
    if not fact:
        raise ValueError(why)


def outermost(text):
    """The maps that are in no other, as one word each what is a map or text inside, and without notes."""
    with suppress(ValueError):  # a line of a suite
        suite = json.loads(text)
        text = json.dumps(suite["history"]) if isinstance(suite, dict) and "history" in suite else text
    need(not re.search("[{}]", PARTS.sub("", text)), "a map is not closed, or in too many others")
    for found in PARTS.finditer(text):
        if found[0][0] == "{":
            yield PARTS.sub(as_word, found[0][1:-1])


def as_word(found):  # one token for each different text or map, a plain one as it is
    if found[0][0] == ";":
        return ""
    inner = found[0].removeprefix('"').removesuffix('"')
    return '"' + re.sub(r"(?!^):|[\s,\"\[\](){}\\%;]", lambda one: f"%{ord(one[0]):x}", inner) + '"'


def records(text):
    """Each transaction's text, written as Jepsen does."""
    if '"ops"' in text:  # a schedule: a write appends its own place, and everybody sees the places so far
        steps, seen = defaultdict(list), defaultdict(list)
        for at, (who, kind, key) in enumerate(json.loads(text)["ops"]):
            steps["ok", who] += [("r", key, seen[key][:])] + [("append", key, at)] * (kind == "w")
            seen[key] += [at] * (kind == "w")
    elif "{" in text:
        maps = list(outermost(text))
        maps = [one for one in maps if re.search(r"\btype\W+(ok|fail|in)", one)]
        return [one for one in maps if not re.search("process.{,4}nemesis", one)]
    elif "(" in text:  # transaction -1 is what its session rolled back; a key starts as 0, unless somebody writes that
        rows = re.findall(r"^\s*(\w)\s*\((.+?),(.+?),(.+?),(.+?)\)\s*$", text, re.M)
        lines = [[part.strip() for part in row] for row in rows]
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
        plain = record.replace("null", "nil").replace("(", "[").replace(")", "]")
        said = " ".join(re.findall(r'[\[\]]|[^\s,:"\[\](){}]+', plain))
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
    calls, saw, told, wrote, gone, idle, last = counted(records)
    end, found = records[-1], {}
    agents = [agent["name"] for agent in header["agents"] if agent["name"] not in idle]
    told_last = [json.dumps(last.get(agent, "none")) for agent in agents]
    need(end["quiescent"], "the run did not come to its end")
    need(told_last == [json.dumps(end["reports"].get(agent)) for agent in agents], "an agent did not report so")
    found["(start)"] = T("ok", "", 0, 0, [("w", path, json.dumps(value)) for path, value in header["state"].items()])
    for place, agent in enumerate(agents):
        own = [op for op, call in calls.items() if call["agent"] == agent and op not in gone and op in told]
        steps = []
        for op in sorted(own, key=lambda op: calls[op]["position"]):
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


def counted(records):
    """What each call saw, was told and wrote in the end; which were taken back; who gave up; who reported what."""
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
            case "merge":
                for path, cell in record["wrote"].items():
                    left = wrote.get(cell["writer"], {}).get(path)
                    need(left is not None and held(left) == held(cell), f"a merge left at {path} what nobody wrote")
        if event in ("exec", "redo", "mask", "forked"):
            wrote[op] = record["wrote"]
        undone = undone | {op} if event == "undo" else undone - {op} if event in ("redo", "mask") else undone
        if event in ("redo", "refresh") and (calls[op]["writes"] or answer == told.get(op)):
            saw[op] = record["saw"]
    need(not undone & (calls.keys() - gone), f"{undone} is undone")
    return calls, saw, told, wrote, gone, idle, last


def held(cell):  # the value, when there is one
    return [json.dumps(cell["value"])] if "value" in cell else []
