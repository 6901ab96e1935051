"""Leases: two runs that share a store divide its work.

A driver says that it lives by counting up a number in ``drivers/ID`` and claims a step by creating ``claims/KEY.N``.
Whoever waits for a claimed step watches that number: where it stands still for longer than the driver promised, by
the *waiter's* monotonic clock, or where the driver's process is known to be dead, the claim is void and the waiter
creates ``claims/KEY.N+1``, which only one can. No clock is compared with another, so clocks may jump as they like.

Leases save work and guard nothing: artifacts are written once and whole, so that even two drivers that both believe
to hold a claim do no harm.
"""

from __future__ import annotations

import json
import os
import threading
import time
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vdf_bench.store.settings import seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from vdf_bench.store.place import Place

#: Seconds without a heartbeat after which a driver counts as dead; the environment variable sets another number.
TERM = 60.0
TERM_VARIABLE = "VDF_BENCH_LEASE_SECONDS"
#: Heartbeats in a term: as many may be lost.
BEATS = 4


class Leases:
    """What this driver claims in a place, and whether other drivers still live. A context: claims end with it.

    Args:
        place: where claims lie.
        term: seconds without a heartbeat after which others may take over.
        clock: seconds that only go forward.
    """

    def __init__(self, place: Place, term: float | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.me = uuid.uuid4().hex
        self.term = term if term is not None else seconds(TERM_VARIABLE, TERM)
        self._place = place
        self._clock = clock
        self._beat = 0
        self._mine: dict[str, int] = {}
        self._seen: dict[str, tuple[int, float]] = {}
        self._end = threading.Event()
        self._heart = threading.Thread(target=self._keep_beating, name="lease heartbeat", daemon=True)

    def __enter__(self) -> Leases:
        self.beat()
        self._heart.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._heart.join()
        with suppress(Exception):  # a store that is gone needs no tidying: the claims run out
            for key in list(self._mine):
                self.release(key)
            self._place.remove(f"drivers/{self.me}")

    def beat(self) -> None:
        """Say that this driver lives."""
        self._beat += 1
        record = {"beat": self._beat, "term": self.term, **_process()}
        self._place.replace(f"drivers/{self.me}", json.dumps(record).encode())

    def claim(self, key: str) -> bool:
        """Whether this driver now holds ``key``; False while another that lives holds it."""
        if key in self._mine or self._create(key, 0):
            return True
        names = [blob.name for blob in self._place.blobs(f"claims/{key}.")]
        last = max((int(name.rpartition(".")[2]) for name in names), default=-1)
        if last < 0:  # released in between
            return self._create(key, 0)
        holder = self._place.read(f"claims/{key}.{last}")
        if holder == self.me.encode():  # it was put, and the answer was lost on its way back
            self._mine[key] = last
            return True
        if holder is not None and self.lives(holder.decode()):
            return False
        return self._create(key, last + 1)

    def release(self, key: str) -> None:
        """Give ``key`` up, done or not; claims of dead drivers before it go too."""
        for turn in range(self._mine.pop(key, -1), -1, -1):
            self._place.remove(f"claims/{key}.{turn}")

    def lives(self, driver: str) -> bool:
        """Whether a driver must be taken for alive."""
        record = self._record(driver)
        if record is None or _is_dead(record):
            return False
        beat, since = self._seen.get(driver, (-1, 0.0))
        if beat != record["beat"]:
            self._seen[driver] = (record["beat"], self._clock())
            return True
        return bool(self._clock() - since <= record["term"])

    def certain_after(self, driver: str) -> float:
        """Seconds after which :meth:`lives`, asked again, can be sure of a driver; 0 where it is at once."""
        record = self._record(driver)
        return 0.0 if record is None or _is_here(record) else record["term"]

    def _record(self, driver: str) -> dict[str, Any] | None:
        """What a driver says of itself; None of one that ended and tidied up, or whose record is no record."""
        data = self._place.read(f"drivers/{driver}")
        try:
            record: dict[str, Any] = json.loads(data or b"null")
            numbers = {"beat": int(record["beat"]), "term": float(record["term"]), "pid": int(record["pid"])}
            return {**record, **numbers}
        except (ValueError, KeyError, TypeError):
            return None

    def _create(self, key: str, turn: int) -> bool:
        won = self._place.create(f"claims/{key}.{turn}", self.me.encode())
        if won:
            self._mine[key] = turn
        return won

    def _keep_beating(self) -> None:
        while not self._end.wait(self.term / BEATS):
            with suppress(Exception):  # the driver itself will find that the store is gone, and say so
                self.beat()


@contextmanager
def turn(place: Place, what: str, pause: float = 0.5) -> Iterator[None]:
    """Wait until this driver is the only one that does ``what``, such as writing a run folder."""
    with Leases(place) as leases:
        while not leases.claim(what):
            time.sleep(pause)
        yield


def _process() -> dict[str, Any]:
    """This process, such that another on the same machine can tell whether it still runs."""
    return {"machine": _machine(), "pid": os.getpid(), "started": _started(os.getpid())}


def _is_here(record: dict[str, Any]) -> bool:
    """Whether a process is one of this machine, so that it can be seen whether it runs."""
    return bool(record.get("machine")) and record["machine"] == _machine()


def _is_dead(record: dict[str, Any]) -> bool:
    """Whether a process is known to have ended; False where nobody here can know."""
    return _is_here(record) and _started(record["pid"]) != str(record.get("started"))


def _machine() -> str:
    """One boot of one machine and one space of process numbers; empty where the system tells neither."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """When a process began, in ticks since boot; empty where it does not run."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if stat[0] in "ZX" else stat[19]
