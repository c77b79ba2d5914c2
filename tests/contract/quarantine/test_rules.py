"""Rules: each does something to an item once, and says so."""

import pytest

from integrationhub.errors import ConfigurationError, Conflict, NotFound
from integrationhub.store.quarantine_rules import QuarantineRule, RuleAction
from tests.contract.quarantine.conftest import CLERK, GOOD, NOW, SECOND, World, item


def _rule(action: RuleAction, predicate: str = "connector=drill", **changes: str) -> QuarantineRule:
    values = {"name": "drill", "reason": "a drill", "added_by": CLERK.name, **changes}
    return QuarantineRule(**values, predicate=predicate, action=action, added_at=NOW)


def test_a_rule_labels_what_it_means_once(world: World) -> None:
    one, two = world.put(item(1), item(2, code="OTHER"))
    world.desk.add_rule(_rule(RuleAction.LABEL, "code=AMOUNT", label="supplier"), CLERK)
    assert [world.rules.run(), world.rules.run()] == [1, 0]
    assert (world.get(one).labels, world.get(two).labels) == (("supplier",), ())
    assert world.told(one) == [("LABELLED", "integrationhub")]


def test_a_rule_resubmits_an_item_once_whatever_comes_of_it(world: World) -> None:
    good, bad = world.put(item(1, body=GOOD), item(2))
    world.desk.add_rule(_rule(RuleAction.RESUBMIT), CLERK)
    for _ in range(5):
        world.rules.run()
    assert world.taker.given == 2
    assert (world.get(good).state, world.get(bad).state, world.get(bad).attempts) == ("RESUBMITTED", "OPEN", 2)
    assert [what for what, _ in world.told(bad)] == ["TRIED", "FAILED_AGAIN"]


def test_a_rule_does_not_discard_again_what_somebody_restored(world: World) -> None:
    (one,) = world.put(item())
    world.desk.add_rule(_rule(RuleAction.DISCARD), CLERK)
    world.rules.run()
    assert world.get(one).state == "DISCARDED"
    world.desk.restore([one], CLERK, "it counts after all")
    world.rules.run()
    assert world.get(one).state == "OPEN"


def test_a_rule_that_resubmits_stops_at_the_limit_of_tries(world: World) -> None:
    (one,) = world.put(item(resubmits=3))
    world.desk.add_rule(_rule(RuleAction.RESUBMIT), CLERK)
    world.rules.run()
    assert (world.taker.given, world.get(one).state) == (0, "OPEN")


def test_one_process_at_a_time_applies_rules(world: World) -> None:
    world.put(item())
    world.desk.add_rule(_rule(RuleAction.DISCARD), CLERK)
    with world.store.exclusive("quarantine rules"):
        assert world.rules.run() == 0
    assert world.rules.run() == 1


def test_a_faulty_predicate_and_a_taken_name_are_refused(world: World) -> None:
    with pytest.raises(ConfigurationError):
        world.desk.add_rule(_rule(RuleAction.DISCARD, "colour=red"), CLERK)
    world.desk.add_rule(_rule(RuleAction.DISCARD), CLERK)
    with pytest.raises(Conflict):
        world.desk.add_rule(_rule(RuleAction.LABEL), CLERK)


def test_a_rule_that_acts_needs_the_second_person_too(world: World) -> None:
    desk = world.with_second_person()
    request = desk.add_rule(_rule(RuleAction.DISCARD), CLERK).request
    assert request is not None
    assert world.rules.all() == []
    desk.approve(request, SECOND)
    assert [rule.added_by for rule in world.rules.all()] == [CLERK.name]


def test_a_removed_rule_does_nothing_and_keeps_its_history(world: World) -> None:
    world.desk.add_rule(_rule(RuleAction.DISCARD), CLERK)
    world.rules.remove("drill", CLERK, "no longer")
    (one,) = world.put(item())
    assert world.rules.run() == 0
    assert world.get(one).state == "OPEN"
    with world.store.begin() as work:
        history = [action.what.value for action in work.quarantine.history.of_rule("drill")]
    assert history == ["RULE_ADDED", "RULE_REMOVED"]
    with pytest.raises(NotFound):
        world.rules.remove("drill", CLERK, "again")
