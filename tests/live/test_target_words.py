"""A target that cannot be: whatever a word or a table names wrongly is one sentence and exit code 3."""

import asyncio
import inspect
import subprocess
import warnings
from importlib import import_module

import pytest
from urllib3.exceptions import InsecureRequestWarning

from coagent.bad_input import BadInput
from coagent.live.limits import Limits
from coagent.live.opening import history_of, session
from coagent.live.sqlite_journal import SqliteJournal
from coagent.live.targets import KINDS, described
from coagent.live.targets.files import FileTarget
from coagent.live.targets.kube_api import opened
from coagent.live.targets.memory import MemoryTarget
from coagent.live.targets.option import OPTIONS

NOWHERE = [
    "postgresql://localhost:1/nix",
    "postgresql://[bad",
    "sqlite:////nonexist/dir/x.db",
    "sqlite:///folder",
    "sqlite:///text",
    "kube:Bad_NS",
    "kube:../x",
]
TABLES = {
    'kind = "joined"': "needs the option 'targets'",
    'kind = "joined"\ntargets = [1]': "list of tables",
    'kind = ["x"]': "no target of kind",
    'kind = "memory"\nroots = [5]': "'roots' of the target 'memory' has to be a list of texts",
    'kind = "memory"\nroots = "stock"': "'roots' of the target 'memory' has to be a list of texts",
    'kind = "sql"': "the target 'sql' needs the option 'url'; it takes url, tables, cells",
    'kind = "sql"\nurl = "sqlite:///y.db"\ncells = {rots = ["a"]}': "no entry 'rots'; did you mean 'roots'?",
    'kind = "files"\nfolder = "folder"\nroot = "stock/x"': "'root' of the target 'files' has to be a text without",
    'kind = "files"\nfolder = 5': "has to be a text",
    'kind = "git"\nfolders = "folder"': "no option 'folders'; did you mean 'folder'?",
    'kind = "mail"\nhost = "x"': "needs the option 'port'",
}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A folder with something wrong of each kind in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("this is no database, and it is long enough not to be taken for an empty one\n" * 40)


@pytest.mark.parametrize("word", NOWHERE)
def test_a_target_that_is_not_there_is_one_sentence(word, coagent):
    answer = coagent("run", "lost-update", "--target", word)
    assert answer.code == 3 and answer.err.count("\n") == 1 and answer.out == "", answer


@pytest.mark.parametrize("table", TABLES)
def test_a_table_that_makes_no_target_says_which_option(table, tmp_path):
    file = tmp_path / "targets.toml"
    file.write_text(f"[[target]]\n{table}\n")
    with pytest.raises(BadInput) as refused:
        described(str(file))
    said = str(refused.value)
    assert TABLES[table] in said and str(file) in said and "__init__" not in said and "\n" not in said


def test_a_file_of_targets_is_utf_8(coagent, tmp_path):
    (tmp_path / "targets.toml").write_bytes(b'[[target]]\nkind = "m\xff"\n')
    answer = coagent("run", "lost-update", "--target", "targets.toml")
    assert answer.code == 3 and "no TOML" in answer.err


@pytest.mark.parametrize("kind", KINDS)
def test_the_options_are_those_of_the_class(kind):
    module, name = KINDS[kind]
    taken = inspect.signature(getattr(import_module(f"coagent.live.targets.{module}"), name)).parameters
    assert list(OPTIONS[kind]) == list(taken)
    for option, form in OPTIONS[kind].items():
        assert form.startswith("!") == (taken[option].default is inspect.Parameter.empty)


@pytest.mark.xdist_group("postgres")
def test_a_database_or_a_role_that_is_not_there_is_one_sentence(coagent, postgres):
    for word in (f"{postgres.rpartition('/')[0]}/nowhere", postgres.replace("//", "//nobody@", 1)):
        answer = coagent("run", "lost-update", "--target", word)
        assert answer.code == 3 and answer.err.count("\n") == 1 and answer.out == "", answer


@pytest.mark.parametrize("target", ["git:folder", "files:folder", "document:folder/run.db", "sqlite:///folder/run.db"])
def test_a_journal_in_a_target_is_refused_before_anything_is_written(target, coagent, tmp_path):
    kind, word = target.partition(":")[0], target
    if kind == "git":
        subprocess.run(["git", "init", "-q", "folder"], check=True)
    before = sorted(str(one) for one in (tmp_path / "folder").rglob("*"))
    (tmp_path / "link").symlink_to("folder")
    answer = coagent("run", "lost-update", "--target", word, "--journal", "link/run.db")
    assert answer.code == 3 and "the journal lies in the target" in answer.err, answer
    assert sorted(str(one) for one in (tmp_path / "folder").rglob("*")) == before


@pytest.mark.parametrize(("journal", "tokens"), [("folder/run.db", "tokens"), ("run.db", "folder/tokens")])
def test_a_service_keeps_journal_and_tokens_out_of_its_targets(journal, tokens, coagent, tmp_path):
    (tmp_path / "plan.toml").write_text(f"journal = '{journal}'\n[[target]]\nkind = 'files'\nfolder = 'folder'\n")
    answer = coagent("serve", "plan.toml", "--port", "0", "--tokens", tokens)
    assert answer.code == 3 and "lies in the target files" in answer.err, answer
    assert not (tmp_path / "run.db").exists() and not list((tmp_path / "folder").glob("*"))


def test_a_session_on_a_journal_in_its_target_is_not_opened(tmp_path):
    async def refused() -> None:
        journal = SqliteJournal(tmp_path / "folder" / "run.db")
        try:
            with pytest.raises(BadInput, match="lies in the target"):
                async with session(FileTarget(tmp_path / "folder"), journal=journal):
                    pass
        finally:
            await journal.close()

    asyncio.run(refused())


def test_a_journal_without_a_name_is_refused(coagent):
    answer = coagent("run", "lost-update", "--target", "memory", "--journal", "")
    assert answer.code == 3 and "the journal has no name" in answer.err


KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: k, user: u}}]
clusters: [{name: k, cluster: {server: "https://127.0.0.1:1"%s}}]
users: [{name: u, user: {token: t}}]
"""


@pytest.mark.parametrize(("says", "warned"), [(", insecure-skip-tls-verify: true", 0), ("", 1)])
def test_who_asked_for_no_verification_is_not_warned_of_it(says, warned, tmp_path):
    (tmp_path / "kubeconfig").write_text(KUBECONFIG % says)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        opened(str(tmp_path / "kubeconfig"))
        warnings.warn("no verification", InsecureRequestWarning, stacklevel=1)
    assert len(seen) == warned


class Failing(MemoryTarget):
    """A target that fails so many readings."""

    def __init__(self, state=()) -> None:
        super().__init__([""], state)
        self.fails = 0

    async def read(self, paths):
        if self.fails:
            self.fails -= 1
            raise OSError("the line is cut")
        return await super().read(paths)


def test_the_final_reading_is_tried_again_and_then_says_which_target():
    async def read(fails: int) -> object:
        target = Failing([("x", 1)])
        async with session(target, whole=True, limits=Limits(tries=3, pause_s=0.001)) as live:
            target.fails = fails
            return (await history_of(live)).end["final_state"]

    assert asyncio.run(read(2)) == {"x": 1}
    with pytest.raises(BadInput, match="the target memory cannot be read .OSError the line is cut"):
        asyncio.run(read(3))
