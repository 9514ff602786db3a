"""The cells on a git tree: what interleavings keep, what a clean merge breaks, and that protocols put it right."""

import subprocess

import pytest
from cell_checks import (
    CORRECT,
    SEEDS,
    assert_comes_to_the_pre_order,
    assert_counted,
    assert_naive_breaks_it_by_the_clock,
    assert_told_of_by_footprint_only,
    gave_up,
    judged_ok,
    passes,
    run,
    timed,
)
from interleavings import Ending, endings, serial_endings

from checker.oracle import Ledger, serial
from checker.proof import prove_frame, prove_inverse
from coagent.live.targets import git_tree
from coagent.operation import Call, Result, Value
from coagent.workload import Agent, Workload
from workloads import (
    g1_rename_vs_new_caller,
    g2_same_migration_number,
    g3_swept_into_commit,
    g4_version_and_changelog,
    workload,
)
from workloads.git_tool import GIT_TOOLS, on

CELLS = {
    "g1-rename": (g1_rename_vs_new_caller, (10, 36), (17, 57)),
    "g2-migration": (g2_same_migration_number, (8, 20), (15, 35)),
    "g3-swept": (g3_swept_into_commit, (26, 126), (47, 252)),
    "g4-version": (g4_version_and_changelog, (4, 70), (11, 126)),
}
"""By short name: the module, the interleavings that keep the invariant and all of them, and both with A's last call."""

STARVED = ("g3-swept", "occ")
"""Where agents may be restarted too often; what they then leave behind is not said to be right."""


def alone(built: Workload, agent: Agent) -> dict[str, Value]:
    """The state after one agent's work on a branch of its own."""
    return serial(built.state, [(agent.name, agent.program)], built.tools)[0]


def forked_and_merged(built: Workload) -> tuple[dict[str, Value], tuple[str, ...]]:
    """A worktree for each of the two agents, and their branches merged."""
    return built.merge(dict(built.state), *(alone(built, agent) for agent in built.agents))


@pytest.mark.parametrize("name", CELLS)
def test_the_invariant_holds_exactly_where_the_outcome_is_serial_and_so_often(name):
    module, plain, noted = CELLS[name]
    assert_counted(module.workload(), plain)
    assert_counted(module.workload(irrelevant=True), noted)


@pytest.mark.parametrize("by", CORRECT)
@pytest.mark.parametrize("name", CELLS)
def test_every_random_trial_passes_or_gives_up_where_that_is_known(name, by):
    built = workload(name)
    for seed in SEEDS:
        outcome = run(built, by, seed)
        assert passes(built, outcome) or ((name, by) == STARVED and gave_up(outcome)), seed
        assert seed > 3 or judged_ok(outcome, by), seed


def test_occ_gives_some_swept_commits_up_and_gets_others_right():
    built = workload("g3-swept")
    ran = [run(built, "occ", seed) for seed in SEEDS]
    assert [gave_up(one) for one in ran].count(True) == 10
    assert all(passes(built, one) != gave_up(one) for one in ran)


@pytest.mark.nightly
@pytest.mark.parametrize("by", CORRECT)
@pytest.mark.parametrize("name", CELLS)
def test_a_thousand_trials_pass_by_chance_and_by_the_clock(name, by):
    built = workload(name)
    for seed in range(1_000):
        for outcome in (run(built, by, seed), timed(built, by, seed)):
            assert passes(built, outcome) or ((name, by) == STARVED and gave_up(outcome)), seed


@pytest.mark.parametrize("name", CELLS)
def test_by_the_clock_naive_breaks_the_invariant_and_no_other_protocol_does(name):
    built = workload(name)
    assert_naive_breaks_it_by_the_clock(built)
    for by in CORRECT:
        outcome = timed(built, by)
        assert gave_up(outcome) if (name, by) == STARVED else passes(built, outcome), by


@pytest.mark.parametrize("by", ["mtpo", "mtpo-reissue"])
@pytest.mark.parametrize("name", CELLS)
def test_under_mtpo_every_schedule_there_is_ends_as_the_pre_order_does(name, by):
    assert_comes_to_the_pre_order(workload(name), by)


@pytest.mark.parametrize("name", CELLS)
def test_the_irrelevant_call_is_told_of_by_footprint_only(name):
    module = CELLS[name][0]
    assert_told_of_by_footprint_only(module.workload(), module.workload(irrelevant=True))


def test_the_anomalies_by_the_clock_are_those_of_the_stories():
    def ending(name):
        return timed(workload(name), "naive").final_state

    def said(state):
        return git_tree.run_tests(git_tree.files(state)).said

    assert "cannot import name 'vat_of' from 'tax'" in said(ending("g1-rename"))
    numbered = ending("g2-migration")
    assert {"repo/migrations/0007_email.sql", "repo/migrations/0007_phone.sql"} <= set(numbered)
    assert "AssertionError: 7 != 8" in said(numbered)
    swept = git_tree.files(ending("g3-swept"), "commits/0001/tree")
    assert "test_shipping.py" in swept and "No module named 'shipping'" in git_tree.run_tests(swept).said
    assert "free from 50.00" in ending("g4-version")["repo/CHANGELOG.md"]
    assert "carry a number" not in ending("g4-version")["repo/CHANGELOG.md"]


@pytest.mark.parametrize(("name", "word"), [("g1-rename", "cannot import name"), ("g2-migration", "7 != 8")])
def test_a_worktree_each_merges_cleanly_into_what_does_not_pass_its_tests(name, word):
    built = workload(name)
    for agent in built.agents:
        assert git_tree.run_tests(git_tree.files(alone(built, agent))).passed
    state, conflicts = forked_and_merged(built)
    assert conflicts == () and not built.invariant(state, {})
    assert word in git_tree.run_tests(git_tree.files(state)).said


