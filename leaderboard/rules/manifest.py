"""Rules of what the manifest says, before any other file is opened."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from vdf_bench.core.registry import suggest
from vdf_bench.leaderboard.findings import Offence, Rule
from vdf_bench.leaderboard.manifest import FILE
from vdf_bench.leaderboard.rules.tree import is_hidden
from vdf_bench.leaderboard.strict_json import canonical_bytes
from vdf_bench.leaderboard.suites import SUITES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vdf_bench.leaderboard.case import Case


def _refused(code: str) -> Callable[[Case], Iterator[Offence]]:
    def check(case: Case) -> Iterator[Offence]:
        _, rule, why = case.read
        if rule == f"manifest-{code}":
            yield Offence(FILE, why)

    return check


def _canonical(case: Case) -> Iterator[Offence]:
    value, error = case.parsed
    # Numbers such as 1.50 have one text too: what Python writes.
    if error is None and canonical_bytes(value) != case.manifest_bytes:
        yield Offence(FILE, "it is not in canonical form: sorted keys, no spaces, ASCII, one newline at the end")


def texts(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a JSON value with the path to it, keys too."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield f"{where}.{key}".lstrip("."), str(key)
            yield from texts(each, f"{where}.{key}".lstrip("."))
    elif isinstance(value, list):
        for k, each in enumerate(value):
            yield from texts(each, f"{where}.{k}")


def _said(case: Case) -> list[tuple[str, str]]:
    return list(texts(case.manifest.model_dump(mode="json"))) if case.read[0] else []


def _hidden(case: Case) -> Iterator[Offence]:
    for where, text in _said(case):
        if any(is_hidden(sign) for sign in text):
            yield Offence(FILE, f"{where} contains control or direction characters")
        elif text != unicodedata.normalize("NFC", text):
            yield Offence(FILE, f"{where} is not in Unicode's composed form (NFC)")


def scripts(text: str) -> set[str]:
    """Scripts of the letters of a text, by the first word of their names: LATIN, CYRILLIC, GREEK, ..."""
    return {unicodedata.name(sign, "UNNAMED").split()[0] for sign in text if sign.isalpha()}


#: Scripts with letters that look like Latin ones; titles may well hold others beside Latin.
CONFUSABLE: Final = {"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU"}
#: Letters that are Latin ones in disguise.
_DISGUISES: Final = {"FULLWIDTH", "MATHEMATICAL"}


def _lookalike(case: Case) -> Iterator[Offence]:
    for where, text in _said(case):
        for word in re.findall(r"[^\W\d_]+", text):
            found = scripts(word)
            if "LATIN" in found and found & CONFUSABLE:
                mixed = " and ".join(sorted(found))
                yield Offence(FILE, f"{where}: {word[:40]!r} mixes letters of {mixed}")
            elif found & _DISGUISES:
                yield Offence(FILE, f"{where}: {word[:40]!r} is written in lookalike letters")


def _markup(case: Case) -> Iterator[Offence]:
    for where, text in _said(case):
        if "<" in text and ">" in text.split("<", 1)[1]:
            yield Offence(FILE, f"{where} contains markup")


def _formula(case: Case) -> Iterator[Offence]:
    for where, text in _said(case):
        if text[:1] in "=+-@|" and text[:1]:
            yield Offence(FILE, f"{where} begins with {text[:1]!r}, which spreadsheets interpret as a formula")


def is_safe_link(text: str) -> bool:
    """Whether a link is plain https or http, without user, password or odd characters."""
    try:
        parts = urlsplit(text)
        port_ok = parts.port is None or 0 < parts.port < 65536
    except ValueError:
        return False
    plain = text.isascii() and text.isprintable() and not set(text) & set(" \"'<>\\^`{|}")
    return plain and parts.scheme in ("https", "http") and bool(parts.hostname) and "@" not in parts.netloc and port_ok


def is_mail(text: str) -> bool:
    """Whether a text looks like a mail address."""
    name, at, host = text.partition("@")
    signs = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._%+-")
    return bool(at and name and set(name) <= signs and "." in host and set(host) <= signs - set("_%+"))


def _link(case: Case) -> Iterator[Offence]:
    manifest = case.read[0]
    if manifest is None:
        return
    if manifest.paper and not is_safe_link(manifest.paper.url):
        yield Offence(FILE, "paper.url is not a plain https link")
    if not is_safe_link(manifest.contact) and not is_mail(manifest.contact):
        yield Offence(FILE, "contact is neither a mail address nor a plain https link")


def _suite(case: Case) -> Iterator[Offence]:
    manifest = case.read[0]
    if manifest and manifest.suite.name not in SUITES:
        name = manifest.suite.name
        yield Offence(FILE, f"unknown suite {name!r}: {suggest(name, sorted(SUITES))}")


def _suite_hash(case: Case) -> Iterator[Offence]:
    manifest = case.read[0]
    suite = SUITES.get(manifest.suite.name) if manifest else None
    if manifest is None or suite is None:
        return
    if manifest.suite.sha256 != suite.sha256:
        yield Offence(FILE, f"suite.sha256 is {manifest.suite.sha256[:12]}…, the suite's is {suite.sha256[:12]}…")


def _kind(case: Case) -> Iterator[Offence]:
    manifest = case.read[0]
    if manifest is None:
        return
    if manifest.kind == "frames" and not manifest.clips:
        yield Offence(FILE, "kind is frames, but clips is empty")
    suite = SUITES.get(manifest.suite.name)
    if suite is not None and manifest.track != suite.track:
        yield Offence(FILE, f"track is {manifest.track}, but {suite.name} has track {suite.track}")
    if manifest.kind == "method" and manifest.clips:
        yield Offence(FILE, "kind is method, but clips is not empty")
    if manifest.kind == "method" and manifest.component is None:
        yield Offence(FILE, "kind is method, but component is missing")


def _cells(case: Case) -> Iterator[Offence]:
    """Every clip at most once a budget, and all of them the suite's."""
    manifest = case.read[0]
    suite = SUITES.get(manifest.suite.name) if manifest else None
    if manifest is None or suite is None:
        return
    for (clip, linf), times in Counter((each.clip, each.linf) for each in manifest.clips).items():
        if clip not in suite.clips:
            yield Offence(FILE, f"clip {clip!r} is not in {suite.name}: {suggest(clip, sorted(suite.clips))}")
        elif linf not in suite.budgets:
            known = ", ".join(f"{levels:g}" for levels in suite.budgets)
            yield Offence(FILE, f"clip {clip}: {linf:g} levels is not a budget of {suite.name}, which has {known}")
        elif times > 1:
            yield Offence(FILE, f"clip {clip} appears {times} times at {linf:g} levels")


