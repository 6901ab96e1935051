"""``submit`` and ``leaderboard``: submissions, checked, computed again, ranked and published."""

from __future__ import annotations

import json
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vdf_bench.commands.options import Jobs, Settings, examples
from vdf_bench.core.console import make_console
from vdf_bench.core.errors import UserError
from vdf_bench.runs import arguments

if TYPE_CHECKING:
    from vdf_bench.leaderboard.case import Case
    from vdf_bench.leaderboard.findings import Finding
    from vdf_bench.leaderboard.pack import Protected
    from vdf_bench.leaderboard.records import Record
    from vdf_bench.leaderboard.suite import BoardSuite
    from vdf_bench.plan.run import Run

    Overrides = dict[str, dict[str, str]]

app = typer.Typer(help="Check, verify and publish submissions to the leaderboard.", no_args_is_help=True)

Submission = Annotated[
    Path, typer.Argument(metavar="DIR|FILE", help="A submission: a folder, or an uncompressed tar of it.")
]
SuiteName = Annotated[
    str,
    typer.Option(
        "--suite", metavar="SUITE", help="Suite of the leaderboard; `vdf-bench leaderboard suite` lists them."
    ),
]
StoreFolder = Annotated[Path, typer.Option("--store", help="Folder of artifacts, shared between submissions.")]
Records = Annotated[
    Path | None, typer.Option("--records", help="Folder of records; default: the published leaderboard.")
]
DEFAULT = "vdf-bench-v1"


EXAMPLES = examples(
    "submit --defense vdf --out my-entry --contact me@example.org --author 'A. Author'",
    "submit --defense vdf --method --out my-method --contact me@example.org --author 'A. Author'",
)


def submit(
    defense: Annotated[
        str, typer.Option(metavar="NAME", help="Defense that protects the clips of the suite, such as vdf.")
    ],
    out: Annotated[Path, typer.Option(help="Folder to write the submission into.", show_default=False)],
    contact: Annotated[
        str, typer.Option(help="A mail address or https link, such as me@example.org.", show_default=False)
    ],
    author: Annotated[list[str], typer.Option(help="Name of an author; repeat for several.", show_default=False)],
    suite: SuiteName = DEFAULT,
    method: Annotated[
        bool, typer.Option("--method", help="Submit the method instead of frames: it is run again on held-out clips.")
    ] = False,
    name: Annotated[str, typer.Option(help="Name of the entry; default: that of the defense.")] = "",
    entry_version: Annotated[
        int, typer.Option("--entry-version", help="Version of the entry; increase it to submit again.", min=1)
    ] = 1,
    title: Annotated[str, typer.Option(help="Title of the entry; default: that of the defense.")] = "",
    summary: Annotated[str, typer.Option(help="Summary in one or two sentences.")] = "",
    licence: Annotated[str, typer.Option(help="Licence of the submitted files.")] = "CC-BY-4.0",
    paper: Annotated[str, typer.Option(help="Title of the paper; needs --paper-url.")] = "",
    paper_url: Annotated[
        str, typer.Option("--paper-url", help="Link to the paper, such as https://arxiv.org/abs/2512.21019.")
    ] = "",
    sign: Annotated[
        Path | None, typer.Option(help="SSH key that signs the manifest, such as ~/.ssh/id_ed25519.")
    ] = None,
    set_: Settings = None,
    store: StoreFolder = Path("leaderboard-store"),
    jobs: Jobs = 0,
) -> None:
    """Create a submission to the leaderboard: the protected clips of a suite, and a manifest.

    The submitted files may be published.
    """
    from vdf_bench.core import registry
    from vdf_bench.leaderboard import pack, signature
    from vdf_bench.leaderboard.manifest import FILE, Paper

    board = _suite(suite)
    card = registry.load("defenses", defense).card
    if bool(paper) != bool(paper_url):
        raise UserError("--paper needs --paper-url: give both or neither")
    about = pack.About(
        name=name or defense,
        title=title or card.title,
        authors=tuple(author),
        contact=contact,
        licence=licence,
        version=entry_version,
        summary=summary,
        paper=Paper(title=paper, url=paper_url) if paper else None,
        role="control" if defense == "none" or "control" in card.tags else "defense",
    )
    overrides = arguments.overrides(set_ or [])
    component = pack.method_of(defense, overrides.get(defense, {}))
    pack.prepare(out)
    if method:
        pack.write_method(out, board, about, component, list(board.seeds))
    else:
        protected = _protect(board, defense, overrides, store, jobs or arguments.cores())
        pack.write_frames(out, board, protected, about, component, list(board.seeds))
    if sign is not None:
        signature.sign(out / FILE, sign)
    typer.echo(f"wrote {out}; next: `vdf-bench leaderboard check {out}`")


