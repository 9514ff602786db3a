"""No request lets an agent act, read or finish as another, leave its targets, or learn what it is not told."""

import asyncio
import hashlib
import json
import re
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from coagent.live.desk import Desk
from coagent.live.gate import Bounds
from coagent.live.opening import session
from coagent.live.running import seed
from coagent.live.service import serve
from coagent.live.session import Session
from coagent.live.targets.git import GitTarget
from coagent.live.targets.git_tool import GIT_TOOLS
from coagent.live.targets.sql import SqlTarget
from coagent.live.token import OPERATOR, Tokens
from coagent.tool import TOOLS
from tests.live.attack_table import ATTACKS, Attack, Sent, page

PAGE = Path(__file__).parents[2] / "coagent" / "live" / "security.md"
QUICK = Bounds(head_s=0.3, body_s=0.3, wait_s=5.0)
AGENTS = ("ann", "bob", "cyd")
TOOLBOX = {**TOOLS, "stage": GIT_TOOLS["stage"], "commit": GIT_TOOLS["commit"]}
SECRET = "nobody may read this"


def repository(folder: Path) -> GitTarget:
    """A git tree with a commit, a change, and links that lead out."""
    repo = folder / "repo"
    repo.mkdir()
    (repo / "notes").write_text("notes\n")
    (repo / "link").symlink_to("../outside")
    (repo / "up").symlink_to("..")
    for words in (
        ["init", "-q"],
        ["add", "notes"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "1"],
    ):
        subprocess.run(["git", *words], cwd=repo, check=True)
    (repo / "notes").write_text("more notes\n")
    return GitTarget(repo)


@asynccontextmanager
async def attacked(folder: Path, kind: str) -> AsyncIterator[tuple[Session, str, dict[str, str]]]:
    """A run of three agents at a service: the session, its host and port, and all tokens."""
    (folder / "outside").write_text(SECRET)
    trees = [repository(folder)] if kind in ("path", "injection") else []
    cells = SqlTarget(f"sqlite:///{folder / 'state.sqlite'}", cells={"roots": ["x", "y"]})
    await seed(cells, [("x", 0), ("y", 0)])
    tokens = Tokens()
    async with session(*trees, cells, tools=TOOLBOX) as live:
        for name in AGENTS:
            await live.launch(name)
        given = {who: tokens.issue(who) for who in (*AGENTS, OPERATOR)}
        async with serve(live, tokens=tokens, bounds=QUICK) as served:
            yield live, served.url.removeprefix("http://"), given


async def answered(sent: Sent, host: str, tokens: Mapping[str, str]) -> tuple[int, str, str]:
    """Status, content type and body of the answer; (0, "", "") when the connection is closed without one."""
    name, _, port = host.partition(":")
    reader, writer = await asyncio.open_connection(name, int(port))
    try:
        writer.write(sent.text(tokens, host))
        try:
            head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).decode("latin-1")
        except (asyncio.IncompleteReadError, ConnectionError):
            return 0, "", ""
        kind = re.search(r"(?im)^content-type: *([^;\r]*)", head)[1]
        length = re.search(r"(?im)^content-length: *(\d+)", head)
        body = await (reader.readexactly(int(length[1])) if length else asyncio.wait_for(reader.read(65536), 5))
        return int(head.split(" ", 2)[1]), kind, body.decode()
    finally:
        writer.close()


async def standing(live: Session, folder: Path) -> object:
    """Everything that an attack might have changed, and what each agent did."""
    cells = dict((await live.target.read(live.target.roots)).cells)
    done = {name: [entry.call for entry in live.seat(name).log] for name in live.ledger.seats}
    return cells, done, (folder / "outside").read_text(), sorted(one.name for one in folder.iterdir())


@pytest.mark.parametrize("attack", ATTACKS, ids=[f"{one.kind}-{one.name}"[:60] for one in ATTACKS])
def test_an_attack_gets_the_answer_of_the_table_and_changes_nothing(attack: Attack, tmp_path: Path):
    async def tried() -> None:
        async with attacked(tmp_path, attack.kind) as (live, host, tokens):
            known = {**tokens, "{hash}": hashlib.sha256(tokens["ann"].encode()).hexdigest()}
            for one in attack.before:
                status, _, body = await answered(one, host, known)
                assert status == 200, body
            before = await standing(live, tmp_path)
            status, kind, body = await answered(attack.sent, host, known)
            assert status == attack.status, body
            if status < 400:
                assert attack.says in body
            else:
                assert kind == "application/json"
                assert json.loads(body) == {"error": attack.says}
                assert "\n" not in attack.says and len(attack.says) < 300
            assert not any(token in body for token in tokens.values())
            assert str(tmp_path) not in body and "Traceback" not in body and SECRET not in body
            after = await standing(live, tmp_path)
            assert after[2:] == before[2:], "nothing outside the targets"
            if status != 200:
                assert after == before
            others = {name: log for name, log in after[1].items() if name != (attack.sent.whose or "ann")}
            assert others == {name: log for name, log in before[1].items() if name in others}
            assert set(live.ledger.seats) == set(AGENTS) and not live.stuck
            assert (await answered(Sent(), host, tokens))[0] == 200, "and it serves on"

    asyncio.run(tried())


def test_a_fault_of_the_service_itself_tells_nothing_of_it(tmp_path: Path, monkeypatch, caplog):
    def faulty(desk: Desk, name: str, known: str | None) -> None:
        raise RuntimeError("/srv/secret/run.journal and a token")

    async def failed() -> None:
        async with attacked(tmp_path, "fault") as (_, host, tokens):
            monkeypatch.setattr(Desk, "log", faulty)
            status, kind, body = await answered(Sent(), host, tokens)
            assert (status, kind) == (500, "application/json")
            assert json.loads(body) == {"error": "a fault of the service itself; its own log says more"}
            assert not any(token in caplog.text for token in tokens.values())

    asyncio.run(failed())
    assert "/srv/secret/run.journal" in caplog.text, "whoever runs the service can find it"


def test_the_page_of_attacks_is_the_table(request: pytest.FixtureRequest):
    if request.config.getoption("--regenerate"):
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew with --regenerate"


def test_no_two_attacks_have_one_name():
    assert len({(one.kind, one.name) for one in ATTACKS}) == len(ATTACKS) > 100
