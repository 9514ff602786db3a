"""A shared document as cells: the laws, what peers do at the same time, and what only a document can hold."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycrdt import Array, Doc, Map, Text

from coagent.bad_input import BadInput
from coagent.live.target import Conflict, Refused
from coagent.live.targets.document import DocumentTarget
from tests.live.laws import check_laws
from workloads import workload

BEGUN = {
    "doc/order": ("a", "b"),
    "doc/sections/a/title": "One",
    "doc/sections/a/text": "A customer is whoever has an order. Größe 🎉.",
    "doc/sections/b/title": "Two",
    "doc/sections/b/text": "",
    "doc/rows/hotel/amount": 900,
    "doc/total": None,
}


def decoded(file: Path) -> object:
    """Everything in the file as a new peer finds it, with the kind of each node."""
    doc = Doc()
    if file.exists():
        doc.apply_update(file.read_bytes())

    def said(node: object) -> object:
        match node:
            case Map():
                return "Map", sorted((name, said(one)) for name, one in node.items())
            case Array():
                return "Array", [said(one) for one in node]
            case Text():
                return "Text", repr(node.diff())
            case _:
                return type(node).__name__, repr(node)

    return [said(doc.get(name, type=Map)) for name in ("doc", "sections", "rows")]


def edited(file: Path, *edits: Callable[[Doc], None]) -> None:
    """A peer's edits, made straight in the file."""
    doc = Doc()
    if file.exists():
        doc.apply_update(file.read_bytes())
    for edit in edits:
        edit(doc)
    file.write_bytes(doc.get_update())


def section(doc: Doc, name: str = "a") -> Map:
    return doc.get("sections", type=Map)[name]


def odd(doc: Doc) -> None:
    """What the target itself would not make: formats, plain kinds, fractions, nested maps, nothing."""
    section(doc)["text"].format(2, 10, {"bold": True})
    section(doc)["plain"] = "é plain"
    section(doc)["list"] = [1, "a", [True]]
    section(doc)["meta"] = Map({"by": "peer"})
    section(doc)["blob"] = b"\x00"
    section(doc)["data"] = {"a": 1}
    rows = doc.get("rows", type=Map)
    rows["hotel"]["rate"] = 12.5
    rows["none"] = Map()
    doc.get("doc", type=Map)["huge"] = float(2**60)


def begun(tmp_path: Path, *edits: Callable[[Doc], None]) -> tuple[DocumentTarget, Path]:
    file = tmp_path / "document"
    file.unlink(missing_ok=True)
    target = DocumentTarget(file)
    asyncio.run(target.write({path: (value,) for path, value in BEGUN.items()}, seen={}, restore={}))
    edited(file, *edits)
    return target, file


def laws(target: DocumentTarget, file: Path, writes: dict) -> None:
    async def fingerprint() -> object:
        return decoded(file)

    asyncio.run(check_laws(target, writes, fingerprint))


WRITES = {
    "a text": {"doc/sections/a/text": ("A client is. Größe 🎊!",)},
    "a text away": {"doc/sections/a/text": ()},
    "a text as a number": {"doc/sections/a/text": (5,)},
    "a number as a text": {"doc/rows/hotel/amount": ("many",)},
    "a list": {"doc/order": (("b", "c", "a", (None, True, ("x",))),)},
    "a list away": {"doc/order": ()},
    "true and one": {"doc/total": (True,), "doc/rows/hotel/amount": (1,)},
    "a section": {f"doc/sections/new/{field}": ("N",) for field in ("title", "text")},
    "a section away": {f"doc/sections/a/{field}": () for field in ("title", "text")},
    "everything away": {path: () for path in BEGUN},
    "strange names": {"doc/sections/a%2Fb%25/%": ("x",), "doc/rows/é 🎉/amount": (2**53,)},
    "plain kinds": {"doc/sections/a/plain": ("other",), "doc/sections/a/list": ((2,),)},
    "plain kinds away": {"doc/sections/a/plain": (), "doc/sections/a/list": (), "doc/rows/hotel/rate": ()},
    "a fraction": {"doc/rows/hotel/rate": (13,), "doc/huge": ("text",)},
    "an empty row filled": {"doc/rows/none/amount": (1,)},
}


