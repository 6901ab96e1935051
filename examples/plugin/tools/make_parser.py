"""Make ``vdf_bench_example/parser.onnx``: fit the network to rendered people, and write it down as an ONNX graph.

Needs the package ``onnx`` beside this one; takes a few minutes on one core::

    python tools/make_parser.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper
from vdf_bench_example.network import CLASSES, DILATIONS, EDGE, WIDTH, logits, shapes

from vdf_bench.scenes.training import TRAIN_SEEDS, sample_views

FILE = Path(__file__).parents[1] / "vdf_bench_example" / "parser.onnx"
VIEWS, STEPS, BATCH, RATE = 2400, 3000, 32, 4e-3
#: Old enough for every onnxruntime that the package allows.
OPSET, IR_VERSION = 13, 8


def pictures_and_labels() -> tuple[torch.Tensor, torch.Tensor]:
    """(N, 3, EDGE, EDGE) RGB in [0, 1] and (N, EDGE, EDGE) classes, of people whom no named clip shows."""
    views = list(sample_views(11, TRAIN_SEEDS, VIEWS, EDGE, per_identity=8))
    rgb = torch.from_numpy(np.stack([view.rgb for view in views])).permute(0, 3, 1, 2).float()
    return rgb, torch.from_numpy(np.stack([view.labels for view in views])).long()


def fit() -> dict[str, torch.Tensor]:
    """Weights by name."""
    generator = torch.Generator().manual_seed(0)
    weights = {}
    for name, shape in shapes().items():
        fan = int(np.prod(shape[1:])) if name.endswith("weight") else 0
        weights[name] = torch.randn(shape, generator=generator) * (2 / fan) ** 0.5 if fan else torch.zeros(shape)
        weights[name].requires_grad_(True)
    pictures, labels = pictures_and_labels()
    optimiser = torch.optim.Adam(weights.values(), RATE)
    falling = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, STEPS)
    for step in range(STEPS):
        some = torch.randint(len(pictures), (BATCH,), generator=generator)
        loss = F.cross_entropy(logits(weights, pictures[some]), labels[some])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        falling.step()
        if step % 200 == 0:
            print(f"step {step}: {loss.item():.3f}", flush=True)  # noqa: T201 - a script
    return {name: weight.detach() for name, weight in weights.items()}


def graph(weights: dict[str, torch.Tensor]) -> onnx.ModelProto:
    """The network as ONNX. Its weights are outputs too, so that whoever runs the file can read them from it."""
    nodes = [
        helper.make_node("Conv", ["pictures", "colour.weight", "colour.bias"], ["colour"], pads=[1] * 4),
        helper.make_node("Add", ["colour", "rows"], ["placed.rows"]),
        helper.make_node("Add", ["placed.rows", "columns"], ["placed"]),
        helper.make_node("Relu", ["placed"], ["h.0"]),
    ]
    for k, dilation in enumerate(DILATIONS):
        near, mixed = [f"depthwise.{k}.weight", f"depthwise.{k}.bias"], [f"pointwise.{k}.weight", f"pointwise.{k}.bias"]
        nodes += [
            helper.make_node(
                "Conv", [f"h.{k}", *near], [f"near.{k}"], pads=[dilation] * 4, dilations=[dilation] * 2, group=WIDTH
            ),
            helper.make_node("Conv", [f"near.{k}", *mixed], [f"mixed.{k}"]),
            helper.make_node("Relu", [f"mixed.{k}"], [f"added.{k}"]),
            helper.make_node("Add", [f"h.{k}", f"added.{k}"], [f"h.{k + 1}"]),
        ]
    nodes.append(helper.make_node("Conv", [f"h.{len(DILATIONS)}", "classes.weight", "classes.bias"], ["logits"]))
    nodes += [helper.make_node("Identity", [name], [f"out.{name}"]) for name in shapes()]
    return helper.make_model(
        helper.make_graph(
            nodes,
            "parser",
            [helper.make_tensor_value_info("pictures", TensorProto.FLOAT, ["N", 3, EDGE, EDGE])],
            [
                helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", CLASSES, EDGE, EDGE]),
                *(helper.make_tensor_value_info(f"out.{n}", TensorProto.FLOAT, list(s)) for n, s in shapes().items()),
            ],
            [numpy_helper.from_array(weight.numpy(), name) for name, weight in weights.items()],
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )


if __name__ == "__main__":
    model = graph(fit())
    onnx.checker.check_model(model)
    FILE.write_bytes(model.SerializeToString())
