"""What is said about the package in several places is the same in all of them."""

import os
import re
import tomllib
from pathlib import Path

import checker
import coagent
import workloads

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
TEST_COMMAND = "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/pytest"


def test_ci_runs_the_documented_test_command():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert f'command="{TEST_COMMAND}"\n' in script
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    readme = ROOT / "README.md"
    assert not readme.exists() or TEST_COMMAND in readme.read_text(encoding="utf-8")


def test_version_and_licence_are_said_once_or_alike():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"version: {coagent.__version__}\n" in citation
    assert f"license: {PROJECT['project']['license']}\n" in citation
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_every_requirement_is_bounded_above_and_below():
    extras = PROJECT["project"]["optional-dependencies"]
    named = [*PROJECT["project"]["dependencies"], *(one for name in extras if name != "all" for one in extras[name])]
    others = [one for one in named if not one.startswith("coagent-mtpo[")]
    assert all(re.fullmatch(r"[a-z0-9-]+(\[[a-z]+\])?>=[0-9.]+,<[0-9.]+", one) for one in others), others
    assert extras["all"] == [f"coagent-mtpo[{','.join(sorted(set(extras) - {'all'}))}]"]


def test_data_files_lie_where_the_package_says():
    for package in (coagent, checker, workloads):
        assert Path(package.__file__).is_relative_to(ROOT)
    for package, patterns in PROJECT["tool"]["setuptools"]["package-data"].items():
        assert all(list((ROOT / package).glob(pattern)) for pattern in patterns)


def test_exported_names_are_there_and_are_no_submodules():
    for name in coagent.__all__:
        assert getattr(coagent, name)
        assert not (ROOT / "coagent" / f"{name}.py").exists(), f"importing coagent.{name} would replace the name"
