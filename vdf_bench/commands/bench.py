"""``bench``: overhead and scaling of the harness, and the speed of a device."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from vdf_bench.commands.options import Clips, Frames, Iterations, PresetName, Size, examples
from vdf_bench.core.console import make_console
from vdf_bench.runs import arguments

app = typer.Typer(
    help="Measure the overhead of the harness, how it scales, and the speed of a device.", no_args_is_help=True
)


@app.command("harness", epilog=examples("bench harness", "bench harness --preset quick --victim gaussian --workers 4"))
def harness(
    preset: PresetName = "standard",
    clip: Clips = "",
    victim: Annotated[str, typer.Option(metavar="NAMES", help="Victims, such as gaussian,triplane, or all.")] = "all",
    size: Size = None,
    frames: Frames = None,
    iterations: Iterations = None,
    workers: Annotated[
        int, typer.Option("--workers", help="Number of worker processes that is compared with one.", min=2)
    ] = 2,
    cells: Annotated[
        int, typer.Option("--cells", help="Approximate number of cells in the planning test.", min=100, max=1_000_000)
    ] = 10_000,
) -> None:
    """Measure overhead, scaling with workers, the accuracy of forecasts, and planning time.

    One matrix is run twice into empty stores. CPU time is compared where possible, so that other work on the machine
    has little influence.
    """
    from dataclasses import replace

    from rich.table import Table

    from vdf_bench.bench.harness import compare_forecast, measure_execution, measure_planning
    from vdf_bench.execute.costs import expected_costs, expected_seconds, record_costs
    from vdf_bench.plan import Request
    from vdf_bench.plan.presets import preset as find_preset
    from vdf_bench.runs.run import prepare

    request = Request(
        preset=find_preset(preset).resized(size, frames),
        victims=arguments.some_names(victim, "--victim"),
        clips=arguments.names(clip),
        iterations=iterations,
    )
    console = make_console()
    planned = measure_planning(cells)
    console.print(
        f"planning: {planned.cells} cells, {planned.steps} steps in {planned.seconds:.2f} s of CPU time, "
        f"{planned.mib:.0f} MiB",
        highlight=False,
    )
    with TemporaryDirectory() as folder:
        # Small and thrown away: what is compiled when first used, and read into the page cache, is no one's overhead.
        warm = replace(request, preset=request.preset.resized(32, 16), iterations=2)
        first = prepare(warm, Path(folder), Path(folder) / "warm")
        measure_execution(first.plan, first.store, workers, expected_seconds(first))
        runs = [prepare(request, Path(folder), Path(folder) / str(n)) for n in (1, workers)]
        run = runs[0]
        guessed = expected_costs(run)
        seconds = {key: cost.seconds for key, cost in guessed.items()}
        found = [measure_execution(r.plan, r.store, n, seconds) for r, n in zip(runs, (1, workers), strict=True)]
        record_costs(run, [{"key": key, **(run.store.meta(key) or {})["cost"]} for key in run.plan.steps])
        forecasts = {"a guess": guessed, "recorded": expected_costs(run)}
        foretold = {
            name: compare_forecast(run.plan, costs, runs[1].store, found[1]) for name, costs in forecasts.items()
        }
    table = Table("workers", "wall s", "steps' CPU s", "overhead", "kept busy", "forced idle s", box=None)
    for each in found:
        share, busy = f"{each.overhead_share:.2%}", f"{each.kept_busy:.1%}"
        table.add_row(str(each.workers), f"{each.wall:.1f}", f"{each.step_cpu:.1f}", share, busy, f"{each.forced:.1f}")
    console.print(table)
    one, many = found
    net = one.step_cpu / many.step_cpu * many.kept_busy
    console.print(
        f"{len(run.plan.cells)} cells, {len(run.plan.steps)} steps; {workers} workers against one: wall "
        f"{one.wall / (workers * many.wall):.2f}, net of steps that all wait for {net:.2f} "
        f"(a step takes {many.step_cpu / one.step_cpu:.2f} times the CPU time)",
        highlight=False,
    )
    for name, held in foretold.items():
        console.print(
            f"forecast from {name} over what {workers} workers took: wall {held.wall:.2f}; cells' CPU time "
            f"{held.cpu[0]:.2f} to {held.cpu[1]:.2f}, memory {held.memory[0]:.2f} to {held.memory[1]:.2f}",
            highlight=False,
        )


@app.command("simulate", epilog=examples("bench simulate", "bench simulate --cells 1e5 --nodes 20 --cores 32"))
def simulate(
    cells: Annotated[
        float, typer.Option("--cells", help="Approximate number of cells in the matrix.", min=100, max=1e8)
    ] = 1e6,
    nodes: Annotated[int, typer.Option("--nodes", help="Number of machines.", min=1, max=10_000)] = 100,
    cores: Annotated[int, typer.Option("--cores", help="CPU cores per machine.", min=1, max=1024)] = 16,
    store: Annotated[
        str,
        typer.Option(
            "--store", metavar="PATH|URL", help="Use the recorded costs of this store; default: rough estimates."
        ),
    ] = "",
    gigabit: Annotated[
        float, typer.Option("--gigabit", help="Bandwidth of the store's network, Gbit/s.", min=0.01)
    ] = 10.0,
) -> None:
    """Simulate a large matrix on a cluster: how long it takes, and what the bottleneck is."""
    from vdf_bench.bench.cluster import DRIVER, SIZES, recorded
    from vdf_bench.bench.cluster import simulate as play
    from vdf_bench.core.errors import UserError
    from vdf_bench.core.text import duration
    from vdf_bench.execute.costs import ROUGH_SECONDS
    from vdf_bench.store import Store

    costs, sizes = dict(ROUGH_SECONDS), dict(SIZES)
    console = make_console()
    if store:
        place = Store(store)
        place.check_folder()
        found, weights, counts = recorded(place)
        if not {"clip", "capture", "fit", "drive", "judge"} <= counts.keys():
            raise UserError(
                f"--store {store} contains no finished run to take costs from: run `vdf-bench run --store "
                f"{store}` first"
            )
        costs, sizes = {**costs, **found}, {**sizes, **weights}
        console.print(f"costs of {sum(counts.values())} artifacts in {store}", highlight=False, markup=False)
    simulated = play(int(cells), nodes, cores, costs, sizes, DRIVER, gigabit)
    console.print(
        f"{simulated.cells} cells, {simulated.steps} steps, {simulated.cpu_hours:,.0f} CPU hours on "
        f"{simulated.workers} cores; the longest chain takes {duration(3600 * simulated.longest)}; "
        f"{simulated.terabytes:.1f} TiB through the store",
        highlight=False,
    )
    for name, hours in sorted(simulated.limits.items(), key=lambda limit: -limit[1]):
        console.print(f"  {name}: {hours:,.1f} h", highlight=False)
    console.print(f"bottleneck: {simulated.bottleneck}", highlight=False)


@app.command(
    "device",
    epilog=examples("bench device --device cpu", "bench device --size 256 --out device.json --plot roofline.png"),
)
def device(
    device: Annotated[
        str,
        typer.Option(
            "--device", metavar="DEVICE", help="What is measured: cpu, cuda, or auto for a GPU if there is one."
        ),
    ] = "auto",
    size: Annotated[int, typer.Option("--size", help="Edge of the frames that VDF protects, in pixels.", min=32)] = 512,
    frames: Annotated[int, typer.Option("--frames", help="Number of frames that VDF protects.", min=2)] = 5,
    victim_size: Annotated[
        int, typer.Option("--victim-size", help="Edge of the frames that victims train on, in pixels.", min=64)
    ] = 128,
    skip: Annotated[
        str, typer.Option("--skip", metavar="SECTIONS", help="Sections to leave out, such as gate,precision.")
    ] = "",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.json", help="Write the figures to this JSON file.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Draw the roofline into this .png or .svg file.")
    ] = None,
) -> None:
    """Measure a device: roofline, VDF's frames per second, training time of victims, determinism, mixed precision."""
    import json

    from vdf_bench.bench.device import SECTIONS, Order, measure_device
    from vdf_bench.bench.device_plot import PICTURES, plot_roofline
    from vdf_bench.bench.device_tables import print_device
    from vdf_bench.core.errors import UserError
    from vdf_bench.core.files import check_file, write_atomically

    files = {"--out": out, "--plot": plot}
    console = make_console()
    left = frozenset(arguments.choice(name, "--skip", SECTIONS) for name in arguments.names(skip))
    order = Order(arguments.device(device), size, frames, victim_size, skip=left)
    if plot is not None and plot.suffix.lower() not in PICTURES:
        raise UserError(f"--plot {plot}: unknown file type, use a name that ends in {' or '.join(PICTURES)}")
    if plot is not None and plot == out:
        raise UserError(f"--plot {plot} is also the file of --out: choose two different files")
    if plot is not None and "roofline" in left:
        raise UserError("--plot needs the roofline: remove --plot or --skip roofline")
    for option, file in files.items():
        if file is not None:
            check_file(file, option)
    with console.status("") as status:
        figures = measure_device(order, lambda section: status.update(f"measuring: {section}"))
    print_device(figures, console)
    if out is not None:
        write_atomically(out, (json.dumps(figures.to_json(), indent=1) + "\n").encode())
    if plot is not None and figures.peaks is not None:
        plot_roofline(figures.peaks, figures.points, figures.name, plot)
    elif plot is not None:
        console.print(f"no plot: {figures.left_out['roofline']}", highlight=False, markup=False)
