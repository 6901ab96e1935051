"""The page of metrics says what the code says."""

from __future__ import annotations

import math
from pathlib import Path

from vdf_bench.assets.third_party import THIRD_PARTY
from vdf_bench.judges.declared import declared_metrics

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()


def test_every_metric_is_told_as_it_is_defined():
    for metric in declared_metrics().values():
        upper = "∞" if math.isinf(metric.upper) else f"{metric.upper:g}"
        needs = f"`{metric.weights}`" if metric.weights else ""
        row = f"| `{metric.name}` | {metric.unit} | {metric.lower:g} to {upper} | {metric.better} | "
        row += f"{metric.definition} ({metric.aggregation}) | {needs} |"
        assert row in PAGE, row
        assert not metric.weights or metric.name in THIRD_PARTY[metric.weights].purpose


def test_all_weights_are_told():
    for entry in THIRD_PARTY.values():
        assert f"| `{entry.name}` | `{entry.file}` | {entry.purpose} | {entry.licence} |" in PAGE
