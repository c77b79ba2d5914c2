"""Random books, random files, random orders: the store holds what a simple model holds."""

from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrationhub.store.unit_of_work import Store
from tests.contract.store import book
from tests.contract.store.book import Case, File, Group, Line
from tests.contract.store.model import Model, agrees

OWNERS = ("RECEIVING_PARENT", "SECRETARY_OF_STATE")
GROUPS = ("1", "2", "3", "4")
CASES = ("1000000001", "1000000002", "1000000003", "1000000004", "7000000005")
ON_BOTH = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@st.composite
def lines(draw: st.DrawFn) -> tuple[Line, ...]:
    """Up to four lines; a number may come twice, even with the same content."""
    numbers = sorted(draw(st.lists(st.integers(1, 4), max_size=4)))
    pence = st.sampled_from((1, 2, 3, -1, -2))
    return tuple(Line(number=number, pence=draw(pence), owner=draw(st.sampled_from(OWNERS))) for number in numbers)


@st.composite
def files(draw: st.DrawFn, sequence: int) -> File:
    """A file of some groups; every case stands in one group at most."""
    refs = draw(st.lists(st.sampled_from(GROUPS), unique=True))
    homes = {case: draw(st.sampled_from((*refs, None))) for case in CASES} if refs else {}
    groups = []
    for ref in refs:
        cases = tuple(
            Case(ref=case, lines=draw(lines()), children=draw(st.integers(0, 2)))
            for case, home in homes.items()
            if home == ref
        )
        orphans = (("9999999999", Line(number=1, pence=draw(st.integers(1, 2)))),) if draw(st.booleans()) else ()
        parties = {"p": draw(st.sampled_from("ABC"))} if draw(st.booleans()) else {}
        withdrawn = not cases and draw(st.booleans())
        groups.append(
            Group(ref=ref, cases=cases, orphans=() if withdrawn else orphans, withdrawn=withdrawn, parties=parties)
        )
    quarantined = draw(st.sets(st.sampled_from(refs))) if refs else set()
    good = [group for group in groups if group.ref not in quarantined]
    cut = draw(st.integers(0, len(good)))
    return File(
        sequence=sequence,
        slices=(tuple(good[:cut]), tuple(good[cut:])),
        whole_book=draw(st.booleans()),
        held=tuple(group for group in groups if group.ref in quarantined),
    )


def histories() -> st.SearchStrategy[list[File]]:
    """Up to four files of one feed."""
    return st.integers(1, 4).flatmap(lambda count: st.tuples(*(files(n) for n in range(1, count + 1)))).map(list)


@ON_BOTH
@given(history=histories())
def test_the_store_holds_what_the_files_say_whatever_they_do_to_groups_and_cases(
    store: Store, history: Sequence[File]
) -> None:
    book.wipe(store)
    model = Model()
    for file in history:
        book.load(store, file)
        model.take(file)
        agrees(store, model)
    assert book.broken(store) == {}


@ON_BOTH
@given(history=histories())
def test_the_order_of_slices_makes_no_difference_to_a_single_row(store: Store, history: Sequence[File]) -> None:
    book.wipe(store)
    for file in history:
        book.load(store, file, order=(1, 2))
    forwards = book.dump(store)
    book.wipe(store)
    for file in history:
        book.load(store, file, order=(2, 1))
    assert book.dump(store) == forwards


@ON_BOTH
@given(history=histories())
def test_merging_every_slice_again_changes_nothing(store: Store, history: Sequence[File]) -> None:
    book.wipe(store)
    for file in history:
        book.load(store, file)
    before = book.dump(store)
    for file in history:
        for number, frames in file.slice_frames():
            with store.begin() as work:
                assert not book.claim(work, file, number)
                merged = book.merge(work, file, number, frames)
                assert merged.groups == ()
                assert merged.debts.is_empty()
                work.commit()
    assert book.dump(store) == before