@pytest.mark.parametrize("edits", [(), (odd,)], ids=["ours", "with a peer's odd things"])
@pytest.mark.parametrize("writes", WRITES.values(), ids=WRITES.keys())
def test_every_write_is_read_and_put_back_exactly(tmp_path: Path, writes: dict, edits: tuple) -> None:
    target, file = begun(tmp_path, *edits)
    laws(target, file, writes)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=10) | st.text("aé🎉", max_size=10)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS, lambda one: st.lists(one, max_size=4).map(tuple)
)
PATHS = st.sampled_from([*BEGUN, "doc/rows/new/amount", "doc/sections/a/note", "doc/rows/none/amount", "doc/huge"])
CELLS = st.builds(lambda value: (value,), VALUES | TEXTS) | st.just(())


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(PATHS, CELLS, min_size=1, max_size=4), st.booleans())
def test_any_edits_obey_the_laws(tmp_path: Path, writes: dict, peer: bool) -> None:
    target, file = begun(tmp_path, *([odd] if peer else []))
    laws(target, file, writes)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS, TEXTS, TEXTS)
def test_a_peers_insertion_outside_the_part_that_differs_survives(tmp_path: Path, old, new, inserted) -> None:
    target, file = begun(tmp_path)
    path = "doc/sections/a/text"

    async def met() -> object:
        await target.write({path: (f"<{old}>",)}, seen={}, restore={})
        peer = Doc()
        peer.apply_update(await target.update_since())
        known = await target.state()
        text = section(peer)["text"]
        text.insert(0, inserted + "|")
        text.insert(len(text), "|" + inserted)
        await target.write({path: (f"<{new}>",)}, seen={}, restore={})
        await target.apply_update(peer.get_update(known))
        peer.apply_update(await target.update_since(peer.get_state()))
        read = (await target.read((path,))).cells[path]
        assert read == str(section(peer)["text"]), "both peers see the same in the end"
        return read

    assert asyncio.run(met()) == f"{inserted}|<{new}>|{inserted}"


def test_edits_of_different_places_merge_and_the_result_is_everybodys(tmp_path: Path) -> None:
    target, file = begun(tmp_path)

    async def met() -> dict:
        peer = Doc()
        peer.apply_update(await target.update_since())
        peer.get("rows", type=Map)["travel"] = Map({"amount": 480})
        peer.get("doc", type=Map)["order"].append("c")
        await target.write({"doc/order": (("0", "a", "b"),), "doc/total": (900,)}, seen={}, restore={})
        await target.apply_update(peer.get_update())
        return dict((await target.read(("doc",))).cells)

    cells = asyncio.run(met())
    assert cells["doc/order"] == ("0", "a", "b", "c")
    assert (cells["doc/rows/travel/amount"], cells["doc/total"]) == (480, 900)


def insert_text(doc: Doc) -> None:
    section(doc)["text"].insert(0, "x")


def embolden(doc: Doc) -> None:
    section(doc)["text"].format(0, 3, {"bold": True})


def add_row(doc: Doc) -> None:
    doc.get("rows", type=Map)["travel"] = Map({"amount": 1})


OUTSIDE = {
    "the cell": (("doc/sections/a/text",), insert_text, True),
    "its format": (("doc/sections/a/text",), embolden, True),
    "another cell": (("doc/sections/a/title",), insert_text, False),
    "a cell of a listing": (("doc/sections",), insert_text, True),
    "a row that only a listing has": (("doc/rows",), add_row, True),
    "another listing": (("doc/sections", "doc/rows/hotel"), add_row, False),
    "a cell that was absent": (("doc/rows/travel/amount",), add_row, True),
}


@pytest.mark.parametrize("paths, edit, conflict", OUTSIDE.values(), ids=OUTSIDE.keys())
def test_what_a_peer_changed_of_what_was_read_is_a_conflict(tmp_path, paths, edit, conflict) -> None:
    target, file = begun(tmp_path)

    async def written() -> None:
        reading = await target.read(paths)
        edited(file, edit)
        before = decoded(file)
        if not conflict:
            await target.write({"doc/total": (1,)}, seen=reading.memo, restore={})
            assert (await target.read(("doc/total",))).cells == {"doc/total": 1}
            return
        with pytest.raises(Conflict):
            await target.write({"doc/total": (1,)}, seen=reading.memo, restore={})
        assert decoded(file) == before

    asyncio.run(written())