def _missing(case: Case) -> Iterator[Offence]:
    manifest = case.read[0]
    suite = SUITES.get(manifest.suite.name) if manifest else None
    if manifest is None or suite is None or manifest.kind != "frames":
        return
    for linf in sorted({each.linf for each in manifest.clips}):
        there = {each.clip for each in manifest.clips if each.linf == linf}
        if missing := [name for name in suite.clips if name not in there]:
            yield Offence(
                FILE, f"at {linf:g} levels the clips {', '.join(missing)} are missing: they count as unprotected"
            )


def _shape(case: Case) -> Iterator[Offence]:
    manifest = case.read[0]
    suite = SUITES.get(manifest.suite.name) if manifest else None
    if manifest is None or suite is None:
        return
    for each in manifest.clips:
        said = (each.frames, each.size, each.fps)
        if said != (suite.frames, suite.size, "25/1"):
            asked = f"{suite.frames} frames of {suite.size} px at 25/1"
            yield Offence(each.file, f"it has {said[0]} frames of {said[1]} px at {said[2]}, expected {asked}")


def _source(case: Case) -> Iterator[Offence]:
    manifest = case.read[0]
    suite = SUITES.get(manifest.suite.name) if manifest else None
    if manifest is None or suite is None:
        return
    for each in manifest.clips:
        if each.clip in suite.clips and each.source_sha256 != suite.clips[each.clip]:
            yield Offence(each.file, f"it was made from other pixels than the suite's {each.clip}")


def _reported(case: Case) -> Iterator[Offence]:
    manifest = case.read[0]
    if manifest is None:
        return
    for name, value in manifest.reported.items():
        if not -1 <= value <= 1:
            yield Offence(FILE, f"reported {name} is {value:g}: net DSR lies between -1 and 1")


def _reused(case: Case) -> Iterator[Offence]:
    manifest = case.read[0]
    files: dict[str, str] = {}
    for each in manifest.clips if manifest else ():
        if files.setdefault(each.file, each.clip) != each.clip:
            yield Offence(each.file, f"it stands for {files[each.file]} and for {each.clip}")


_WRITE = "write the manifest with vdf-bench submit"
_PLAIN = "write plain text"
RULES: Final = (
    Rule("manifest-size", "manifest", _WRITE, _refused("size")),
    Rule("manifest-encoding", "manifest", _WRITE, _refused("encoding")),
    Rule("manifest-depth", "manifest", _WRITE, _refused("depth")),
    Rule("manifest-syntax", "manifest", _WRITE, _refused("syntax")),
    Rule("manifest-duplicate-key", "manifest", _WRITE, _refused("duplicate-key")),
    Rule("manifest-number", "manifest", _WRITE, _refused("number")),
    Rule(
        "manifest-version", "manifest", "update vdf-bench, or write the manifest with its submit", _refused("version")
    ),
    Rule("manifest-schema", "manifest", _WRITE, _refused("schema")),
    Rule("manifest-canonical", "manifest", _WRITE, _canonical),
    Rule("text-hidden-characters", "manifest", _PLAIN, _hidden),
    Rule("text-lookalike", "manifest", "write each word in one script", _lookalike),
    Rule("text-markup", "manifest", _PLAIN, _markup),
    Rule("text-formula", "manifest", _PLAIN, _formula),
    Rule("link-unsafe", "manifest", "give an https link, or a mail address as contact", _link),
    Rule("suite-unknown", "manifest", "see vdf-bench leaderboard suite", _suite),
    Rule("suite-hash", "manifest", "submit again with the vdf-bench that has this suite", _suite_hash),
    Rule("kind-content", "manifest", "see vdf-bench submit --help", _kind),
    Rule("cell-unknown", "manifest", "give every clip of the suite once at each of its budgets", _cells),
    Rule("cell-missing", "manifest", "give every clip of the suite at each budget", _missing, "warning"),
    Rule("file-reused", "manifest", "give every clip a file of its own", _reused),
    Rule("clip-shape", "manifest", "protect the suite's clips as they are", _shape),
    Rule("source-hash", "manifest", "protect the suite's clips as they are", _source),
    Rule("reported-range", "manifest", "leave it out: it is shown and never counted", _reported),
)
