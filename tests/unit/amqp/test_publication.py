"""Which messages are under way together."""

from dataclasses import dataclass, field
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from integrationhub.amqp.publication import WINDOW, Properties, Publication
from integrationhub.sdk.transport import Outgoing


@dataclass
class Channel:
    """Notes what is published."""

    sent: list[str] = field(default_factory=list)

    def basic_publish(self, *, properties: Properties, **_: object) -> None:
        self.sent.append(str(properties.message_id))


def message(number: int, key: str | None) -> Outgoing:
    return Outgoing(
        exchange="", routing_key="q", message_id=f"{key} {number}", body=b"x", content_type=None, order_key=key
    )


@given(keys=st.lists(st.sampled_from(["a", "b", "c", None]), max_size=60), chance=st.randoms(use_true_random=False))
def test_of_one_order_key_never_two_are_under_way_and_all_go_in_order(keys: list[str | None], chance: Random) -> None:
    messages = [message(number, key) for number, key in enumerate(keys)]
    channel, publication = Channel(), Publication(iter(messages))
    tag = publication.go_on(channel, 0)
    confirmed: set[int] = set()
    while len(confirmed) < len(messages):
        under_way = sorted(set(range(1, tag + 1)) - confirmed)
        keyed = [name for name in (channel.sent[each - 1].split()[0] for each in under_way) if name != "None"]
        assert len(keyed) == len(set(keyed))
        each, multiple = chance.choice(under_way), chance.random() < 0.3
        confirmed |= {other for other in under_way if other <= each} if multiple else {each}
        assert publication.confirmed(each, multiple=multiple)
        tag = publication.go_on(channel, tag)
    assert publication.done.result(0) == []
    for key in ("a", "b", "c"):
        wanted = [each.message_id for each in messages if each.order_key == key]
        assert [name for name in channel.sent if name.startswith(key)] == wanted


def test_no_more_than_a_window_is_under_way() -> None:
    channel, publication = Channel(), Publication(message(number, f"k{number}") for number in range(2 * WINDOW))
    assert publication.go_on(channel, 0) == WINDOW
    assert not publication.confirmed(1, multiple=False)
    assert publication.confirmed(WINDOW, multiple=True)
    assert publication.go_on(channel, WINDOW) == 2 * WINDOW


def test_messages_without_an_order_key_go_in_the_order_given() -> None:
    channel = Channel()
    Publication(message(number, None) for number in range(5)).go_on(channel, 0)
    assert channel.sent == [f"None {number}" for number in range(5)]