REFUSED = {
    "another root": {"repo/a": (1,)},
    "the document itself": {"doc": (1,)},
    "a group": {"doc/sections": (1,)},
    "a section": {"doc/sections/a": (1,)},
    "too deep": {"doc/sections/a/text/more": (1,)},
    "an empty name": {"doc/sections//text": ("a",)},
    "another spelling": {"doc/sections/%61/text": ("a",)},
    "a number too large": {"doc/total": (2**53 + 1,)},
    "a number too large in a list": {"doc/order": ((("a", -(2**70)),),)},
    "no UTF-8": {"doc/sections/a/text": ("\ud800",)},
    "over a map": {"doc/sections/a/meta": (1,)},
    "over bytes": {"doc/sections/a/blob": (1,)},
}


@pytest.mark.parametrize("writes", REFUSED.values(), ids=REFUSED.keys())
def test_nonsense_is_refused_and_nothing_of_the_write_is_done(tmp_path: Path, writes: dict) -> None:
    target, file = begun(tmp_path, odd)
    before = file.read_bytes()
    with pytest.raises(Refused):
        asyncio.run(target.write({"doc/sections/b/text": ("new",), **writes}, seen={}, restore={}))
    assert file.read_bytes() == before
    with pytest.raises(Refused):
        asyncio.run(target.apply_update(b"no update"))
    assert file.read_bytes() == before


def test_the_memo_serves_another_target_after_a_trip_through_json(tmp_path: Path) -> None:
    target, file = begun(tmp_path, odd)
    before = decoded(file)
    reading = asyncio.run(target.read(("doc",)))
    cells = {path: (value,) for path, value in reading.cells.items()}
    asyncio.run(target.write({path: () for path in cells}, seen=json.loads(json.dumps(reading.memo)), restore={}))
    assert decoded(file) != before
    other = DocumentTarget(**{name: value for name, value in target.spec.items() if name != "kind"})
    asyncio.run(other.write(cells, seen={}, restore=json.loads(json.dumps(reading.memo))))
    assert decoded(file) == before


def test_many_writers_of_one_file_lose_nothing(tmp_path: Path) -> None:
    target, file = begun(tmp_path)

    async def written() -> dict:
        targets = [target, DocumentTarget(file), DocumentTarget(file)]
        writes = ({f"doc/rows/{number}/amount": (number,)} for number in range(30))
        await asyncio.gather(
            *(targets[number % 3].write(one, seen={}, restore={}) for number, one in enumerate(writes))
        )
        return dict((await target.read(("doc/rows",))).cells)

    cells = asyncio.run(written())
    assert all(cells[f"doc/rows/{number}/amount"] == number for number in range(30))


def test_a_write_that_dies_half_way_leaves_the_old_document(tmp_path: Path, monkeypatch) -> None:
    target, file = begun(tmp_path)
    before = file.read_bytes()
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("no space left on device")))
    with pytest.raises(OSError):
        asyncio.run(target.write({"doc/total": (1,)}, seen={}, restore={}))
    assert file.read_bytes() == before
    monkeypatch.undo()
    asyncio.run(target.write({"doc/total": (1,)}, seen={}, restore={}))
    assert asyncio.run(target.read(("doc/total",))).cells == {"doc/total": 1}


@pytest.mark.parametrize("name", ["d1-client-for-customer", "d2-total-of-rows", "d3-see-section"])
def test_the_start_of_a_workload_is_read_as_it_was_written(tmp_path: Path, name: str) -> None:
    target = DocumentTarget(tmp_path / "document")
    state = dict(workload(name).state)
    asyncio.run(target.write({path: (value,) for path, value in state.items()}, seen={}, restore={}))
    assert dict(asyncio.run(target.read(("doc",))).cells) == state


def test_another_file_is_no_document(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("Dear all, this is a letter.")
    with pytest.raises(BadInput, match="no document"):
        asyncio.run(DocumentTarget(tmp_path / "letter").read(("doc",)))
    with pytest.raises(BadInput, match="folder"):
        DocumentTarget(tmp_path / "none" / "document")
