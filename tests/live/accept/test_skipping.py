"""What is not installed is named by the tests that it keeps from running; in CI they fail instead of being skipped."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live import kube_server, missing, postgres_server

ROOT = Path(__file__).resolve().parents[3]
CELL = "tests/live/accept/test_cells.py"
BLOCKED = "import sys\nsys.modules.update(dict.fromkeys({names!r}))\n"


@pytest.mark.parametrize("ci", ["true", "", None])
@pytest.mark.parametrize("needed", [True, False])
def test_what_is_absent_skips_a_test_or_in_ci_fails_it(
    ci: str | None, needed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", ci) if ci is not None else monkeypatch.delenv("CI", raising=False)
    missing.unless("", needed=needed)
    outcome = pytest.fail.Exception if ci == "true" and needed else pytest.skip.Exception
    with pytest.raises(outcome, match="no such thing"):
        missing.unless("no such thing", needed=needed)


def test_a_cluster_that_cannot_be_started_is_said_to_lack_what_and_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(missing, "packages", lambda *names: "")
    monkeypatch.setenv("COAGENT_KUBE", str(tmp_path))
    assert "there is no" in kube_server.absent() and "COAGENT_KUBE" in kube_server.absent()
    (tmp_path / "kube-up.sh").touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert kube_server.absent().endswith("apt-get install etcd-server xz-utils openssl curl")
    for name in kube_server.PROGRAMS:
        (tmp_path / name).touch(mode=0o755)
    assert kube_server.absent() == ""
    monkeypatch.setenv("COAGENT_KUBE", str(tmp_path / "kube-up.sh"))
    assert kube_server.absent() == "", "a file is the kubeconfig of a cluster that runs"


def test_a_database_server_that_is_not_there_is_said_to_be_had_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(missing, "packages", lambda *names: "")
    monkeypatch.setattr(postgres_server, "programs", lambda: None)
    monkeypatch.delenv("COAGENT_POSTGRES", raising=False)
    assert "apt-get install postgresql" in postgres_server.absent()
    monkeypatch.setenv("COAGENT_POSTGRES", "postgresql://somewhere")
    assert postgres_server.absent() == ""


def test_packages_that_are_not_installed_are_named() -> None:
    assert missing.packages("pytest", "asyncio") == ""
    assert missing.packages("pytest", "no_such_package").startswith("not installed: no_such_package; pip install")


def test_without_packages_and_programs_the_set_is_collected_and_skips_and_in_ci_fails(tmp_path: Path) -> None:
    names = ("kubernetes", "yaml", "sqlalchemy", "psycopg", "radicale", "icalendar", "aiosmtpd", "pycrdt")
    (tmp_path / "blocked.py").write_text(BLOCKED.format(names=names))
    variables = {"PYTHONPATH": f"{ROOT}:{tmp_path}", "COAGENT_KUBE": str(tmp_path)}
    words = ("-p", "blocked", CELL, "-k", "k3 or x2 or phantom")
    environment = {**os.environ, **variables}

    def said(ci: str) -> str:
        command = [sys.executable, "-m", "pytest", "-q", "-rs", "-n0", "-o", "addopts=", *words]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**environment, "CI": ci})
        return done.stdout

    here = said("")
    assert "20 skipped" in here and "error" not in here and "not installed: sqlalchemy; pip install" in here, here
    there = said("true")
    assert "passed" not in there and "not installed: radicale, icalendar" in there, there
    assert "5 skipped" in there, "only the cluster, whose files are not there, may be skipped"


def test_ci_installs_what_is_missing_and_says_so_when_it_cannot(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("bash", "env", "dirname", "mktemp", "rm", "cat", "xz", "openssl", "curl", "git"):
        found = shutil.which(name)
        (tools / name).symlink_to(found) if found else (tools / name).touch(mode=0o755)

    def stub(name: str, text: str) -> None:
        (tools / name).write_text(f"#!{tools}/bash\n{text}\n")
        (tools / name).chmod(0o755)

    stub("apt-get", f'echo "$DEBIAN_FRONTEND $*" >> {tmp_path}/asked')
    stub("python3", f'echo "CI=$CI" > {tmp_path}/ran; exit 7')

    def run(user: int) -> tuple[str, str]:
        stub("id", f"echo {user}")
        (tmp_path / "asked").write_text("")
        environment = {"PATH": str(tools), "TMPDIR": str(tmp_path)}
        done = subprocess.run([tools / "bash", ROOT / ".ci/run"], env=environment, capture_output=True, text=True)
        assert done.returncode == 7, done.stderr
        assert (tmp_path / "ran").read_text() == "CI=true\n"
        return (tmp_path / "asked").read_text(), done.stderr

    asked, _ = run(0)
    update, install = asked.splitlines()
    assert update == "noninteractive -qq update"
    assert install.startswith("noninteractive -qq install -y --no-install-recommends etcd-server")
    assert run(1000) == ("", "")
    stub("apt-get", "exit 100")
    assert "could not install etcd-server" in run(0)[1]
    (tools / "etcd").touch(mode=0o755)
    stub("apt-get", f'echo "$*" >> {tmp_path}/asked')
    assert "etcd-server" not in run(0)[0]


@pytest.mark.xdist_group("postgresql")
def test_tests_of_one_server_are_for_one_process(request: pytest.FixtureRequest) -> None:
    several = hasattr(request.config, "workerinput")
    assert request.node.nodeid.endswith("@postgresql") is several, "the scheduler knows groups by the ends of ids"
