"""The contracts of vdf-bench, and what the parser of this package shall do beside."""

import numpy as np
import pytest
import torch
from vdf_bench_example.defense import OneStep
from vdf_bench_example.judge import Edges
from vdf_bench_example.loaded import SIZE_LIMIT, load, look
from vdf_bench_example.network import logits
from vdf_bench_example.parser import FILE, TinyParser
from vdf_bench_example.purifier import AutoContrast

from vdf_bench.core.errors import UserError
from vdf_bench.testing import check_defense, check_judge, check_parser, check_purifier


@pytest.mark.parametrize(
    ("check", "component"),
    [
        (check_defense, OneStep),
        (check_defense, OneStep.configured({"strength": 0.3})),
        (check_parser, TinyParser),
        (check_purifier, AutoContrast),
        (check_judge, Edges),
    ],
)
def test_contract(check, component):
    check(component)


def test_the_parser_finds_heads():
    assert check_parser(TinyParser).facts["head_iou"] > 0.6


def test_torch_computes_what_onnxruntime_computes():
    parser = load(FILE)
    pictures = look(torch.rand(3, 3, 61, 61, generator=torch.Generator().manual_seed(0)))
    (expected,) = parser.session.run(["logits"], {"pictures": pictures.numpy()})
    np.testing.assert_allclose(logits(parser.weights, pictures).numpy(), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "cannot be read"), (b"\x08\x07nonsense", "cannot be read"), (b"\0" * (SIZE_LIMIT + 1), "larger than")],
)
def test_another_file_is_refused_in_one_line(content, said, tmp_path):
    path = tmp_path / "parser.onnx"
    path.write_bytes(content)
    with pytest.raises(UserError, match=said) as refused:
        load(path)
    assert "\n" not in str(refused.value)
