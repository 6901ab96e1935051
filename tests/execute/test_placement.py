"""What steps ask of a cluster and which node they get, told without one."""

from __future__ import annotations

import pytest

from vdf_bench.execute.executor import Resources
from vdf_bench.execute.placement import Need, Node, choose, cost_class, gpu_share, kind_of
from vdf_bench.execute.ray import nodes_of
from vdf_bench.plan import Step

DEAR = Need(mib=1000.0, cost="hours")


def step(name="fit", **params):
    return Step(name, name, params, {}, "")


def nodes(**gpus):
    return [Node(name, name, cpus=4.0, gpus=count, mib=8000.0) for name, count in gpus.items()]


@pytest.mark.parametrize(
    ("params", "seconds", "recorded", "cost"),
    [
        ({"victim": "triplane"}, 25.0, False, "seconds"),
        ({"victim": "triplane", "scale": "paper"}, 9000.0, False, "hours"),  # its own guess is hours
        ({"victim": "external.er-nerf"}, 25.0, False, "hours"),  # nothing is guessed of it: its card speaks
        ({"victim": "external.er-nerf"}, 25.0, True, "seconds"),  # but a record knows better
        ({"defense": "mist"}, 30.0, False, "minutes"),
        ({"chain": "jpeg:75+diffpure-synth:steps=3"}, 3.0, False, "minutes"),
        ({"chain": "jpeg:75"}, 3.0, False, "seconds"),
        ({"victim": "nobody's"}, 59.0, False, "seconds"),
        ({}, 60.0, True, "minutes"),
    ],
)
def test_a_step_is_as_dear_as_recorded_else_as_its_cards_say(params, seconds, recorded, cost):
    assert cost_class(step(**params), seconds, recorded) == cost


@pytest.mark.parametrize(
    ("params", "share"),
    [
        ({"victim": "triplane"}, 0.0),
        ({"victim": "triplane", "device": "cpu", "scale": "paper"}, 0.0),
        ({"victim": "triplane", "device": "cuda"}, 0.5),
        ({"victim": "triplane", "device": "cuda", "scale": "paper"}, 1.0),
        ({"victim": "external.er-nerf", "device": "cuda"}, 1.0),
    ],
)
def test_a_gpu_is_shared_but_for_what_is_of_published_size(params, share):
    assert gpu_share(step(**params)) == share


def test_means_say_the_class_and_the_share():
    fit = step(victim="external.er-nerf", device="cuda")
    assert kind_of(Resources().need(fit, 25.0)) == "gpu"
    there = step(victim="external.er-nerf")
    assert kind_of(Resources().need(there, 25.0)) == "long"
    assert kind_of(Resources(recorded=frozenset([there.key])).need(there, 25.0)) == "short"


def test_long_work_is_spread_and_goes_beside_gpus_last():
    cluster = nodes(a=0.0, b=1.0, c=0.0)
    went = []
    while (node := choose(DEAR, cluster)) is not None:
        node.hold(DEAR)
        went.append(node.id)
    assert went[:8] == ["a", "c"] * 4
    assert went[8:] == ["b"] * 4


def test_long_work_runs_beside_gpus_where_there_is_nothing_else():
    assert choose(DEAR, nodes(only=2.0)).id == "only"


def test_a_node_without_memory_is_passed_over():
    small, large = Node("a", "a", 4.0, 0.0, 500.0), Node("b", "b", 4.0, 1.0, 8000.0)
    assert choose(DEAR, [small, large]) is large
    large.hold(Need(mib=7500.0))
    assert choose(DEAR, [small, large]) is None, "whoever has no room gets nothing sent ahead"
    large.hold(Need(mib=7500.0), -1)
    assert choose(DEAR, [small, large]) is large


@pytest.mark.parametrize("need", [Need(cost="seconds"), Need(gpus=0.5, cost="hours")])
def test_short_work_and_gpu_work_is_left_to_the_cluster(need):
    assert choose(need, nodes(a=0.0, b=1.0)) is None


def test_gpu_work_takes_no_core():
    (node,) = nodes(a=1.0)
    for _ in range(4):
        node.hold(Need(gpus=0.5))
    assert choose(DEAR, [node]) is node


def test_nodes_of_one_machine_have_names_of_their_own():
    records = [
        {"NodeID": key, "Alive": alive, "NodeManagerHostname": host, "Resources": {"CPU": 2.0, "memory": 2.0**30}}
        for key, alive, host in [("2", True, "east"), ("1", True, "east"), ("3", True, "west"), ("4", False, "west")]
    ]
    found = nodes_of(records)
    assert [(node.id, node.name) for node in found] == [("1", "east #1"), ("2", "east #2"), ("3", "west")]
    assert (found[0].cpus, found[0].gpus, found[0].mib) == (2.0, 0.0, 1024.0)
