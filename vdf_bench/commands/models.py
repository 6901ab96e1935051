"""``models``: the networks that ship, their gates, and their training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vdf_bench.commands.options import Out, examples
from vdf_bench.core.console import make_console
from vdf_bench.runs.arguments import MAX_SEED

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

app = typer.Typer(help="List and retrain the networks that come with the package.", no_args_is_help=True)


@app.command("list", epilog=examples("models list", "models train builtin"))
def models_list() -> None:
    """List the networks of the package: training data, measured quality, and limits."""
    from vdf_bench.assets.shipped import SHIPPED, card

    console = make_console()
    for path in sorted(SHIPPED.glob("*.json")):
        about = card(path.stem)
        console.print(f"{about['name']}: {about['title']}", style="bold", highlight=False)
        gates = [f"{name} {value:.3g}" for name, value in about["gates"].items() if isinstance(value, float)]
        for line in (about["data"], f"gates: {', '.join(gates)}" if gates else "", f"limits: {about['limits']}"):
            if line:
                console.print(f"  {line}", highlight=False, markup=False)


@app.command("train", epilog=examples("models train builtin", "models train heldout --seed 1 --out retrained"))
def models_train(
    name: Annotated[str, typer.Argument(help="A network from `vdf-bench models list`.")],
    out: Out = Path("models"),
    seed: Annotated[
        int, typer.Option(help="Random seed of data, initialisation and sampling.", min=0, max=MAX_SEED)
    ] = 0,
) -> None:
    """Train a network of the package from scratch, and write its weights and model card."""
    from vdf_bench.training.train import train

    console = make_console()
    gates = train(name, seed=seed, out=out, progress=_training_progress(console))
    console.print(f"{out / name}.safetensors: {gates}", highlight=False, markup=False, soft_wrap=True)


def _training_progress(console: Console) -> Callable[[str, float, float], None]:
    """Prints a line whenever another tenth of a phase is done."""
    shown: dict[str, int] = {}

    def tell(phase: str, done: float, loss: float) -> None:
        tenth = int(done * 10)
        if shown.get(phase) != tenth:
            shown[phase] = tenth
            text = f"{phase}: {done:.0%}" + (f", loss {loss:.4g}" if loss == loss else "")
            console.print(text, highlight=False, markup=False)

    return tell