def _protect(suite: BoardSuite, defense: str, overrides: Overrides, store: Path, jobs: int) -> Protected:
    from vdf_bench.execute.costs import ROUGH_SECONDS
    from vdf_bench.execute.progress import ProgressWatcher
    from vdf_bench.execute.schedule import execute
    from vdf_bench.leaderboard.pack import plan_protection, read_protected
    from vdf_bench.store import Store

    _, plan, wanted = plan_protection(suite, defense, overrides)
    seconds = {key: ROUGH_SECONDS[step.name] for key, step in plan.steps.items()}
    kept = Store(store)
    with ProgressWatcher(make_console(), dict(seconds), jobs) as watcher:
        execute(plan, kept, jobs, seconds, watcher)
    return read_protected(kept, wanted)


@app.command(epilog=examples("leaderboard check my-entry", "leaderboard check my-entry.tar --format json"))
def check(
    submission: Submission,
    format_: Annotated[str, typer.Option("--format", metavar="FORMAT", help="Output format: text or json.")] = "text",
    records: Records = None,
) -> None:
    """Check a submission against every rule. Exit code 0: accepted, 1: refused, 2: it could not be checked."""
    from vdf_bench.leaderboard.check import opened

    form = arguments.choice(format_, "--format", ("text", "json"))
    with opened(submission, _records(records)) as (case, findings):
        if form == "json":
            refused = any(finding.severity == "error" for finding in findings)
            answer = {"refused": refused, "findings": [finding.record() for finding in findings]}
            typer.echo(json.dumps(answer, indent=1, sort_keys=True))
        else:
            _print(findings, case)
    if any(finding.severity == "error" for finding in findings):
        sys.exit(1)


@app.command(epilog=examples("leaderboard verify my-entry", "leaderboard verify my-method --seed 7301,9442 --publish"))
def verify(
    submission: Submission,
    out: Annotated[Path | None, typer.Option(help="Run folder; default: verified/NAME-vVERSION.")] = None,
    store: StoreFolder = Path("leaderboard-store"),
    publish: Annotated[bool, typer.Option("--publish", help="Add the record to the leaderboard.")] = False,
    clip: Annotated[str, typer.Option(metavar="CLIPS", help="Held-out clips for a method; default: all.")] = "",
    seed: Annotated[str, typer.Option(metavar="SEEDS", help="Random seeds for a method, unknown to its authors.")] = "",
    records: Records = None,
    jobs: Jobs = 0,
) -> None:
    """Compute all results of a submission again, and compare them with its record if there is one.

    Exit code 1: the submission is refused, or the results differ.
    """
    from vdf_bench.leaderboard.check import opened
    from vdf_bench.leaderboard.records import FOLDER

    folder = records or FOLDER
    with opened(submission, _records(records)) as (case, findings):
        _print([finding for finding in findings if finding.severity == "error"], None)
        stands = {finding.rule for finding in findings if finding.severity == "error"}
        known = _known(case, folder) if not stands or stands <= {"file-hash", "frames-hash"} else None
        moved = _moved(case, known) if known else []
        for line in moved:
            typer.echo(f"disagrees with the record of {known.id if known else ''}: {line}")
        if stands or moved:
            sys.exit(1)
        found, run = _compute(case, out, store, clip, seed, jobs)
        if known is not None:
            _compare(known, found)
        elif publish:
            _publish(found, run, folder)
        else:
            typer.echo(f"verified: add --publish to publish it on the leaderboard as {found.id}")


@app.command("suite", epilog=examples("leaderboard suite", "leaderboard suite vdf-bench-v1"))
def suite_(name: Annotated[str, typer.Argument(help="A suite; default: list all of them.")] = "") -> None:
    """Show suites: the clips, attacks and budgets of the leaderboard, and their hash."""
    from vdf_bench.leaderboard.suites import SUITES

    for suite in [_suite(name)] if name else SUITES.values():
        typer.echo(f"{suite.name}  {suite.sha256}\n  {suite.summary}")
        if name:
            typer.echo(json.dumps(suite.record(), indent=1, sort_keys=True))


@app.command(epilog=examples("leaderboard build site", "leaderboard build site --records my-records"))
def build(
    out: Annotated[Path, typer.Argument(help="Folder to write the site into.")],
    records: Records = None,
) -> None:
    """Write the website of the leaderboard: static pages that work offline."""
    from vdf_bench.leaderboard.records import FOLDER
    from vdf_bench.leaderboard.site import build as build_site

    found = build_site(_records(records), out, records or FOLDER)
    typer.echo(f"wrote {found} pages: {out / 'index.html'}")


