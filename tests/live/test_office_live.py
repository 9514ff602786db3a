"""The programs of office workloads, unchanged, leave on real servers what they leave in a simulated office."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from coagent.tool import declare
from coagent.workload import Workload
from tests.live.radicale_server import PASSWORD, PASSWORD_ENV, radicale
from tests.live.smtp_server import SmtpServer, smtp
from tests.live.test_mail import arrived, target
from workloads import o5_double_booked_slot, x1_crossed_handover, x2_nag_on_stale_tasks

pytestmark = pytest.mark.xdist_group("dav")


class Cells(dict):
    def cell(self, path: str) -> tuple:
        return (self[path],) if path in self else ()

    def below(self, path: str) -> Iterator[str]:
        return iter(sorted(one for one in self if one.startswith(path + "/")))


class Office:
    """Several targets as one, by the first part of the path."""

    def __init__(self, *targets) -> None:
        self.by_root = {root: one for one in targets for root in one.roots}

    async def read(self, paths) -> tuple[dict, dict]:
        cells, memo = {}, {}
        for root in {path.split("/")[0] for path in paths}:
            found = await self.by_root[root].read([path for path in paths if path.split("/")[0] == root])
            cells |= found.cells
            memo |= found.memo
        return cells, memo

    async def write(self, cells: dict, memo: dict) -> None:
        for root in {path.split("/")[0] for path in cells}:
            mine = {path: cell for path, cell in cells.items() if path.split("/")[0] == root}
            seen = {name: kept for name, kept in memo.items() if name.split("/")[0] == root}
            await self.by_root[root].write(mine, seen=seen, restore={})


async def run(workload: Workload, office: Office) -> dict:
    """The agents one after the other; their reports."""
    reports = {}
    for agent in workload.agents:
        program, said = agent.program(), None
        try:
            while True:
                call = program.send(said).call
                cells, memo = await office.read(declare(workload.tools, call).footprint)
                said, writes = workload.tools[call.tool].exec(Cells(cells), dict(call.args))
                await office.write(dict(writes), memo)
        except StopIteration as end:
            reports[agent.name] = end.value
    return reports


@pytest.fixture
def mail_server(tmp_path: Path) -> Iterator[SmtpServer]:
    pytest.importorskip("aiosmtpd", reason="the SMTP server aiosmtpd is not installed")
    with smtp(tmp_path / "mail") as running:
        yield running


@pytest.mark.parametrize(
    "cell", [o5_double_booked_slot, x1_crossed_handover, x2_nag_on_stale_tasks], ids=lambda cell: cell.NAME
)
def test_agents_in_turn_keep_the_invariant_on_real_servers(
    cell, mail_server: SmtpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("radicale", reason="the CalDAV server Radicale is not installed")
    monkeypatch.setenv(PASSWORD_ENV, PASSWORD)
    workload = cell.workload()

    async def lived(server) -> tuple[dict, dict]:
        dav = server.target()
        await dav.write({path: (value,) for path, value in workload.state}, seen={}, restore={})
        office = Office(dav, target(mail_server))
        reports = await run(workload, office)
        cells, _ = await office.read(tuple(office.by_root))
        await dav.close()
        return cells, reports

    (tmp_path / "dav").mkdir()
    with radicale(tmp_path / "dav") as server:
        cells, reports = asyncio.run(lived(server))
    assert cells != dict(workload.state) and workload.invariant(cells, reports)
    assert len(arrived(mail_server)) == (cell is x2_nag_on_stale_tasks)
