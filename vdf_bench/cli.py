"""The command line: a command parses, calls one function, prints. Nothing heavy is imported before it is needed."""

from __future__ import annotations

import errno
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from vdf_bench import arguments
from vdf_bench.arguments import MAX_SEED
from vdf_bench.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from vdf_bench.capture import Policy

#: Exit code after Ctrl-C.
INTERRUPTED = 130
#: Failures of a path that the user can mend, however deep they come up.
_PLACES = (
    errno.EACCES,
    errno.EISDIR,
    errno.ENAMETOOLONG,
    errno.ENOSPC,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
)

app = typer.Typer(
    name="vdf-bench",
    help="Measure whether a protected portrait video can still be cloned by 3D-field talking heads.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
clips_app = typer.Typer(help="The portrait clips: named ones and your own.", no_args_is_help=True)
models_app = typer.Typer(help="The networks that ship, and how they were trained.", no_args_is_help=True)
app.add_typer(clips_app, name="clips")
app.add_typer(models_app, name="models")

Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="C.P=VALUE", help="COMPONENT.PARAMETER=VALUE, repeatable.", show_default=False),
]
Out = Annotated[Path, typer.Option(help="Folder to write into.", show_default=False)]


@app.command()
def run(
    defense: Annotated[str, typer.Option(metavar="NAMES", help="NAME[,NAME...] or all.")] = "vdf",
    victim: Annotated[str, typer.Option(metavar="NAMES", help="NAME[,NAME...] or all.")] = "all",
    purifier: Annotated[str, typer.Option(metavar="CHAINS", help="Chains NAME[:VALUE][+NAME...][,...].")] = "identity",
    clip: Annotated[str, typer.Option(metavar="CLIPS", help="NAME|PATH[,...]; default: the preset's.")] = "",
    preset: Annotated[str, typer.Option(metavar="PRESET", help="quick, standard, full or paper.")] = "standard",
    size: Annotated[
        int | None, typer.Option(help="Edge of a frame, pixels, instead of the preset's.", min=32, max=2048)
    ] = None,
    frames: Annotated[
        int | None, typer.Option(help="Length of a clip instead of the preset's.", min=16, max=15000)
    ] = None,
    epsilon: Annotated[
        str, typer.Option(metavar="EPS", help="L-infinity budget in [0,1] pixels, such as 0.05 or 8/255[,...].")
    ] = "0.05",
    seed: Annotated[str, typer.Option(metavar="SEEDS", help="S[,S...]; default: the preset's.")] = "",
    parser: Annotated[
        str, typer.Option(metavar="NAME", help="The attacker's face parser; builtin is white-box.")
    ] = "builtin",
    policy: Annotated[str, typer.Option(metavar="POLICY", help="Face-less frames: repair, strict, drop.")] = "repair",
    target: Annotated[
        str, typer.Option(metavar="TARGET", help="Victims train on: composite, full, both.")
    ] = "composite",
    drive: Annotated[str, typer.Option(metavar="SOURCE", help="Lips move by: audio, landmarks, auto.")] = "auto",
    control: Annotated[str, typer.Option(metavar="NAMES", help="Control arms beside the clean one.")] = "noise",
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="C.P=VALUE", help="COMPONENT.PARAMETER=VALUE, repeatable.")
    ] = None,
    iterations: Annotated[int | None, typer.Option(help="Training steps of every victim.", min=1)] = None,
    out: Annotated[Path | None, typer.Option(help="Run folder; default: runs/PRESET-CLIP-DEFENSE-VICTIM.")] = None,
    store: Annotated[Path | None, typer.Option(help="Artifacts; default: inside the run folder.")] = None,
    jobs: Annotated[int, typer.Option(help="Steps at once; 0 takes one per core.", min=0)] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print plan and estimate only.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace another run's tables in --out.")] = False,
) -> None:
    """Protect, attack, clone and judge: does the defense hold?"""
    from vdf_bench.budget import Budget
    from vdf_bench.plan import DRIVES, PARSERS, POLICIES, TARGETS, Request
    from vdf_bench.presets import preset as find_preset
    from vdf_bench.progress import ProgressWatcher, print_plan
    from vdf_bench.run import complete, expected_seconds, prepare

    request = Request(
        preset=find_preset(preset).resized(size, frames),
        defenses=arguments.some_names(defense, "--defense"),
        victims=arguments.some_names(victim, "--victim"),
        purifiers=arguments.some_names(purifier, "--purifier"),
        clips=arguments.names(clip),
        budgets=tuple(Budget.parse(text) for text in arguments.some_names(epsilon, "--epsilon")),
        seeds=tuple(dict.fromkeys(arguments.seed(text) for text in arguments.names(seed))),
        parsers=tuple(arguments.choice(name, "--parser", PARSERS) for name in arguments.some_names(parser, "--parser")),
        policy=arguments.choice(policy, "--policy", POLICIES),
        targets=TARGETS[arguments.choice(target, "--target", tuple(TARGETS))],
        drive=arguments.choice(drive, "--drive", DRIVES),
        controls=tuple(name for name in arguments.names(control) if name != "none"),
        overrides=arguments.overrides(set_ or []),
        iterations=iterations,
    )
    console = _console()
    prepared = prepare(request, out or arguments.default_out(request), store, overwrite)
    cores = jobs or arguments.cores()
    if dry_run:
        print_plan(prepared, console, cores)
        return
    console.print(f"vdf-bench: {len(prepared.plan.cells)} cells into {prepared.out}", highlight=False, markup=False)
    with ProgressWatcher(console, expected_seconds(prepared), cores) as watcher:
        complete(prepared, cores, watcher, watcher.say)
    from vdf_bench.report import print_summary

    print_summary(prepared.out, console)
    if watcher.cached:
        console.print(
            f"{watcher.cached} of {len(prepared.plan.steps)} steps were in the store already", highlight=False
        )
    console.print(f"report: {prepared.out / 'report.html'}", highlight=False, markup=False, soft_wrap=True)


