"""Whatever is done to a submission, the checker answers with findings, never with a traceback or a failing rule."""

import json
import shutil
import tarfile
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vdf_bench.leaderboard.check import opened
from vdf_bench.leaderboard.strict_json import canonical_bytes

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
BOUNDED = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def answers(path):
    with opened(Path(path)) as (_, findings):
        assert not [f for f in findings if "rule itself failed" in f.message], findings
        for finding in findings:
            assert finding.message.isprintable() and finding.remedy
        return findings


def places(value, way=()):
    """Every path into a JSON value."""
    yield way
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*way, key))


@BOUNDED
@given(st.data())
def test_manifests_with_anything_anywhere(good, data):
    value = json.loads((good / "manifest.json").read_bytes())
    way = data.draw(st.sampled_from([p for p in places(value) if p and p[0] != "files"]))
    place = value
    for key in way[:-1]:
        place = place[key]
    new = data.draw(VALUES)
    same = canonical_bytes(value)
    place[way[-1]] = new
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "s"
        root.mkdir()  # without the video: what passes the manifest stops at the files
        text = json.dumps(value, sort_keys=True, separators=(",", ":")).encode() + b"\n"
        (root / "manifest.json").write_bytes(text)
        assert answers(root) or text == same


@BOUNDED
@given(
    st.dictionaries(
        st.text(st.characters(blacklist_characters="/\0"), min_size=1, max_size=20), st.binary(max_size=60), max_size=4
    )
)
def test_folders_with_any_files(good, extra):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "s"
        root.mkdir()
        shutil.copy(good / "manifest.json", root)
        for name, content in extra.items():
            try:
                (root / name).write_bytes(content)
            except (OSError, ValueError, UnicodeEncodeError):
                continue
        assert answers(root)


@BOUNDED
@given(st.data())
def test_damaged_archives(good, data):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.tar"
        with tarfile.open(
            path, "w", format=data.draw(st.sampled_from([tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT]))
        ) as made:
            made.add(
                good / "manifest.json",
                data.draw(st.text(min_size=1, max_size=30).filter(lambda t: "\0" not in t and t.isprintable())),
            )
        content = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(0, 6))):
            content[data.draw(st.integers(0, 1500))] = data.draw(st.integers(0, 255))
        path.write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))]))
        answers(path)
