"""Care for a store: what is in it, what can go, whether it is sound, and how a part of it is carried elsewhere."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from vdf_bench.core.errors import UserError
from vdf_bench.store.leases import Leases

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdf_bench.core.artifact import Artifact
    from vdf_bench.store.store import Store


@dataclass
class Kept:
    """What a store holds of one kind of step.

    Attributes:
        count: artifacts.
        size: bytes.
        cpu: seconds that they took.
        labels: key -> what a person reads, where the artifact tells.
    """

    count: int = 0
    size: int = 0
    cpu: float = 0.0
    labels: dict[str, str] = field(default_factory=dict)


def contents(store: Store) -> dict[str, Kept]:
    """Kind of step -> what is held of it; artifacts of older versions do not tell and are ``unknown``."""
    found: dict[str, Kept] = {}
    for key, size in sorted(store.held()):
        meta = store.meta(key) or {}
        made = meta.get("made") or {}
        kept = found.setdefault(made.get("step", "unknown"), Kept())
        kept.count += 1
        kept.size += size
        kept.cpu += float((meta.get("cost") or {}).get("cpu", 0.0))
        kept.labels[key] = made.get("label", "")
    return found


def collect_garbage(
    store: Store, keep: set[str] | None = None, dry: bool = False, wait: Callable[[float], None] = time.sleep
) -> dict[str, int]:
    """Take away what nobody needs: damaged artifacts, what dead drivers left, and what no kept run refers to.

    Args:
        store: the store.
        keep: keys of the runs that are kept; None keeps every sound artifact.
        dry: only say what would go.
        wait: for so many seconds, until drivers on other machines have been heard of or are dead.

    Returns:
        What goes -> how much of it.

    Raises:
        UserError: a run is going on whose artifacts no finished run names, so that ``keep`` would take them.
    """
    place = store.place
    leases = Leases(place)
    drivers = [blob.name for blob in place.blobs("drivers/")]
    alive = _alive(leases, [name.rpartition("/")[2] for name in drivers], wait)
    if alive and keep is not None:
        raise UserError(
            f"{store.root}: a run is using this store: wait until it has finished, or run gc without --keep"
        )
    claims = [blob.name for blob in place.blobs("claims/")]
    goes = {
        "damaged artifacts": [blob.name for blob in place.blobs("quarantine/")],
        "dead drivers": [name for name in drivers if name.rpartition("/")[2] not in alive],
        "claims of dead drivers": [name for name in claims if (place.read(name) or b"").decode() not in alive],
    }
    if isinstance(store.root, Path) and not alive:  # while one lives, a draft may be its own
        drafts = store.root.rglob(".*.partial")
        goes["drafts of killed writers"] = [path.relative_to(store.root).as_posix() for path in drafts]
    if keep is not None:
        goes["artifacts of no kept run"] = [f"objects/{k[:2]}/{k}.artifact" for k, _ in store.held() if k not in keep]
    if not dry:
        for name in (name for names in goes.values() for name in names):
            place.remove(name)
    return {what: len(names) for what, names in goes.items()}


def _alive(leases: Leases, drivers: list[str], wait: Callable[[float], None]) -> set[str]:
    """Drivers that live; of those on other machines only a second look can tell."""
    seconds = max((leases.certain_after(driver) for driver in drivers if leases.lives(driver)), default=0.0)
    if seconds:
        wait(seconds + 1.0)
    return {driver for driver in drivers if leases.lives(driver)}


def verify(store: Store, tell: Callable[[str], None]) -> tuple[int, list[str]]:
    """Read every artifact; how many are sound, and the keys of those that were not and have been set aside."""
    sound, damaged = 0, []
    for key, _ in store.held():
        if store.get(key) is None:
            damaged.append(key)
            tell(key)
        else:
            sound += 1
    return sound, damaged


def export(store: Store, to: Store, keys: set[str] | None = None) -> tuple[int, list[str]]:
    """Copy artifacts, read back sound, into another store; what is there already stays.

    Args:
        store: from where.
        to: where to.
        keys: which; None takes all.

    Returns:
        How many were copied, and the keys that are not there or were damaged.
    """
    chosen = sorted(keys if keys is not None else {key for key, _ in store.held()})
    missing = to.missing(chosen)
    copied, damaged = 0, []
    for key in chosen:
        if key not in missing:
            continue
        artifact: Artifact | None = store.get(key)
        if artifact is None:
            damaged.append(key)
            continue
        to.put(key, artifact)
        copied += 1
    return copied, damaged
