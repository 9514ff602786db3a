"""A derivation over registers, as a checker gives it, becomes a certificate that the verifier accepts."""

import json
from collections.abc import Iterator
from pathlib import Path

import networkx as nx
import pytest
from sketch import random_history, serializable
from test_certificates import accepted, holds_as_snapshots, snapshots, transactions, written

from checker.anomaly import local
from checker.certificate import claimed
from checker.formats import load
from checker.verdict import Verdict


class Prover:
    """Derives that no order of the transactions (or of their starts and commits) explains the reads, by cases."""

    def __init__(self, history, snapshot: bool) -> None:
        self.s, self.c = ("s:", "c:") if snapshot else ("", "")
        self.reads, self.writes = {}, {}
        for one in history:
            for kind, key, value in one.steps:
                if kind == "w":
                    self.writes[one.name, key] = value
                elif (one.name, key) not in self.writes:
                    self.reads.setdefault((one.name, key), value)
        self.names = [one.name for one in history]
        self.flows = [
            (writer, reader, key)
            for (reader, key), value in self.reads.items()
            for (writer, other), last in self.writes.items()
            if key == other and value == last and value is not None
        ]

    def first(self) -> list[dict]:
        steps = [
            {"edge": [self.c + w, self.s + r], "why": ["wr", key, self.writes[w, key]]} for w, r, key in self.flows
        ]
        for (reader, key), value in self.reads.items():
            for writer, other in self.writes:
                if value is None and key == other and writer != reader:
                    steps.append({"edge": [self.s + reader, self.c + writer], "why": ["init", key]})
        if self.s:
            steps += [{"edge": ["s:" + name, "c:" + name], "why": ["sc"]} for name in self.names]
        return steps

    def forced(self, known: nx.DiGraph) -> dict | None:
        """One more edge that follows from those known."""
        for w, r, key in self.flows:
            for u in (name for name, other in self.writes if other == key and name not in (w, r)):
                older, newer = (self.c + u, self.s + w), (self.s + r, self.c + u)
                for edge, ends, why in (
                    (older, (self.c + u, self.s + r), ["ww", key, r]),
                    (newer, (self.c + w, self.c + u), ["rw", key, w]),
                ):
                    if not known.has_edge(*edge) and all(map(known.has_node, ends)) and nx.has_path(known, *ends):
                        return {"edge": list(edge), "why": [*why, nx.shortest_path(known, *ends)]}
        return None

    def tree(self, known: nx.DiGraph, steps: list[dict], depth: int = 0) -> dict | None:
        """The derivation, or None when these cases are not contradictory."""
        known = known.copy()
        known.add_edges_from(step["edge"] for step in steps)
        while True:
            try:
                return {"steps": steps, "cycle": [edge[0] for edge in nx.find_cycle(known)]}
            except nx.NetworkXNoCycle:
                step = self.forced(known)
            if step is None:
                break
            steps = [*steps, step]
            known.add_edge(*step["edge"])
        for u, key in self.writes:
            for w in (name for name, other in self.writes if other == key and name != u):
                left, right = (self.c + u, self.s + w), (self.c + w, self.s + u)
                if known.has_edge(*left) or known.has_edge(*right):
                    continue
                halves = []
                for edge in (left, right):
                    case = known.copy()
                    case.add_edge(*edge)
                    halves.append(self.tree(case, [], depth + 1))
                if None in halves:
                    return None
                why = ["writers", key, u, w]
                split = {"left": left, "right": right, "if_left": halves[0], "if_right": halves[1], "why": why}
                return {"steps": steps, "split": split}
        return None


def impossible(named: dict, snapshot: bool) -> bool:
    live = [one for one in named.values() if one.status == "committed"]
    if not snapshot:
        return not serializable(live)
    return not any(holds_as_snapshots(order, named) for order in snapshots(live))


@pytest.mark.parametrize("snapshot", [False, True], ids=["serializable", "snapshot-isolation"])
def test_a_derivation_is_accepted_and_none_with_a_broken_inference_is(tmp_path, snapshot):
    path, level = tmp_path / "h.jsonl", "snapshot-isolation" if snapshot else "serializable"
    shapes = dict.fromkeys(("ww", "rw", "writers"), 0)
    broken = 0
    for seed in range(400):
        path.write_text(text := written(random_history(seed, "w")))
        named = transactions(text)
        live = [one for one in named.values() if one.status == "committed"]
        prover = Prover(live, snapshot)
        tree = prover.tree(nx.DiGraph(), prover.first())
        if tree is None:
            continue
        assert len(live) > 4 or impossible(named, snapshot), seed
        claim = certified(path, level, tree, list(named))
        for shape in shapes:
            shapes[shape] += f'"{shape}"' in json.dumps(tree)
        for step in cases(claim["proof"]):
            for place, other in ((3, "none"), (3, step[1]), (7, {"steps": [], "cycle": [step[1]]})):
                kept, step[place] = step[place], other
                assert not accepted(claim, text), (seed, step)
                step[place] = kept
                broken += 1
        assert accepted(claim, text)
    assert broken and shapes["ww"] and shapes["rw"] and (shapes["writers"] or not snapshot), shapes


def certified(path: Path, level: str, tree: dict, names: list[str]) -> dict:
    found = local("no serial order", names, ["it was derived"])
    verdict = Verdict(verdict="violated", criterion=level, anomalies=(found,), proof=tree)
    [source] = load(str(path))
    return claimed(source, verdict, None, path.read_text())


def cases(proof: dict) -> Iterator[list]:
    """The steps of a proof that hold because their reverse is impossible."""
    for step in proof["steps"]:
        if step[0] == "either":
            yield step
            yield from cases(step[7])
