"""Slips to plant in the judges: a smaller graph, an edge turned round, a check left out, a record passed over.

Each patches one small function of a judge and nothing else.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import judged_corpus
from pytest import MonkeyPatch

import checker.blame
import checker.conflict
import checker.effective
import checker.judge
import checker.notified
import checker.oracle
import checker.proof.equivalence
import checker.rehearsal
import coagent.exploring
import coagent.running
from checker.effective import _Folding, reduced
from checker.oracle import Ledger
from checker.proof.equivalence import _Both
from checker.proof.replay import Replay
from checker.watch import Watch
from coagent.operation import Result

Patch = Callable[[MonkeyPatch], None]
Judge = Callable[[judged_corpus.Case], object]


def put(*swaps: tuple[object, str, object]) -> Patch:
    """Other things in the place of functions: (holder, name, other)."""

    def patch(monkeypatch: MonkeyPatch) -> None:
        for holder, name, other in swaps:
            monkeypatch.setattr(holder, name, other)

    return patch


def both(*patches: Patch) -> Patch:
    """Several patches at once."""

    def patch(monkeypatch: MonkeyPatch) -> None:
        for one in patches:
            one(monkeypatch)

    return patch


def nothing(*_: object, **__: object) -> tuple:
    return ()


def none(*_: object, **__: object) -> None:
    return None


# the graph

touches, versions = checker.conflict.touches, checker.conflict.versions


def without(kind: str) -> Patch:
    """No edges of a kind."""
    return put((checker.conflict, "touches", lambda run: [one for one in touches(run) if one.kind != kind]))


def turned(kind: str) -> Patch:
    """The edges of a kind from the later to the earlier."""

    def other(run: object) -> Iterable:
        for one in touches(run):
            yield replace(one, first=one.then, then=one.first) if one.kind == kind else one

    return put((checker.conflict, "touches", other))


def latest_first(run: object) -> dict[str, list]:
    return {path: chain[::-1] for path, chain in versions(run).items()}


def by_position(run: object) -> dict[str, list]:
    return {path: sorted(chain, key=lambda one: one.position) for path, chain in versions(run).items()}


def no_members(one: object, tree: object) -> set[str]:
    return {path for path in one.saw or () if not path.endswith("/")}


def everywhere(name: str, other: object) -> Patch:
    """A function of the conflicts that replaying uses too."""
    return put((checker.conflict, name, other), (checker.rehearsal, name, other))


# the reduction

take, cancelled = _Folding.take, _Folding.cancelled


def passed_over(event: str) -> Patch:
    """Records of a kind are passed over."""

    def other(self: _Folding, number: int, record: Mapping) -> None:
        if record["event"] != event:
            take(self, number, record)

    return put((_Folding, "take", other))


def consumed_when_sent(self: _Folding, number: int, record: Mapping) -> None:
    take(self, number, record)
    if record["event"] == "notify":
        self.consumed(record["agent"], [record["op"]])


def counts_though(why: str) -> Patch:
    """What no longer counts for this reason counts."""

    def other(self: _Folding, op: str, told: object) -> str:
        reason = cancelled(self, op, told)
        return "" if why in reason and told.answered else reason

    return put((_Folding, "cancelled", other))


def with_attempts(history: object) -> object:
    """Every attempt is among the transactions."""
    run = reduced(history)
    return replace(run, transactions=tuple(dict.fromkeys((*run.transactions, *run.owner.values()))))


def undo_forgets(self: _Folding, op: str, told: object) -> None:
    told.applied = None


def no_replay(history: object, run: object, *rest: object) -> tuple:
    return [], run.live


# the oracle, and what is made of it

serial = checker.oracle.serial
result_of = Ledger.run


def backwards(state: Iterable, programs: Iterable, tools: Mapping, *rest: int) -> tuple:
    return serial(state, list(programs)[::-1], tools, *rest)


def never_removed(self: Ledger, wrote: Iterable) -> None:
    for path, cell in wrote:
        if cell:
            self.cells[path] = cell
            self.tree.add(path)


def answers_ok(self: Ledger, tool: object, args: Mapping) -> Result:
    result = result_of(self, tool, args)
    return result if result.status == "ok" else Result("ok", None)


def equal_so_far(left: Mapping, right: Mapping) -> bool:
    return all(path not in right or right[path] == value for path, value in left.items())


def reports_only(left: Mapping, right: Mapping) -> bool:
    return "x" in {*left, *right} or left == right


def state_only(left: Mapping, right: Mapping) -> bool:
    return not {"x", "y"} & {*left, *right} or left == right


# the proof

prove_take, pairs, in_order = Replay.take, _Both.pairs, checker.proof.equivalence.serial


def proof_passes_over(event: str) -> Patch:
    """The proof's replay passes over records of a kind."""

    def other(self: Replay, number: int, record: Mapping) -> None:
        if record["event"] != event:
            prove_take(self, number, record)

    return put((Replay, "take", other))


def compares_only(wanted: Callable[[str], bool]) -> Patch:
    """The proof compares a part of what there is to compare."""
    return put((_Both, "pairs", lambda self, *both: [one for one in pairs(self, *both) if wanted(one[0])]))


def from_the_start(self: Replay, number: int, record: Mapping) -> dict:
    return {}


def last_first(operations: Iterable, replay: Replay) -> tuple:
    return in_order(list(operations)[::-1], replay)


