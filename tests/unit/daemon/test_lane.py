"""Which messages of a lane go next, and how many at once."""

from hypothesis import given
from hypothesis import strategies as st

from integrationhub.daemon.lane import LONGEST_SECONDS, MOST, MOST_BYTES, Item, Lane, halves, suspects
from integrationhub.sdk.transport import Incoming


def item(tag: int, key: str | None = None, *, size: int = 1, **values: float) -> Item:
    message = Incoming(
        tag=tag, queue="q", exchange="", routing_key="q", message_id=str(tag), body=b"x" * size, content_type=None
    )
    return Item(message=message, key=key, **values)  # type: ignore[arg-type]


def lane_of(*items: Item) -> Lane:
    lane = Lane()
    for each in items:
        lane.add(each)
    return lane


def tags(items: list[Item]) -> list[int]:
    return [each.message.tag for each in items]


def test_everything_that_piled_up_goes_at_once_up_to_the_bound() -> None:
    lane = lane_of(*(item(tag) for tag in range(MOST + 3)))
    assert tags(lane.take(0.0)) == list(range(MOST))
    assert tags(lane.take(0.0)) == [MOST, MOST + 1, MOST + 2]
    assert lane.take(0.0) == []


def test_a_batch_is_bounded_by_bytes_and_a_bigger_message_goes_alone() -> None:
    half = MOST_BYTES // 2
    lane = lane_of(item(1, size=half), item(2, size=half), item(3, size=1), item(4, size=3 * half), item(5))
    assert [tags(lane.take(0.0)) for _ in range(4)] == [[1, 2], [3], [4], [5]]


def test_a_suspect_goes_alone_and_in_its_place() -> None:
    lane = lane_of(item(1), item(2), item(3, together=1), item(4))
    assert [tags(lane.take(0.0)) for _ in range(3)] == [[1, 2], [3], [4]]


def test_of_the_doubted_twice_as_many_go_together_each_time_until_a_worker_dies() -> None:
    lane = lane_of(*(item(tag, doubted=True) for tag in range(12)))
    assert lane.take(0.0)[0].is_suspect
    sizes = []
    for _ in range(2):
        lane.went_well([item(0, doubted=True)])
        sizes.append(len(lane.take(0.0)))
    lane.went_well([item(0)])
    lane.went_wrong()
    assert [*sizes, len(lane.take(0.0)), len(lane.take(0.0))] == [2, 4, 1, 1]


def test_those_of_its_key_wait_behind_one_that_waits_and_others_go_on() -> None:
    lane = lane_of(item(1, "a", not_before=5.0), item(2, "b"), item(3, "a"), item(4))
    assert tags(lane.take(1.0)) == [2, 4]
    assert lane.take(1.0) == []
    assert lane.next_try(1.0) == 5.0
    assert tags(lane.take(6.0)) == [1, 3]


def test_a_lane_in_which_all_wait_for_a_next_try_may_rest() -> None:
    lane = lane_of(item(1, "a", not_before=5.0), item(2, "a"))
    assert (lane.may_rest(1.0), lane.may_rest(6.0)) == (True, False)
    lane.add(item(3))
    assert not lane.may_rest(1.0)
    assert Lane().may_rest(1.0)


def test_what_was_not_taken_is_next_again() -> None:
    lane = lane_of(item(1), item(2), item(3))
    lane.put_back(lane.take(0.0, most=2))
    assert tags(lane.take(0.0)) == [1, 2, 3]


def test_a_batch_that_failed_is_halved_until_the_one_that_fails_is_alone() -> None:
    lane = lane_of(*(item(tag) for tag in range(8)))
    with_the_fifth = []
    while batch := lane.take(0.0):
        if 5 in tags(batch):
            with_the_fifth.append(len(batch))
            if not batch[0].is_suspect:
                lane.put_back(halves(batch))
    assert with_the_fifth == [8, 4, 2, 1]


def test_what_a_dead_worker_had_in_hand_goes_one_by_one() -> None:
    lane = lane_of(item(1, counted=True), item(2))
    lane.put_back(suspects(lane.take(0.0)))
    assert [tags(lane.take(0.0)) for _ in range(2)] == [[1], [2]]


def test_slow_batches_get_smaller_and_fast_ones_grow_again() -> None:
    lane = lane_of(*(item(tag) for tag in range(5 * MOST)))
    lane.took(MOST, 10 * LONGEST_SECONDS)
    small = lane.take(0.0)
    assert len(small) == MOST // 10
    sizes = [len(small)]
    while sizes[-1] < MOST:
        lane.took(sizes[-1], 0.001)
        sizes.append(len(lane.take(0.0)))
    assert sizes == sorted(sizes)


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", "c", None]), st.sampled_from([0.0, 3.0]), st.sampled_from([1, 2, MOST])),
        max_size=30,
    )
)
def test_whatever_waits_each_message_goes_once_and_none_overtakes_another_of_its_key(
    shapes: list[tuple[str | None, float, int]],
) -> None:
    lane = lane_of(
        *(
            item(tag, key, not_before=not_before, together=together)
            for tag, (key, not_before, together) in enumerate(shapes)
        )
    )
    taken: list[Item] = []
    for now in (0.0, 4.0):
        while batch := lane.take(now):
            assert all(len(batch) <= each.together for each in batch)
            taken += batch
    assert sorted(tags(taken)) == list(range(len(shapes)))
    for key in ("a", "b", "c"):
        of_key = [each.message.tag for each in taken if each.key == key]
        assert of_key == sorted(of_key)