@app.command("list")
def list_(
    kind: Annotated[str, typer.Argument(help="defenses, victims, purifiers, judges or clips; default: all.")] = "",
) -> None:
    """List every component, with what it needs."""
    from rich.markup import escape
    from rich.table import Table

    from vdf_bench import registry

    if kind and kind not in registry.KINDS:
        raise UserError(f"unknown kind {kind!r}: {registry.suggest(kind, list(registry.KINDS))}")
    console = _console()
    for each in registry.KINDS:
        if kind not in ("", each):
            continue
        table = Table(title=each, title_justify="left", box=None, padding=(0, 2, 0, 0), show_header=False)
        for name in registry.names(each):
            try:
                card = registry.load(each, name).card
            except UserError as error:  # one broken plug-in must not hide the others
                table.add_row(name, escape(f"cannot be loaded: {error}"))
                continue
            table.add_row(name, escape(card.title + (f"  [{lack}]" if (lack := registry.unmet(card)) else "")))
        console.print(table)


@app.command()
def info(name: Annotated[str, typer.Argument(help="Any component.")]) -> None:
    """Print a component's card and parameters."""
    from vdf_bench import registry

    console = _console()
    kinds = [kind for kind in registry.KINDS if name in registry.names(kind)]
    if not kinds:
        known = sorted({known for kind in registry.KINDS for known in registry.names(kind)})
        raise UserError(f"unknown component {name!r}: {registry.suggest(name, known)}")
    for kind in kinds:
        component = registry.load(kind, name)
        card = component.card
        console.print(f"{card.name} ({kind[:-1]}): {card.title}", style="bold", highlight=False)
        console.print(card.summary, highlight=False, markup=False)
        for label, value in (
            ("source", " ".join(filter(None, [card.source, str(card.year or ""), card.url]))),
            ("licence", card.licence),
            ("needs", ", ".join(card.needs) or "nothing more"),
            ("here", registry.unmet(card) or "can run"),
            ("cost", card.cost),
        ):
            if value:
                console.print(f"  {label}: {value}", highlight=False, markup=False)
        for field_name, field in component.parameters_model.model_fields.items():
            text = f"  --set {card.name}.{field_name}={field.default}  {field.description or ''}"
            console.print(text, highlight=False, markup=False)


