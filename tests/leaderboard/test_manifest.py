"""Manifests: strict JSON, canonical text, migration."""

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vdf_bench.leaderboard.manifest import MIGRATIONS, SCHEMA, Manifest, upgrade
from vdf_bench.leaderboard.strict_json import JsonRefusedError, canonical_bytes, parse


def test_manifests_of_the_first_schema_are_read(good, tools, spoiler):
    value = json.loads((good / "manifest.json").read_bytes())
    old = {key: kept for key, kept in value.items() if key != "track"} | {"schema_version": 1}
    assert Manifest.model_validate(upgrade(old)) == Manifest.model_validate(value)
    spoiler.write(old)
    assert tools.rules_of(spoiler.root) == set()


def test_every_old_schema_leads_to_the_newest():
    assert sorted(MIGRATIONS) == list(range(1, SCHEMA))
    for version in (0, SCHEMA + 1, True, "1", None):
        with pytest.raises(LookupError):
            upgrade({"schema_version": version})


def test_the_text_is_canonical(good):
    data = (good / "manifest.json").read_bytes()
    assert canonical_bytes(json.loads(data)) == data == Manifest.model_validate(json.loads(data)).dump()


@pytest.mark.parametrize(
    "text, code",
    [
        (b'{"a":1,"a":1}', "duplicate-key"),
        (b'{"b":{"a":1,"a":2}}', "duplicate-key"),
        (b"[NaN]", "number"),
        (b"[-Infinity]", "number"),
        (b"[1e400]", "number"),
        (b"[9007199254740993]", "number"),
        (b"[" + b"1" * 5000 + b"]", "number"),
        (b'["\xff"]', "encoding"),
        (b"\xef\xbb\xbf[]", "encoding"),
        (b"[" * 13 + b"]" * 13, "depth"),
        (b"[" * 100_000, "depth"),
        (b"[1,]", "syntax"),
        (b"", "syntax"),
        (b" " * 300_000, "size"),
    ],
)
def test_what_means_two_things_is_refused(text, code):
    with pytest.raises(JsonRefusedError) as refused:
        parse(text)
    assert refused.value.code == code


def test_brackets_in_texts_are_no_depth():
    assert parse(b'["' + b"[" * 50 + b'\\"[["]') == ["[" * 50 + '"[[']


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=80) | st.text(alphabet='{}[]",:\\0123456789.eE+-truefalsn ', max_size=60).map(str.encode))
def test_any_bytes_are_parsed_or_refused(data):
    with contextlib.suppress(JsonRefusedError):
        parse(data)
