"""Suites are frozen: what was published under a name stays what it was, whatever is added beside it."""

import pytest

from vdf_bench.attackers.suite import Attack, Suite, SuiteComponent, find_suite, parse_suite
from vdf_bench.core import registry
from vdf_bench.core.errors import UserError

TIERS = ("fast", "standard", "full")
#: Digests of published suites. Never change one: register a new suite beside it.
PUBLISHED = {
    "autopurify-1-fast": "42151048e5f423ddb6574e1e5ac34d400dc80a1ddb8d37505fe4afafb11a9f08",
    "autopurify-1-standard": "2c8b3b96988f423412519f5184898373a07ef48a6e55f0c05ce1296392d58a84",
    "autopurify-1-full": "38da457062329cc2c32004b24a28767a4bbe6c3203491fb53c9660e1ed291cd6",
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_suite_never_changes(name):
    assert find_suite(name).sha256 == PUBLISHED[name], "a published suite is never changed: register a new one"


def test_every_suite_that_ships_is_pinned():
    ours = {name for name in registry.names("suites") if registry.distribution("suites", name).name == "vdf-bench"}
    assert ours == PUBLISHED.keys()


def test_tiers_hold_one_another_in_order():
    fast, standard, full = (find_suite(tier).attacks for tier in TIERS)
    assert standard[: len(fast)] == fast
    assert full[: len(standard)] == standard
    assert len({attack.name for attack in full}) == len(full)
    assert (fast[0].chain, fast[0].capture) == ("identity", "builtin/repair")


@pytest.mark.parametrize(("text", "tier"), [("auto", "fast"), ("auto:standard", "standard"), ("auto:full", "full")])
def test_suites_are_asked_for_by_tier_or_name(text, tier):
    assert parse_suite(text) == find_suite(tier) == parse_suite(f"auto:autopurify-1-{tier}")


def test_other_texts_ask_for_no_suite():
    assert parse_suite("jpeg:75") is None
    with pytest.raises(UserError, match="did you mean 'standard'"):
        parse_suite("auto:standart")


class Mine(SuiteComponent):
    """A stranger's suite."""

    suite = Suite("Mine 1", 1, "mine", (Attack("plain", "identity", "builtin/repair", "nothing"),))


def test_a_suite_beside_the_others_leaves_them_alone(monkeypatch):
    from vdf_bench.leaderboard.suites import SUITES

    board = {name: suite.sha256 for name, suite in SUITES.items()}
    known, load = registry.names, registry.load
    monkeypatch.setattr(registry, "names", lambda kind: [*known(kind), *(["mine"] if kind == "suites" else [])])
    monkeypatch.setattr(
        registry, "load", lambda kind, name: Mine if (kind, name) == ("suites", "mine") else load(kind, name)
    )
    assert parse_suite("auto:mine") == Mine.suite
    assert {name: find_suite(name).sha256 for name in PUBLISHED} == PUBLISHED
    assert {name: suite.sha256 for name, suite in SUITES.items()} == board


def test_the_board_keeps_the_hash_that_its_records_hold():
    from vdf_bench.leaderboard.suites import SUITES

    assert SUITES["vdf-bench-v1"].sha256.startswith("2346b2cb")