def test_a_worktree_each_takes_the_new_version_for_agreed_on_and_stops_at_the_changelog():
    built = workload("g4-version")
    state, conflicts = forked_and_merged(built)
    assert conflicts == ("repo/CHANGELOG.md",) and "<<<<<<<" in state["repo/CHANGELOG.md"]
    assert 'VERSION = "1.4.3"' in state["repo/version.py"]
    markers = ("<<<<<<<", "=======", ">>>>>>>")
    both = "".join(line for line in state["repo/CHANGELOG.md"].splitlines(True) if line[:7] not in markers)
    resolved = {**state, "repo/CHANGELOG.md": both}
    assert git_tree.run_tests(git_tree.files(resolved)).passed and not built.invariant(resolved, {})


def test_a_worktree_each_is_all_that_the_swept_commit_needs():
    built = workload("g3-swept")
    state, conflicts = forked_and_merged(built)
    assert conflicts == () and state == dict(serial_endings(built)[0].state)


def test_a_commit_that_is_not_its_authors_or_fails_its_tests_is_found_out():
    built = workload("g3-swept")
    end = serial_endings(built)[0]
    right, commit = dict(end.state), "commits/0001/tree"
    since = [path for path in right if path.endswith("/tax.py") and not path.startswith("commits/0000")]
    assert built.invariant(right, {})
    assert not built.invariant({**right, "commits/0001/author": "B", "commits/0002/author": "A"}, {})
    assert not built.invariant({**right, f"{commit}/README.md": "Swept along."}, {})
    assert built.invariant({**right, **{path: f"{right[path]}# fine\n" for path in since}}, {})
    assert not built.invariant({**right, **dict.fromkeys(since, "def vat_of(net):\n    return 0\n")}, {})
    assert not built.invariant({**right, "index/tax.py": "staged and left"}, {})
    assert not built.invariant({**right, "repo/tax.py": "written and left"}, {})


def test_commits_that_clash_are_told_by_file():
    built = workload("g3-swept")
    base = dict(built.state)
    mended, worse = alone(built, built.agents[0]), {}
    for path, value in mended.items():
        worse[path] = value.replace("+ 50", "+ 99") if path.endswith("tax.py") else value
    assert built.merge(base, mended, worse)[1] == ("repo/tax.py",)
    assert built.merge(base, mended, base) == built.merge(base, base, mended) == (mended, ())


def calls(built: Workload, ending: Ending) -> list[tuple[Call, Result]]:
    """The calls of an interleaving with their results."""
    running, ledger, made = [agent.program() for agent in built.agents], Ledger(built.state), []
    due = [program.send(None).call for program in running]
    for index in ending.order:
        result = ledger.run(built.tools[due[index].tool], dict(due[index].args))
        made.append((due[index], result))
        try:
            due[index] = running[index].send(result).call
        except StopIteration:
            pass
    return made


def test_index_and_commits_are_what_git_makes_of_the_same_calls(tmp_path):
    """One interleaving for each outcome that there is, with real `git add` and `git commit` in one working tree."""
    built = workload("g3-swept")
    by_outcome = {one.outcome: one for one in endings(built)}
    assert len(by_outcome) == 5
    for number, ending in enumerate(by_outcome.values()):
        root = tmp_path / str(number)
        root.mkdir()

        def git(*words, root=root):
            settings = ("-c", "user.name=x", "-c", "user.email=x@localhost")
            return subprocess.run(["git", *settings, *words], cwd=root, capture_output=True, text=True)

        git("init", "--quiet")
        for file, text in git_tree.files(dict(built.state)).items():
            (root / file).write_text(text)
        git("add", "--all")
        git("commit", "--message", "start")
        for call, result in calls(built, ending):
            args = dict(call.args)
            if call.tool in ("put", "create"):
                (root / args["path"].removeprefix("repo/")).write_text(args["value"])
            elif call.tool == "stage":
                assert git("add", args["name"]).returncode == 0
            elif call.tool == "commit":
                done = git("commit", "--message", args["author"])
                assert (done.returncode == 0) == (result.status == "ok"), done.stdout
        commits = git("log", "--reverse", "--format=%H %s").stdout.split("\n")[:-1]
        for place, line in enumerate(commits):
            commit, author = line.split()
            tree = git_tree.files(ending.state, f"commits/{place:04}/tree")
            assert ending.state[f"commits/{place:04}/author"] == author
            assert git("ls-tree", "--name-only", commit).stdout.split() == sorted(tree)
            assert all(git("show", f"{commit}:{file}").stdout == text for file, text in tree.items())
        assert f"commits/{len(commits):04}/author" not in ending.state


def test_a_file_is_staged_as_it_is_or_no_longer_is():
    ledger = Ledger([("repo/a", "new"), ("index/a", "old"), ("index/b", "gone")])

    def staged(file):
        return ledger.run(GIT_TOOLS["stage"], dict(on("stage", file).args))

    assert staged("a").value == staged("b").value == "ok"
    assert ledger.cells == {"repo/a": ("new",), "index/a": ("new",)}
    assert staged("c") == Result("failed", "missing")


def test_every_tool_of_the_working_tree_says_what_it_does_and_all_but_two_as_data():
    assert all(tool.says for tool in GIT_TOOLS.values())
    assert {name for name, tool in GIT_TOOLS.items() if not tool.meaning} == {"replace", "commit"}
    assert prove_frame(GIT_TOOLS["stage"]).verdict == prove_inverse(GIT_TOOLS["stage"]).verdict == "proved"


def test_the_names_are_those_of_the_modules():
    for short, (module, *_) in CELLS.items():
        assert workload(short).name == workload(module.NAME).name == module.NAME
        assert module.NAME.replace("-", "_") == module.__name__.rpartition(".")[2]
