"""The command line: what it finds, what it refuses, and how fast it says so."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from vdf_bench.core.errors import UserError
from vdf_bench.runs import arguments


def one_line(err):
    """User errors are one line that begins with "error: "."""
    assert err.startswith(("error: ", "interrupted: ")), err
    assert err.count("\n") == 1, err
    return err


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["run", "--help"], ["list"], ["info", "vdf"]])
def test_light_commands_import_nothing_heavy(words):
    code = (
        f"import sys; sys.argv = ['vdf-bench', *{words!r}]\n"
        "from vdf_bench.commands import cli\n"
        "try: cli.main()\n"
        "except SystemExit as stop: assert not stop.code, stop.code\n"
        "heavy = {'torch', 'numba', 'pandas', 'matplotlib', 'skimage', 'scipy', 'ray'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_list_names_every_kind(vdf_bench):
    code, out, _ = vdf_bench("list")
    assert code == 0
    for name in ("vdf", "gaussian", "triplane", "jpeg", "synth", "photo-astronaut", "dsr"):
        assert name in out


def test_info_prints_card_and_parameters(vdf_bench):
    code, out, _ = vdf_bench("info", "vdf")
    assert code == 0
    assert "2512.21019" in out
    assert "--set vdf.gain=" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "--defense", "vfd"], "did you mean 'vdf'"),
        (["run", "--victim", "gausian"], "did you mean 'gaussian'"),
        (["run", "--purifier", "jpg"], "did you mean 'jpeg'"),
        (["run", "--preset", "quik"], "did you mean 'quick'"),
        (["run", "--parser", "buildin"], "did you mean 'builtin'"),
        (["run", "--policy", "repare"], "did you mean 'repair'"),
        (["run", "--clip", "synth-aa"], "not found"),
        (["run", "--clip", "nowhere.mp4"], "not found"),
        (["run", "--budget", "300"], "out of range"),
        (["run", "--budget", "big"], "not a number"),
        (["run", "--budget", "psnr>=38"], "begin with linf="),
        (["sweep", "--budget", "linf=1,2,4"], "ambiguous"),
        (["run", "--seed", "x"], "not a whole number"),
        (["run", "--target", "half"], "choose one of composite, full, both"),
        (["run", "--surrogate", "heldout"], "heldout"),
        (["run", "--surrogate", ","], "--surrogate"),
        (["protect", "nowhere.mp4", "out.mkv", "--surrogate", "landmark-hull"], "not found"),
        (["run", "--set", "vdf.gain"], "COMPONENT.PARAMETER=VALUE"),
        (["run", "--set", "vfd.gain=1"], "did you mean 'vdf'"),
        (["run", "--set", "vdf.gian=1"], "parameters of vdf"),
        (["run", "--set", "vdf.learning_rate=-1"], "greater than"),
        (["run", "--purifier", "jpeg:0"], "jpeg"),
        (["run", "--timeout", "0"], "above 0"),
        (["run", "--parser", "builtin/vots"], "did you mean 'vote'"),
        (["run", "--parser", "builtin/on=jpg"], "did you mean 'jpeg'"),
        (["sweep", "--parser", "builtin/scale=7"], "out of range"),
        (["run", "--protected-share", "0"], "above 0"),
        (["run", "--clip", "synth-a@5"], "not a length"),
        (["run", "--judge", "fidelty"], "did you mean 'fidelity'"),
        (["run", "--judge", ","], "is empty"),
        (["run", "--judge", "editing"], "say --track images"),
        (["run", "--track", "images", "--judge", "lips"], "say --track video"),
        (["run", "--judge", "fidelity", "--purifier", "auto:fast"], "add dsr to --judge"),
        (["victims", "check", "gausian"], "did you mean 'gaussian'"),
        (["victims", "check", ",", "--clip", "synth-a"], "is empty"),
        (["victims", "probe", "gaussian", "--clip", "synth-aa"], "not found"),
        (["run", "--jobs", "-1"], "greater than or equal to 0"),
        (["run", "--nope"], "--nope"),
        (["frobnicate"], "frobnicate"),
        (["info", "gausian"], "did you mean 'gaussian'"),
        (["list", "victim"], "did you mean 'victims'"),
        (["clips", "show", "synth-aa"], "did you mean 'synth-a'"),
        (["report", "nowhere"], "nowhere"),
        (["models", "train", "bultin"], "builtin"),
        (["protect", "nowhere.mp4", "out.mkv"], "not found"),
        (["protect", "nowhere.mp4", "out.avi"], "ends in"),
        (["bench", "simulate", "--cells", "inf"], "less than or equal to 1"),
        (["bench", "simulate", "--cells", "1e300"], "less than or equal to 1"),
        (["bench", "simulate", "--cells", "nan"], "less than or equal to 1"),
        (["bench", "simulate", "--nodes", "1000000000"], "less than or equal to 10000"),
    ],
)
def test_bad_words_are_one_line_and_exit_code_2(vdf_bench, words, said):
    code, _, err = vdf_bench(*words)
    assert code == 2
    assert said in one_line(err)
    assert list(Path().iterdir()) == [], "a refused command leaves nothing behind"


def test_dry_run_prints_the_plan_and_writes_nothing(vdf_bench):
    code, out, _ = vdf_bench("run", "--defense", "vdf,pgd", "--dry-run")
    assert code == 0
    assert "protect synth-a with pgd" in out
    assert "to do" in out
    assert "about" in out
    assert list(Path().iterdir()) == []


def test_out_that_is_a_file_is_refused_and_kept(vdf_bench):
    Path("taken").write_text("precious")
    code, _, err = vdf_bench("run", "--out", "taken")
    assert code == 2
    assert "choose a folder" in one_line(err)
    assert Path("taken").read_text() == "precious"


def test_protect_does_not_overwrite(vdf_bench):
    Path("out.mkv").write_text("precious")
    code, _, err = vdf_bench("protect", "nowhere.mp4", "out.mkv")
    assert code == 2
    assert "--overwrite" in one_line(err)
    assert Path("out.mkv").read_text() == "precious"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "--seed=-1"], "out of range"),
        (["run", "--seed", str(2**70)], "out of range"),
        (["run", "--victim", ""], "is empty"),
        (["run", "--parser", ","], "is empty"),
        (["run", "--out", "taken/below"], "taken is a file"),
        (["run", "--store", "taken"], "taken is a file"),
        (["run", "--out", "taken/below", "--dry-run"], "taken is a file"),
        (["run", "--clip", "taken,a/taken"], "have the same name 'taken'"),
        (["bench", "simulate", "--store", "taken"], "taken is a file"),
        (["capture", "synth-a", "taken"], "not an empty folder"),
        (["protect", "taken", "nowhere/out.mkv"], "folder nowhere does not exist"),
        (["protect", "taken", "a.mkv", "--overwrite"], "is a folder"),
        (["protect", "taken.mkv", "taken.mkv", "--overwrite"], "the input video"),
        (["protect", "taken", "out.mkv", "--set", "pgd.steps=3"], "only vdf is run"),
    ],
)
def test_bad_places_are_one_line_and_nothing_is_lost(vdf_bench, words, said):
    Path("a").mkdir()
    Path("a.mkv").mkdir()
    taken = [Path("taken"), Path("taken.mkv"), Path("a/taken")]
    for path in taken:
        path.write_text("precious")
    code, _, err = vdf_bench(*words)
    assert code == 2
    assert said in one_line(err)
    assert sorted(Path().rglob("*")) == sorted([Path("a"), Path("a.mkv"), *taken])
    assert all(path.read_text() == "precious" for path in taken)


def test_names_in_brackets_are_printed_as_they_are(vdf_bench):
    Path("[red]me.mkv").write_text("no video")
    code, out, _ = vdf_bench("run", "--clip", "[red]me.mkv", "--out", "a[/b]", "--dry-run")
    assert code == 0
    assert "clip [red]me.mkv" in out


def test_interrupt_is_one_line_and_exit_code_130(vdf_bench, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("vdf_bench.plan.presets.preset", interrupted)
    code, _, err = vdf_bench("run")
    assert code == 130
    assert "run the same command again" in one_line(err)


def test_full_disk_is_one_line(vdf_bench, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device", "table.parquet")

    monkeypatch.setattr("vdf_bench.report.build", full)
    code, _, err = vdf_bench("report", "anything")
    assert code == 2
    assert "table.parquet: No space left on device" in one_line(err)


def test_a_gpu_that_is_not_there_is_said_in_one_line(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert arguments.device("auto") == arguments.device("auto", "ray") == "cpu"
    assert arguments.device("cuda", "ray") == "cuda", "a node may have what this machine has not"
    with pytest.raises(UserError, match="no GPU on this machine"):
        arguments.device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert arguments.device("auto") == arguments.device("cuda") == "cuda"


def test_sigterm_is_an_interrupt_with_its_own_exit_code(vdf_bench, monkeypatch):
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr("vdf_bench.plan.presets.preset", lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    try:
        code, _, err = vdf_bench("run")
    finally:
        signal.signal(signal.SIGTERM, before)
    assert code == 143
    assert "run the same command again" in one_line(err)


@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="looks at /proc")
@pytest.mark.parametrize("executor", ["local", "ray"])
def test_sigterm_ends_a_run_and_its_workers(tmp_path, executor):
    if executor == "ray":
        pytest.importorskip("ray", reason="needs ray: pip install 'vdf-bench[ray]'")
    small = ["--size", "32", "--frames", "16", "--clip", "synth-a", "--victim", "triplane", "--defense", "noise"]
    words = ["run", *small, "--iterations", "100000", "--jobs", "1", "--executor", executor, "--out", str(tmp_path)]
    code = "from vdf_bench.commands import cli; cli.main()"
    run = subprocess.Popen(
        [sys.executable, "-c", code, *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        until = time.monotonic() + 120
        while not list(tmp_path.glob("store/objects/*/*.artifact")) and run.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        assert run.poll() is None, run.stderr.read()
        run.terminate()
        _, err = run.communicate(timeout=60)
    finally:
        run.kill()
    assert run.returncode == 143
    assert "run the same command again" in one_line(err)
    until = time.monotonic() + 20
    while in_session(run.pid) and time.monotonic() < until:
        time.sleep(0.1)
    assert not in_session(run.pid)


def in_session(leader):
    """Processes of a session that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, _, session = stat.read_text().rpartition(")")[2].split()[:4]
            found += [stat.parent.name] if int(session) == leader and state not in "ZX" else []
    return found


def test_version_names_python_and_torch(vdf_bench):
    code, out, _ = vdf_bench("--version")
    assert code == 0
    assert re.fullmatch(r"vdf-bench \S+ \(Python \S+, torch \S+\)\n", out)


@pytest.mark.parametrize("command", ["run", "sweep", "protect"])
def test_help_ends_with_two_examples_that_work(vdf_bench, command):
    _, out, _ = vdf_bench(command, "--help")
    examples = [line.split() for line in out.rpartition("Examples:\n")[2].splitlines()]
    assert [words[:2] for words in examples] == [["vdf-bench", command]] * 2
    for words in examples:
        code, _, err = vdf_bench(*words[1:], *([] if command == "protect" else ["--dry-run"]))
        assert (code, err) == (0, "") or "my_video.mp4 not found" in err