SLIPS: dict[str, tuple[Judge, Patch]] = {}


def slips(judge: Judge, **patches: Patch) -> None:
    """Note slips of a judge; underscores are spaces."""
    SLIPS.update({name.replace("_", " "): (judge, patch) for name, patch in patches.items()})


slips(
    judged_corpus.by_checker,
    no_ww_edges=without("ww"),
    no_wr_edges=without("wr"),
    no_rw_edges=without("rw"),
    ww_edges_turned_round=turned("ww"),
    wr_edges_turned_round=turned("wr"),
    rw_edges_turned_round=turned("rw"),
    no_edges_of_real_time=put((checker.notified, "in_time", nothing)),
    versions_latest_first=put((checker.conflict, "versions", latest_first)),
    versions_by_position=put((checker.conflict, "versions", by_position)),
    listings_look_at_no_members=everywhere("looked_at", no_members),
    additions_never_commute=everywhere("silent", lambda one: False),
    all_additions_commute=everywhere("silent", lambda one: one.tool == "add"),
    aborted_attempts_count=both(counts_though("was aborted"), put((checker.notified, "reduced", with_attempts))),
    rewritten_operations_count=counts_though("rewrote it"),
    retracted_operations_count=counts_though("took it back"),
    aborts_are_passed_over=passed_over("abort"),
    cancellations_are_passed_over=passed_over("cancel"),
    refreshed_reads_are_passed_over=passed_over("refresh"),
    masked_writes_are_passed_over=passed_over("mask"),
    heirs_inherit_nothing=passed_over("inherit"),
    redone_calls_are_passed_over=passed_over("redo"),
    commits_are_passed_over=passed_over("commit"),
    notices_are_never_consumed=put((_Folding, "consumed", none)),
    notices_count_when_they_are_sent=put((_Folding, "take", consumed_when_sent)),
    an_undo_restores_nothing=put((_Folding, "undone", undo_forgets)),
    reports_are_not_looked_at=put((_Folding, "check_reports", none)),
    beliefs_are_not_looked_at=put((_Folding, "check_told", none)),
    captures_are_not_looked_at=put((_Folding, "check_captured", none)),
    footprints_are_not_looked_at=put((_Folding, "check_footprint", none)),
    notices_may_go_down=put((_Folding, "check_upward", none)),
    unrecoverable_calls_need_not_wait=put((_Folding, "check_due", none)),
    the_live_store_is_not_compared=put((checker.notified, "_diverged", nothing)),
    operations_are_not_run_again=put((checker.notified, "replayed", no_replay)),
    premises_are_not_looked_at=put((checker.rehearsal, "_premises", nothing)),
    meanings_are_not_looked_at=put((checker.rehearsal, "_meaning", nothing)),
    aborted_reads_are_passed_over=put((checker.notified, "aborted_reads", nothing)),
    an_unfinished_run_is_judged=put((checker.notified, "_missing", nothing)),
    the_same_result_again_is_news=put((checker.effective, "agree", none)),
)
slips(
    judged_corpus.by_name,
    inversions_are_not_told=put((checker.judge, "inversions", nothing)),
    no_rw_edges_to_name=without("rw"),
)
slips(
    judged_corpus.by_oracle,
    the_oracle_runs_backwards=put((coagent.running, "serial", backwards)),
    the_oracle_removes_nothing=put((Ledger, "put", never_removed)),
    the_oracle_takes_failures_for_nothing=put((Ledger, "run", answers_ok)),
    the_oracle_lets_cells_be_missing=put((judged_corpus, "equal", equal_so_far)),
)
slips(
    judged_corpus.by_promise,
    endings_are_compared_by_reports=put((coagent.exploring, "equal", reports_only)),
    endings_are_compared_by_cells=put((coagent.exploring, "equal", state_only)),
    invariants_are_not_asked=put((coagent.exploring.Promise, "_holds", lambda self, ending: True)),
    only_the_first_order_is_tried=put((coagent.exploring, "permutations", lambda names: [tuple(names)])),
)
slips(
    judged_corpus.by_proof,
    masked_calls_see_the_start=put((Replay, "seen", from_the_start)),
    the_proof_undoes_nothing=proof_passes_over("undo"),
    the_proof_redoes_nothing=proof_passes_over("redo"),
    the_proof_consumes_nothing=put((Replay, "consume", none)),
    the_proof_agrees_to_nothing=put((Replay, "agree", none)),
    the_proof_compares_cells_only=compares_only(lambda about: not about.startswith("what ")),
    the_proof_compares_results_only=compares_only(lambda about: about.startswith("what ")),
    the_proof_runs_backwards=put((checker.proof.equivalence, "serial", last_first)),
)
slips(
    judged_corpus.by_blame,
    nobody_is_seen_to_act_unread=put((Watch, "acts", none)),
    undos_are_trusted=put((Watch, "unrestored", none)),
    writers_are_trusted=put((Watch, "named", none), (Watch, "observed", none)),
    the_rules_come_first=put((checker.blame, "_assumption", lambda *_: (None, ()))),
    programs_are_not_run_again=put((checker.blame, "deviations", nothing)),
    nobody_fails_alone=put((checker.blame, "_of_unfinished", lambda *_: (None, ()))),
    late_deliveries_are_overlooked=put((Watch, "late_delivery", none)),
)
