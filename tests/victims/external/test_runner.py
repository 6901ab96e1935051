"""The guard and the watch: everything that a command started is gone when it has ended, however that came about."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from vdf_bench.victims.external.runner import NAN_UPDATES, Limits, Watch, run_watched
from vdf_bench.victims.external.system import BAR

LIMITS = Limits(wall=60, stall=60, grace=0.3)


def run(code, tmp_path, limits=LIMITS, **watch):
    log = io.BytesIO()
    seen = Watch(**watch)
    ended = run_watched([sys.executable, "-c", code], tmp_path, dict(os.environ), limits, seen, log)
    return ended, log.getvalue().decode()


def gone(pid, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(OSError):
            if (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z":
                time.sleep(0.05)
                continue
        return True
    return False


def test_output_and_exit_code(tmp_path):
    ended, log = run("import sys; print('one'); print('two', file=sys.stderr); sys.exit(7)", tmp_path)
    assert (ended.reason, ended.code) == ("ended", 7)
    assert set(ended.tail) == set(log.split("\n")[:2]) == {"one", "two"}


def test_a_signal_is_told_as_shells_do(tmp_path):
    ended, _ = run("import os; os.kill(os.getpid(), 11)", tmp_path)
    assert (ended.reason, ended.code) == ("ended", 139)


def test_no_such_program(tmp_path):
    ended = run_watched(["/nowhere/python"], tmp_path, dict(os.environ), LIMITS, Watch(), io.BytesIO())
    assert ended.code == 127 and "No such file" in ended.tail[0]


def test_children_do_not_outlive_a_command_that_ended(tmp_path):
    """In its group or out of it: a command that ends well may leave loaders and compilers behind."""
    code = (
        "import subprocess, sys\n"
        "for session in (False, True):\n"
        "    sleep = [sys.executable, '-c', 'import time; time.sleep(600)']\n"
        "    child = subprocess.Popen(sleep, start_new_session=session)\n"
        "    print(child.pid, flush=True)\n"
    )
    ended, _ = run(code, tmp_path)
    assert ended.code == 0
    assert len(ended.tail) == 2 and all(gone(int(pid), 0.5) for pid in ended.tail)


def test_nothing_outlives_a_killed_harness(tmp_path):
    code = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(600)"
    harness = (
        "import io, os, sys\n"
        "from pathlib import Path\n"
        "from vdf_bench.victims.external.runner import Limits, Watch, run_watched\n"
        f"run_watched([sys.executable, '-c', {code!r}], Path({str(tmp_path)!r}), dict(os.environ), "
        "Limits(60, 60, grace=0.2), Watch(), io.BytesIO())"
    )
    process = subprocess.Popen([sys.executable, "-c", harness])
    while not (tmp_path / "pid").is_file() or not (tmp_path / "pid").read_text():
        assert process.poll() is None
        time.sleep(0.05)
    pid = int((tmp_path / "pid").read_text())
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert gone(pid)


def test_other_processes_are_left_alone(tmp_path):
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        run("import time; time.sleep(600)", tmp_path, Limits(wall=1, stall=60, grace=0.2))
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_wall_clock(tmp_path):
    start = time.monotonic()
    ended, _ = run("while True: pass", tmp_path, Limits(wall=1, stall=60, grace=0.2))
    assert ended.reason == "timeout" and time.monotonic() - start < 15


@pytest.mark.parametrize(
    ("lines", "count", "moves"),
    [
        (["  1%| | 10/5000 [00:01<", "  1%| | 10/5000 [00:02<", "  1%| | 20/5000 [00:03<"], BAR, [True, False, True]),
        (["12it [00:01, ", "13it [00:01, ", "no count here"], BAR, [True, True, False]),
        (["same", "same", "other"], None, [True, False, True]),
    ],
)
def test_progress(lines, count, moves):
    watch = Watch(count)
    assert [watch.read(line) for line in lines] == moves


def test_a_loss_that_recovers_is_none_of_our_business():
    watch = Watch(BAR)
    for i in range(3 * NAN_UPDATES):
        loss = "nan" if i % 10 else "0.02"
        watch.read(f"loss={loss} (nan), lr=0.01: {i}% {i + 1}/99 [00:01")
        assert watch.verdict(LIMITS) is None
    for i in range(NAN_UPDATES):
        watch.read(f"loss=nan (nan), lr=0.01: {i}% {i + 100}/999 [00:01")
    assert watch.verdict(LIMITS) == "nan"


def test_the_tail_keeps_one_line_of_a_bar():
    watch = Watch(BAR)
    for line in ["start", *(f"{i}/90 [00:01" for i in range(50)), "end"]:
        watch.read(line)
    assert list(watch.tail) == ["start", "49/90 [00:01", "end"]
