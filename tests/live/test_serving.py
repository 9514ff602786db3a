"""What a configuration says is what is served; what it cannot mean is refused in one sentence, with the file."""

from dataclasses import replace
from pathlib import Path

import pytest

from coagent.bad_input import BadInput
from coagent.live.gate import Bounds
from coagent.live.limits import Limits
from coagent.live.serving import Plan, plan_of, toolbox
from coagent.tool import TOOLS
from workloads import workload

WHOLE = """
protocol = "serial"
name = "shop"
journal = "run.journal"
whole = true
tools = ["cells", "git"]
[limits]
read_s = 1.5
tries = 2
body_bytes = 1000
[[target]]
kind = "memory"
roots = ["x"]
[[target]]
kind = "memory"
roots = ["y"]
[agents]
ann = 1
bob = 2
"""


def planned(folder: Path, text: str) -> Plan:
    file = folder / "plan.toml"
    file.write_text(text)
    return plan_of(file)


def test_a_configuration_says_everything(tmp_path):
    assert planned(tmp_path, WHOLE) == Plan(
        journal="run.journal",
        targets=({"kind": "memory", "roots": ["x"]}, {"kind": "memory", "roots": ["y"]}),
        agents={"ann": 1, "bob": 2},
        tools=("cells", "git"),
        protocol="serial",
        name="shop",
        whole=True,
        limits=Limits(read_s=1.5, tries=2),
        bounds=Bounds(body_bytes=1000),
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("journal = ", "this is no TOML"),
        ("", "'journal' is missing; give the file of the journal"),
        ("journal = 'j'", "'target' is missing"),
        ("journal = 'j'\ntargets = []", "there is no setting 'targets'; there are protocol, journal"),
        ("journal = 7", "'journal' has to be a text"),
        (WHOLE + "cyd = 0", "the rank of 'cyd' has to be a positive integer"),
        (WHOLE + "cyd = true", "the rank of 'cyd' has to be a positive integer"),
        (WHOLE + "cyd = 2", "'bob' and 'cyd' have one rank, 2"),
        (WHOLE + "'x/y' = 3", "'x/y' cannot be the name of a file"),
        (WHOLE + f"{'n' * 65} = 3", "at most 64 letters"),
        (WHOLE.replace('["cells", "git"]', '["cells", 5]'), "item 2 of 'tools' has to be a text"),
        ("journal = 'j'\ntarget = [1]", "item 1 of 'target' has to be a table"),
        (WHOLE + "operator = 3", "an agent cannot be named 'operator'"),
        (WHOLE.replace("tries", "trys"), "there is no limit 'trys'; there are read_s, write_s, tries"),
        (WHOLE.replace("tries = 2", "tries = 2.5"), "the limit 'tries' has to be a positive number"),
        (WHOLE.replace("1.5", "-1"), "the limit 'read_s' has to be a positive number"),
    ],
)
def test_what_a_configuration_cannot_mean_is_refused_with_its_file(text, says, tmp_path):
    with pytest.raises(BadInput) as refusal:
        planned(tmp_path, text)
    assert says in str(refusal.value) and refusal.value.where == str(tmp_path / "plan.toml")


def test_a_configuration_that_is_not_there_is_bad_input(tmp_path):
    with pytest.raises(BadInput, match="cannot be read"):
        plan_of(tmp_path / "none.toml")


def test_tools_come_from_sets_and_workloads_and_two_of_one_name_do_not():
    mine = {"get": replace(TOOLS["get"], exec=TOOLS["list"].exec)}
    others = {"k3": workload("k3-flag-blob").tools, "mine": mine}.__getitem__
    assert toolbox(("cells",), others) == dict(TOOLS)
    assert set(toolbox(("cells", "k3"), others)) == {*TOOLS, *others("k3")}
    with pytest.raises(BadInput, match="two tools are named"):
        toolbox(("cells", "mine"), others)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["none.toml"], "cannot be read"),
        (["plan.toml", "--host", "0.0.0.0"], "give certificate and key for TLS"),
        (["plan.toml", "--tls", "cert.pem", "key.pem"], "both have to be PEM files"),
    ],
)
def test_the_command_refuses_in_one_sentence(coagent, tmp_path, monkeypatch, words, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.toml").write_text("journal = 'run.journal'\n[[target]]\nkind = 'memory'\nroots = ['x']\n")
    answer = coagent("serve", *words, "--port", "0")
    assert answer.code == 3 and says in answer.err and answer.out == ""


def test_a_database_in_a_folder_that_is_not_there_is_refused(coagent, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.toml").write_text(
        "journal = 'run.journal'\n[[target]]\nkind = 'sql'\nurl = 'sqlite:///nowhere/x.db'\ntables = ['t']\n"
    )
    answer = coagent("serve", "plan.toml", "--port", "0")
    assert answer.code == 3 and "no such folder for a database" in answer.err