@app.command()
def report(folder: Annotated[Path, typer.Argument(help="A run folder.")]) -> None:
    """Make tables, plots and page of a run folder again, and print its answer."""
    from vdf_bench.report import build, print_summary

    build(folder)
    print_summary(folder, _console())


@app.command()
def protect(
    video: Annotated[Path, typer.Argument(help="The video to protect.")],
    out: Annotated[Path, typer.Argument(help="Where to write: .mkv is lossless (FFV1), .mp4 is H.264.")],
    defense: Annotated[str, typer.Option(metavar="NAMES", help="NAME of a defense.")] = "vdf",
    epsilon: Annotated[str, typer.Option(metavar="EPS", help="L-infinity budget, such as 0.05 or 8/255.")] = "0.05",
    size: Annotated[int, typer.Option(help="Edge of the square face crop, pixels.", min=64, max=2048)] = 256,
    seed: Annotated[int, typer.Option(help="Of every random choice.", min=0, max=MAX_SEED)] = 0,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="C.P=VALUE", help="COMPONENT.PARAMETER=VALUE, repeatable.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUT if it is there.")] = False,
) -> None:
    """Protect one video. A protected video is harder to clone by the systems measured here; it is never safe."""
    from vdf_bench.budget import Budget
    from vdf_bench.protect import protect_file

    if out.exists() and not overwrite:
        raise UserError(f"{out} is there already: choose another name, or say --overwrite")
    overrides = arguments.overrides(set_ or [])
    for component in overrides:
        if component != defense:
            raise UserError(f"--set {component}: only {defense} is run: give --set {defense}.PARAMETER=VALUE")
    done = protect_file(video, out, defense, Budget.parse(epsilon), size, seed, overrides.get(defense, {}))
    _console().print(done, highlight=False, markup=False)


@app.command()
def capture(
    clip: Annotated[str, typer.Argument(help="NAME or PATH.")],
    out: Annotated[Path, typer.Argument(help="Folder to make: the RAD-NeRF layout.")],
    size: Annotated[int, typer.Option(help="Edge of a frame, pixels.", min=64, max=1024)] = 512,
    frames: Annotated[int | None, typer.Option(help="Length, frames; default: all.", min=64)] = None,
    parser: Annotated[str, typer.Option(metavar="NAME", help="Face parser.")] = "builtin",
    policy: Annotated[str, typer.Option(metavar="POLICY", help="Face-less frames: repair, strict, drop.")] = "repair",
) -> None:
    """Preprocess a clip into the folder that RAD-NeRF, ER-NeRF, TalkingGaussian and their kin train from."""
    from vdf_bench.capture.layout import write_layout
    from vdf_bench.interfaces import CaptureRefused
    from vdf_bench.plan import PARSERS, POLICIES
    from vdf_bench.steps import capture_frames, load_clip

    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out} is not an empty folder: choose another one")
    arguments.known_clip(clip)
    chosen = cast("Policy", arguments.choice(policy, "--policy", POLICIES))
    loaded = load_clip(clip, size, frames)
    try:
        captured = capture_frames(loaded.frames, loaded.audio, arguments.choice(parser, "--parser", PARSERS), chosen)
    except CaptureRefused as refusal:
        raise UserError(f"{clip}: the pipeline stops with {refusal}: give a clip with one person in view") from None
    write_layout(captured, out, loaded.audio)
    console = _console()
    console.print(f"{out}: {len(loaded)} frames of {loaded.size} px", highlight=False, markup=False, soft_wrap=True)
    for note in loaded.notes:
        console.print(note, highlight=False, markup=False, soft_wrap=True)


@clips_app.command("list")
def clips_list() -> None:
    """Name every clip that needs no file."""
    from vdf_bench import registry

    console = _console()
    for provider in registry.names("clips"):
        source = registry.create("clips", provider)
        console.print(f"{provider}: {source.card.title}", style="bold", highlight=False)
        console.print("  " + ", ".join(source.names()), highlight=False)