@app.command(
    epilog=examples(
        "leaderboard mark leaderboard/submissions/vdf-bench-v1/a-v1.json --status withdrawn --reason 'asked by "
        "its authors'",
        "leaderboard mark leaderboard/submissions/vdf-bench-v1/a-v1.json --status superseded --by a-v2 "
        "--reason 'new version'",
    )
)
def mark(
    record: Annotated[
        Path, typer.Argument(metavar="RECORD", help="The record of an entry, such as submissions/SUITE/ENTRY-v1.json.")
    ],
    status: Annotated[
        str, typer.Option(metavar="STATUS", help="New status: contested, withdrawn, superseded or listed.")
    ],
    reason: Annotated[str, typer.Option(help="Reason, shown next to the entry.")],
    by: Annotated[str, typer.Option(help="Who decided; for superseded, the entry that replaces it.")] = "",
) -> None:
    """Change the status of an entry; it stays visible, with the reason."""
    from pydantic import ValidationError

    from vdf_bench.leaderboard.records import Event, add_event

    said = arguments.choice(status, "--status", ("contested", "withdrawn", "superseded", "listed"))
    today = datetime.now(UTC).date().isoformat()
    try:
        event = Event.model_validate({"status": said, "date": today, "reason": reason, "by": by})
    except ValidationError as error:
        raise UserError(f"--reason: {error.errors()[0]['msg']}") from None
    found = add_event(record, event)
    typer.echo(f"{found.id} is now {found.status}: {reason}")


def _suite(name: str) -> BoardSuite:
    from vdf_bench.leaderboard.suites import suite

    return suite(name)


def _records(folder: Path | None) -> list[Record]:
    from vdf_bench.leaderboard.records import FOLDER, read_records

    if folder is not None and not folder.is_dir():
        raise UserError(f"--records {folder} is not a folder: give the one that contains SUITE/ENTRY.json")
    return read_records(folder or FOLDER)


def _print(findings: list[Finding], case: Case | None) -> None:
    for finding in findings:
        where = f"{finding.path}: " if finding.path else ""
        typer.echo(f"{finding.severity}: {finding.rule}: {where}{finding.message} ({finding.remedy})")
    if case is not None and not any(finding.severity == "error" for finding in findings):
        manifest = case.manifest
        typer.echo(
            f"accepted: {manifest.entry.name} {manifest.entry.version}, {manifest.kind} for {manifest.suite.name}"
        )
        walls = sorted({wall for media in case.media.values() for wall in media.walls})
        if walls:
            typer.echo(f"decoded in a sandbox with: {', '.join(walls)}")


def _moved(case: Case, known: Record) -> list[str]:
    from vdf_bench.leaderboard.verify import locate

    with tempfile.TemporaryDirectory() as work:
        return locate(case, known, Path(work))


def _known(case: Case, folder: Path) -> Record | None:
    """The record of the same entry, version and suite."""
    from vdf_bench.leaderboard.records import read_record

    entry, suite = case.manifest.entry, case.manifest.suite
    path = folder / suite.name / f"{entry.name}-v{entry.version}.json"
    record = read_record(path) if path.is_file() else None
    return None if record is None or record.failure else record


def _compute(case: Case, out: Path | None, store: Path, clip: str, seed: str, jobs: int) -> tuple[Record, Run | None]:
    from vdf_bench.execute.costs import expected_seconds
    from vdf_bench.execute.progress import ProgressWatcher
    from vdf_bench.execute.schedule import StepFailedError
    from vdf_bench.leaderboard import verify as board
    from vdf_bench.runs.run import complete

    manifest = case.manifest
    folder = out or Path("verified") / f"{manifest.entry.name}-v{manifest.entry.version}"
    if manifest.kind == "frames":
        if clip or seed:
            raise UserError(
                "--clip and --seed apply to methods only: remove them, frames come from the suite's own clips"
            )
        run = board.frames_run(case, folder, store)
    else:
        seeds = tuple(arguments.seed(text) for text in arguments.names(seed))
        if not seeds:
            raise UserError(
                "--seed is missing: a method is run again with random seeds that its submitter does not know, "
                "such as --seed 7301,9442"
            )
        run = board.method_run(case, folder, store, arguments.names(clip) or case.suite.heldout, seeds)
    cores = jobs or arguments.cores()
    try:
        with ProgressWatcher(make_console(), expected_seconds(run), cores) as watcher:
            complete(run, cores, watcher, watcher.say)
    except StepFailedError as error:
        typer.echo(f"the computation failed on this machine: {str(error).splitlines()[-1]}", err=True)
        return board.failed(case, str(error).splitlines()[-1]), None
    return board.record_of(case, run), run


def _compare(known: Record, found: Record) -> None:
    """Print where a recomputation leaves the record; exit 1 where it does."""
    from vdf_bench.leaderboard.verify import disagreements

    lines = disagreements(known, found)
    for line in lines:
        typer.echo(f"disagrees with the record of {known.id}: {line}")
    if lines:
        sys.exit(1)
    typer.echo(f"agrees with the record of {known.id}: {len(found.frames)} clips, {len(found.cells)} cells")


def _publish(found: Record, run: Run | None, folder: Path) -> None:
    from vdf_bench.leaderboard.pictures import save_pictures
    from vdf_bench.leaderboard.records import add_record

    pictures = save_pictures(found, run, folder) if run is not None else {}
    path = add_record(found.model_copy(update={"pictures": pictures}), folder)
    typer.echo(f"wrote {path}")
