"""Several workers at one store at the same time."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from integrationhub.canonical.identifiers import derive
from integrationhub.errors import Conflict, TransientError
from integrationhub.store import engine
from integrationhub.store.entity_versions import EntityVersion
from integrationhub.store.unit_of_work import Store
from tests.contract.store import book
from tests.contract.store.book import Case, File, Group, Line


def _groups(first: int, last: int, move: int = 0) -> tuple[Group, ...]:
    """Groups that share parties with all others; `move` shifts every case to another group."""
    return tuple(
        Group(
            ref=str(number),
            cases=tuple(
                Case(
                    ref=f"10{(number * 3 + part + move) % 120:08d}",
                    lines=(Line(number=1, pence=100 + move),),
                    children=3,
                )
                for part in range(3)
            ),
            parties={f"shared{part}": f"NAME{number}" for part in range(20)},
        )
        for number in range(first, last)
    )


def _file(sequence: int, move: int = 0) -> File:
    return File(sequence=sequence, slices=tuple(_groups(start, start + 5, move) for start in range(0, 40, 5)))


def _load_at_once(store: Store, file: File, workers: int = 4) -> None:
    book.receive(store, file)
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda part: book.merge_slice(store, file, *part), file.slice_frames()))
    book.close(store, file)


def test_slices_merged_at_the_same_time_end_as_slices_merged_one_by_one(store: Store) -> None:
    files = [_file(1), _file(2, move=1), _file(3, move=7)]
    for file in files:
        book.load(store, file)
    expected = book.dump(store)
    book.wipe(store)
    for file in files:
        _load_at_once(store, file)
    assert book.dump(store) == expected
    assert book.broken(store) == {}


def test_of_two_workers_with_the_same_slice_one_merges_it(store: Store) -> None:
    file = _file(1)
    book.receive(store, file)
    frames = dict(file.slice_frames())[1]
    together = Barrier(2)

    def take(_: int) -> bool:
        together.wait()
        return book.merge_slice(store, file, 1, frames) is not None

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(take, range(2))) == [False, True]


def test_a_name_is_held_by_one_at_a_time_and_other_names_are_free(store: Store) -> None:
    with store.exclusive("feed csa1993"):
        with pytest.raises(Conflict) as refused, store.exclusive("feed csa1993"):
            pass
        with store.exclusive("relay/1"):
            pass
    assert refused.value.code == "ALREADY_RUNNING"
    with store.exclusive("feed csa1993"):
        pass


def test_a_reader_keeps_its_snapshot_while_others_write(store: Store) -> None:
    file = _file(1)
    with store.read() as connection:
        before = connection.exec_driver_sql("SELECT count(*) FROM deliveries").scalar_one()
        book.receive(store, file)
        assert connection.exec_driver_sql("SELECT count(*) FROM deliveries").scalar_one() == before


def test_whoever_takes_messages_waits_for_no_lock_for_ever(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "BUSY_SECONDS", 1)
    store = Store.open(store_url, create=True)
    version = EntityVersion(entity_id=derive("case", 1), number=1, delivery_id=derive("d", 1), sha256="hash")
    with store.begin_by_keys() as work:
        work.entity_versions.advance("csa2003", [version])
        work.commit()
    with store.begin() as holder:
        holder.entity_versions.lock([version.entity_id])
        with pytest.raises(TransientError) as refused, store.begin_by_keys() as work:
            work.entity_versions.lock([version.entity_id])
    assert refused.value.code in ("DATABASE_BUSY", "DATABASE_LOCKED")
    store.close()