@clips_app.command("show")
def clips_show(
    name: Annotated[str, typer.Argument(help="NAME or PATH.")],
    out: Out = Path(),
    size: Annotated[int, typer.Option(help="Edge of a frame, pixels.", min=32, max=1024)] = 192,
    frames: Annotated[int, typer.Option(help="Length, frames.", min=64)] = 110,
) -> None:
    """Write a contact sheet: frames and, where the clip was rendered, its parsing and depth."""
    import io

    from PIL import Image

    from vdf_bench.scenes.sheet import contact_sheet
    from vdf_bench.steps import load_clip
    from vdf_bench.store import write_atomically

    arguments.known_clip(name)
    clip = load_clip(name, size, frames)
    buffer = io.BytesIO()
    Image.fromarray(contact_sheet(clip)).save(buffer, "PNG")
    path = out / f"{clip.name}.png"
    write_atomically(path, buffer.getvalue())
    console = _console()
    for line in [f"{clip.name}: {len(clip)} frames of {clip.size} px", *clip.notes, f"written to {path}"]:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


@models_app.command("list")
def models_list() -> None:
    """Name the shipped networks with the gates that they were held to."""
    from vdf_bench.models.weights import SHIPPED, card

    console = _console()
    for path in sorted(SHIPPED.glob("*.json")):
        about = card(path.stem)
        console.print(f"{about['name']}: {about['title']}", style="bold", highlight=False)
        gates = [f"{name} {value:.3g}" for name, value in about["gates"].items() if isinstance(value, float)]
        for line in (about["data"], f"gates: {', '.join(gates)}" if gates else "", f"limits: {about['limits']}"):
            if line:
                console.print(f"  {line}", highlight=False, markup=False)


@models_app.command("train")
def models_train(
    name: Annotated[str, typer.Argument(help="A shipped network.")],
    out: Out = Path("models"),
    seed: Annotated[int, typer.Option(help="Of data, initialisation and sampling.", min=0, max=MAX_SEED)] = 0,
) -> None:
    """Train a shipped network again from its seed, with its card."""
    from vdf_bench.models.train import train

    console = _console()
    gates = train(name, seed=seed, out=out, progress=_training_progress(console))
    console.print(f"{out / name}.safetensors: {gates}", highlight=False, markup=False, soft_wrap=True)


def main() -> None:
    """Entry point: user errors are one line and exit code 2, an interrupt is exit code 130."""
    try:
        code = app(standalone_mode=False)  # typer turns an interrupt into its exit code
    except UserError as error:
        _refuse(str(error))
    except OSError as error:
        if error.errno not in _PLACES:
            raise
        where = f"{error.filename}: " if error.filename else ""
        _refuse(f"{where}{error.strerror}; choose another place, or make room")
    except Exception as error:
        # Usage errors are click's, which typer carries inside; what they share is how they put themselves.
        if not hasattr(error, "format_message"):
            raise
        text = error.format_message()
        if "\n" in text:  # a bare command prints its help
            typer.echo(text)
            sys.exit(2)
        _refuse(f"{text.rstrip('.')}; see vdf-bench --help")
    if code == INTERRUPTED:
        typer.echo("vdf-bench: interrupted; finished steps are kept, the same command goes on from there", err=True)
    sys.exit(code or 0)


def _refuse(text: str) -> None:
    typer.echo(f"vdf-bench: {text}", err=True)
    sys.exit(2)


def _console() -> Console:
    """As wide as the terminal; 100 columns where there is none."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=100)


def _training_progress(console: Console) -> Callable[[str, float, float], None]:
    """Prints a line whenever another tenth of a phase is done."""
    told: dict[str, int] = {}

    def tell(phase: str, done: float, loss: float) -> None:
        tenth = int(done * 10)
        if told.get(phase) != tenth:
            told[phase] = tenth
            text = f"{phase}: {done:.0%}" + (f", loss {loss:.4g}" if loss == loss else "")
            console.print(text, highlight=False, markup=False)

    return tell


if __name__ == "__main__":
    main()
