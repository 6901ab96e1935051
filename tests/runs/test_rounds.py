"""A suite is run attack by attack, and what is broken is left alone. Steps are faked: the order is under test."""

from dataclasses import asdict, replace

import pytest

from vdf_bench.attackers.suite import find_suite
from vdf_bench.core.artifact import Artifact
from vdf_bench.core.budget import Budget
from vdf_bench.core.metrics import Measurement
from vdf_bench.execute.schedule import Tally
from vdf_bench.plan import Request
from vdf_bench.plan.presets import preset
from vdf_bench.runs import rounds
from vdf_bench.runs.run import prepare

STUDIED = [("pgd", 12.75), ("vdf", 12.75)]
#: Net DSR that is left of a defense under an attack; 1 where nothing is said.
LEFT = {("pgd", "other parser"): 0.0, ("vdf", "H.264"): 0.05, ("pgd", "landmark hull"): 0.0}


@pytest.fixture
def run(tmp_path):
    suite = find_suite("fast")
    request = Request(
        preset("quick"),
        ("vdf", "pgd"),
        ("gaussian",),
        suite.attackers(("vdf", "pgd"), (12.75,)),
        suite,
        clips=("synth-a",),
    )
    return prepare(request, tmp_path / "run")


def fake_execute(run, void=()):
    """An executor that puts a judgement for every judge, as LEFT says; and the log of what it was asked."""
    log = []
    cells = {cell.steps["judge.clone"]: cell for cell in run.plan.cells}
    names = {(who.chain, who.capture): a.name for a in run.request.suite.attacks for who, _ in a.against(STUDIED)}

    def execute(plan, store, jobs, seconds, watcher):
        del jobs, seconds, watcher
        todo = [key for key in plan.steps if not store.has(key)]
        log.append((sorted({cell.defense for cell in plan.cells}), {names[c.purifier, c.capture] for c in plan.cells}))
        for key in todo:
            rows = []
            outcome = "trained"
            if key in cells:
                cell = cells[key]
                name = names[cell.purifier, cell.capture]
                value = 0.0 if cell.arm != "defended" else LEFT.get((cell.defense, name), 1.0)
                rows = [asdict(Measurement("clone", "dsr", "", "up", value, 10))]
                outcome = "diverged" if cell.arm == "clean" and name in void else "trained"
            store.put(key, Artifact({}, {"rows": rows, "outcome": outcome, "code": "", "drive": ""}))
        return Tally(computed=todo, cached=[key for key in plan.steps if key not in todo])

    return execute, log


def attacked(run, monkeypatch, **kinds):
    execute, log = fake_execute(run, **kinds)
    monkeypatch.setattr(rounds, "execute", execute)
    said = []
    finished, tally = rounds.attack_in_rounds(run, 1, {}, None, said.append)
    return finished, tally, log, said


def test_what_is_broken_is_not_attacked_further(run, monkeypatch):
    finished, tally, log, said = attacked(run, monkeypatch)
    order = [next(iter(names)) for _, names in log]
    assert order == ["as published", "other parser", "landmark hull", "JPEG + half size", "H.264"]
    assert log[1][0] == ["noise", "none", "pgd", "vdf"]
    assert log[2][0] == ["noise", "none", "vdf"]  # pgd fell to the other parser
    assert said == [
        "other parser breaks pgd on synth-a (gaussian, seed 0)",
        "H.264 breaks vdf on synth-a (gaussian, seed 0)",
    ]
    counts = {d: sum(cell.defense == d for cell in finished.plan.cells) for d in ("none", "noise", "vdf", "pgd")}
    assert counts == {"none": 5, "noise": 5, "vdf": 5, "pgd": 2}
    assert len(set(tally.computed)) == len(tally.computed)
    assert set(finished.plan.steps) == set(tally.computed)
    inputs = {key for step in finished.plan.steps.values() for key in step.inputs.values()}
    assert inputs <= set(finished.plan.steps)


def test_exhaustive_goes_on(run, monkeypatch):
    run = replace(run, request=replace(run.request, suite=replace(find_suite("fast"), exhaustive=True)))
    finished, _, log, said = attacked(run, monkeypatch)
    assert len(log) == len(find_suite("fast").attacks)
    assert said == []
    assert len(finished.plan.cells) == 4 * len(log)


def test_a_void_cell_breaks_nothing(run, monkeypatch):
    _, _, log, said = attacked(run, monkeypatch, void=("other parser",))
    assert log[2][0] == ["noise", "none", "pgd", "vdf"]
    assert said[0].startswith("landmark hull breaks pgd")


def test_a_second_time_computes_nothing(run, monkeypatch):
    attacked(run, monkeypatch)
    _, tally, *_ = attacked(run, monkeypatch)
    assert tally.computed == []


@pytest.mark.parametrize("attack", find_suite("full").attacks, ids=lambda attack: attack.name)
def test_every_attack_can_be_built(attack):
    for who, only in attack.against(STUDIED):
        assert only in (None, *STUDIED)
        # Reports find an attack's rows by these texts; 12.75 is what a capture studies a defense at unless it says so.
        assert (who.chain, who.capture) == (attack.chain, attack.capture.replace("{defense}", only[0] if only else ""))


def test_an_attack_may_be_made_for_one_defense(tmp_path):
    suite = find_suite("full")
    request = Request(
        preset("quick"),
        ("vdf", "pgd"),
        ("gaussian",),
        suite.attackers(("vdf", "pgd"), (12.75,)),
        suite,
        clips=("synth-a",),
    )
    run = prepare(request, tmp_path / "run")
    attack = next(a for a in suite.attacks if a.name == "fine-tuned parser")
    due = rounds.due(run.plan, attack, STUDIED, set())
    pairs = {(cell.defense, cell.capture) for cell in due if cell.arm == "defended"}
    assert pairs == {(name, f"builtin/finetuned={name}/repair") for name in ("vdf", "pgd")}


def test_a_defense_is_studied_at_the_budget_under_attack(tmp_path):
    suite = find_suite("full")
    budgets = Budget.parse_all("linf=8,25.5")
    asked = suite.attackers(("vdf", "noise"), [budget.levels for budget in budgets])
    request = Request(preset("quick"), ("vdf",), ("gaussian",), asked, suite, clips=("synth-a",), budgets=budgets)
    run = prepare(request, tmp_path / "run")
    attack = next(a for a in suite.attacks if a.name == "fine-tuned parser")
    due = rounds.due(run.plan, attack, [("vdf", 8.0), ("vdf", 25.5)], set())
    pairs = {(cell.linf, cell.capture) for cell in due if cell.arm == "defended"}
    assert pairs == {(level, f"builtin/finetuned=vdf@{level:g}/repair") for level in (8.0, 25.5)}
