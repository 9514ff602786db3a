"""A target that cannot be: whatever a word or a table names wrongly is one sentence and exit code 3."""

import inspect
from importlib import import_module

import pytest

from coagent.bad_input import BadInput
from coagent.live.targets import KINDS, described
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
