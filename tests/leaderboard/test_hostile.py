"""Submissions that are broken, careless or hostile: each is refused by one rule, and by no other.

Every case is made here, from the good one, by one change.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import shutil
import socket
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from vdf_bench.leaderboard.rules import RULES

CASES = {}


def case(rule, severity="error"):
    """Register a way to spoil a submission, and the one rule that must fire."""

    def register(function):
        CASES[function.__name__] = (function, rule, severity)
        return function

    return register


# --- the tree -------------------------------------------------------------------------------------------------------


@case("link")
def symbolic_link(s):
    (s.root / "notes.md").symlink_to("/etc/passwd")


@case("link")
def symbolic_link_in_place_of_the_video(s):
    aside = s.root.parent / "elsewhere.mkv"
    shutil.move(s.video, aside)
    s.video.symlink_to(aside)


@case("link")
def folder_that_is_a_link(s):
    (s.root / "more").symlink_to("/", target_is_directory=True)


@case("link")
def hard_link(s):
    outside = s.root.parent / "outside.md"
    outside.write_text("text")
    os.link(outside, s.root / "notes.md")


@case("special-file")
def named_pipe(s):
    os.mkfifo(s.root / "notes.md")


@case("special-file")
def unix_socket(s):
    here = Path.cwd()
    os.chdir(s.root)  # paths of sockets are short
    try:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind("a.md")
    finally:
        os.chdir(here)


@case("special-file")
def set_user_id(s):
    s.video.chmod(0o4755)


@case("path-encoding")
def name_that_is_not_utf8(s):
    os.close(os.open(os.fsencode(s.root) + b"/\xff\xfe.md", os.O_CREAT | os.O_WRONLY))
    os.truncate(os.fsencode(s.root) + b"/\xff\xfe.md", 4)


@case("path-hidden-characters")
def name_that_reads_backwards(s):
    (s.root / "photo\u202egnp.md").write_text("text")


@case("path-hidden-characters")
def name_with_a_line_break(s):
    (s.root / "a\n::set-output.md").write_text("text")


@case("path-characters")
def name_in_lookalike_letters(s):
    (s.root / "m\u0430nifest.json").write_text("{}")


@case("path-characters")
def name_with_markup(s):
    (s.root / "<script>alert(1)<script>.md").write_text("text")


@case("path-escape")
def name_with_backslashes(s):
    (s.root / "..\\..\\evil.md").write_text("text")


@case("path-reserved")
def name_of_a_device(s):
    (s.root / "NUL.md").write_text("text")


@case("path-reserved")
def hidden_file(s):
    (s.root / ".bashrc.md").write_text("text")


@case("path-collision")
def names_that_differ_in_case(s):
    (s.root / "Notes.md").write_text("text")
    (s.root / "notes.md").write_text("text")


@case("path-length")
def deep_folders(s):
    deep = s.root / "a/b/c/d/e"
    deep.mkdir(parents=True)
    (deep / "notes.md").write_text("text")


@case("path-length")
def long_name(s):
    (s.root / ("n" * 130 + ".md")).write_text("text")


@case("too-many-files")
def many_files(s):
    for k in range(450):
        (s.root / f"{k}.md").write_text("x")


@case("file-too-large")
def sparse_file_of_a_hundred_mebibytes(s):
    with s.video.open("r+b") as file:
        file.truncate(100 * 2**20)


@case("file-empty")
def empty_file(s):
    (s.root / "notes.md").touch()


@case("total-too-large")
def many_large_files(s):
    for k in range(6):
        with (s.root / f"{k}.mkv").open("wb") as file:
            file.truncate(60 * 2**20)


@case("suffix")
def python_file(s):
    (s.root / "setup.py").write_text("import os")


@case("suffix")
def checkpoint(s):
    (s.root / "weights.pt").write_bytes(pickle.dumps({}))


@case("suffix")
def compressed_submission_inside(s):
    (s.root / "inner.zip").write_bytes(b"PK\x03\x04")


@case("manifest-missing")
def no_manifest(s):
    (s.root / "manifest.json").unlink()


# --- the manifest ---------------------------------------------------------------------------------------------------


@case("manifest-size")
def padded_manifest(s):
    path = s.root / "manifest.json"
    path.write_bytes(path.read_bytes() + b" " * 300_000)


@case("manifest-encoding")
def manifest_in_latin_1(s):
    (s.root / "manifest.json").write_bytes('{"a": "é"}'.encode("latin-1"))


@case("manifest-depth")
def deeply_nested_manifest(s):
    (s.root / "manifest.json").write_bytes(b"[" * 100_000 + b"]" * 100_000)


@case("manifest-syntax")
def manifest_cut_short(s):
    path = s.root / "manifest.json"
    path.write_bytes(path.read_bytes()[:-30])


@case("manifest-duplicate-key")
def key_given_twice(s):
    path = s.root / "manifest.json"
    path.write_bytes(b'{"kind":"method",' + path.read_bytes()[1:])


@case("manifest-number")
def not_a_number(s):
    path = s.root / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"reported":{}', b'"reported":{"12.75":NaN}'))


@case("manifest-number")
def number_out_of_range(s):
    path = s.root / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"reported":{}', b'"reported":{"12.75":1e999}'))


@case("manifest-number")
def integer_of_a_million_digits(s):
    path = s.root / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"seeds":[0]', b'"seeds":[' + b"9" * 100_000 + b"]"))


@case("manifest-version")
def manifest_of_the_future(s):
    s.say(schema_version=99)


@case("manifest-schema")
def unknown_key(s):
    s.say(score=1.0)


@case("manifest-schema")
def score_in_the_entry(s):
    value = s.manifest()
    value["entry"]["score"] = 1.0
    s.write(value)


@case("manifest-schema")
def text_for_a_number(s):
    s.say(seeds=["0"])


@case("manifest-schema")
def no_consent(s):
    s.say(consent=False)


@case("manifest-schema")
def entry_named_as_a_path(s):
    s.say(entry__name="../../index")


@case("manifest-schema")
def manifest_that_is_a_list(s):
    s.write([])


@case("manifest-canonical")
def manifest_with_spaces(s):
    (s.root / "manifest.json").write_text(json.dumps(s.manifest(), indent=1))


@case("text-hidden-characters")
def title_with_a_direction_mark(s):
    s.say(entry__title="Stripes \u202eevil")


@case("text-lookalike")
def title_in_lookalike_letters(s):
    s.say(entry__title="V\u0414F \u0440rotection")


@case("text-lookalike")
def author_in_mathematical_letters(s):
    s.say(entry__authors=["\U0001d400. Person"])


@case("text-markup")
def script_in_the_title(s):
    s.say(entry__title="<script>alert(1)</script>")


@case("text-markup")
def picture_in_the_summary(s):
    s.say(entry__summary="fine <img src=x onerror=alert(1)>")


@case("text-formula")
def formula_in_the_title(s):
    s.say(entry__title='=HYPERLINK("https://example.org","win")')


@case("text-formula")
def command_in_an_author(s):
    s.say(entry__authors=["@SUM(1+1)*cmd|' /C calc'!A0"])


@case("link-unsafe")
def link_that_is_a_script(s):
    s.say(paper={"title": "Paper", "url": "javascript:alert(1)"})


@case("link-unsafe")
def contact_nowhere(s):
    s.say(contact="ask around")


@case("suite-unknown")
def unknown_suite(s):
    s.say(suite__name="vdf-bench-v9")


@case("suite-hash")
def suite_of_another_hash(s):
    s.say(suite__sha256="0" * 64)


@case("kind-content")
def frames_without_clips(s):
    s.say(clips=[])


@case("kind-content")
def images_for_a_suite_of_videos(s):
    s.say(track="images")


@case("kind-content")
def method_without_component(s):
    s.video.unlink()
    s.say(kind="method", clips=[], files=[])


@case("cell-unknown")
def clip_of_another_suite(s):
    value = s.manifest()
    value["clips"][0]["clip"] = "synth-b"
    s.write(value)


@case("cell-unknown")
def budget_of_no_suite(s):
    value = s.manifest()
    value["clips"][0]["linf"] = 254.0
    s.write(value)


@case("cell-unknown")
def clip_given_twice(s):
    value = s.manifest()
    value["clips"] *= 2
    s.write(value)


@case("clip-shape")
def other_length_said(s):
    value = s.manifest()
    value["clips"][0]["frames"] = 15
    s.write(value)


@case("source-hash")
def other_source_said(s):
    value = s.manifest()
    value["clips"][0]["source_sha256"] = "1" * 64
    s.write(value)


@case("reported-range")
def reported_beyond_reason(s):
    s.say(reported={"12.75": 1.5})


# --- the files ------------------------------------------------------------------------------------------------------


@case("forbidden-content")
def pickle_called_a_note(s):
    s.add("notes.md", pickle.dumps({"a": 1}))


@case("forbidden-content")
def zip_called_a_picture(s):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("../../evil", "x")
    s.add("picture.png", buffer.getvalue())


@case("forbidden-content")
def program_called_a_note(s):
    s.add("notes.md", b"\x7fELF" + b"\0" * 100)


@case("content-type")
def text_called_a_picture(s):
    s.add("picture.png", b"no picture")


@case("content-type")
def bytes_called_text(s):
    s.add("notes.md", b"text\0\0text")


@case("text-syntax")
def json_with_a_nan(s):
    s.add("more.json", b'{"a": NaN}')


@case("text-syntax")
def toml_bomb(s):
    s.add("more.toml", b"a = " + b"[" * 5000 + b"]" * 5000)


@case("file-unlisted")
def file_nobody_listed(s):
    (s.root / "notes.md").write_text("text")


@case("file-absent")
def file_that_is_gone(s):
    s.add("notes.md", b"text")
    (s.root / "notes.md").unlink()


@case("file-listed-twice")
def file_listed_twice(s):
    value = s.manifest()
    value["files"] *= 2
    s.write(value)


@case("file-hash")
def tampered_file(s):
    data = bytearray(s.video.read_bytes())
    data[-10] ^= 1
    s.video.write_bytes(bytes(data))


@case("file-hash")
def tampered_hash(s):
    value = s.manifest()
    value["files"][0]["sha256"] = "2" * 64
    s.write(value)


@case("media-type")
def type_that_does_not_fit(s):
    s.add("notes.md", b"text", "text/html")


@case("signature-invalid")
def signature_of_nothing(s):
    (s.root / "manifest.json.sig").write_text("-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n")


@case("file-reused")
def one_file_for_two_clips(s):
    from vdf_bench.leaderboard.suites import SUITES

    suite = SUITES["vdf-bench-v1"]
    value = s.manifest() | {"suite": {"name": suite.name, "sha256": suite.sha256}}
    one = value["clips"][0] | {"frames": suite.frames, "size": suite.size}
    value["clips"] = [{**one, "clip": clip, "source_sha256": sha} for clip, sha in suite.clips.items()]
    s.write(value)


# --- media ----------------------------------------------------------------------------------------------------------


def png(width, height, data=b""):
    """A PNG of the size that its header says."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@case("picture-dimensions")
def decompression_bomb(s):
    s.add("picture.png", png(60_000, 60_000, zlib.compress(bytes(10**6))))


@case("picture-damaged")
def picture_without_pixels(s):
    s.add("picture.png", png(64, 64, b"no stream"))


@case("video-damaged")
def header_alone(s):
    s.video.write_bytes(s.video.read_bytes()[:1000])
    s.relist()


@case("video-length")
def stream_cut_short(s):
    data = s.video.read_bytes()
    s.video.write_bytes(data[: len(data) // 2])
    s.relist()


@case("frames-hash")
def bits_turned_over(s):
    data = bytearray(s.video.read_bytes())
    for k in range(len(data) // 2, len(data) // 2 + 40):
        data[k] ^= 0xFF
    s.video.write_bytes(bytes(data))
    s.relist()


@case("video-length")
def one_frame_less(s):
    frames = s.frames["synth-a", 12.75]
    s.film(frames[:-1])


@case("video-length")
def a_frame_too_many(s):
    frames = s.frames["synth-a", 12.75]
    s.film(np.concatenate([frames, frames[:1]]))


@case("video-dimensions")
def huge_dimensions(s):
    s.film(np.zeros((1, 2048, 2048, 3), np.uint8))


@case("video-codec")
def another_codec(s):
    s.film(s.frames["synth-a", 12.75], codec="h264")


@case("video-codec")
def colour_thinned_out(s):
    s.film(s.frames["synth-a", 12.75], pix_fmt="yuv420p")


@case("video-rate")
def other_rate(s):
    from fractions import Fraction

    s.film(s.frames["synth-a", 12.75], fps=Fraction(30))


@case("video-container")
def sound_beside_the_picture(s):
    s.film(s.frames["synth-a", 12.75], audio=np.zeros(16000, np.float32))


@case("frames-hash")
def tampered_pixel(s):
    frames = s.frames["synth-a", 12.75].copy()
    frames[3, 4, 5, 1] ^= 1
    s.film(frames, digest=False)


# --- what the pixels say --------------------------------------------------------------------------------------------


@case("over-budget")
def over_budget_by_one_level(s):
    frames = s.frames["synth-a", 12.75].astype(np.int16)
    dark = np.argwhere(s.clean < 200)[0]
    frames[tuple(dark)] = int(s.clean[tuple(dark)]) + 13
    s.film(frames.astype(np.uint8))


@case("clean-copy")
def the_clean_clip(s):
    s.film(s.clean)


@case("clip-identity")
def another_clip(s):
    s.film(s.other)


@case("clip-identity")
def nothing_but_noise(s):
    s.film(np.random.default_rng(0).integers(0, 256, s.clean.shape, dtype=np.uint8))


def spoil(name, spoiler, tools):
    spoiler.frames = tools.striped()
    spoiler.clean = tools.SMOKE.clip("synth-a").frames
    spoiler.other = 255 - spoiler.clean
    CASES[name][0](spoiler)
    return spoiler.root


@pytest.mark.parametrize("name", CASES)
def test_is_refused_by_its_rule_alone(name, spoiler, tools):
    _, rule, severity = CASES[name]
    assert tools.rules_of(spoil(name, spoiler, tools), severity=severity) == {rule}


def test_no_good_submission_is_refused(good, good_method, tools, tmp_path):
    assert tools.rules_of(good) == set()
    assert tools.rules_of(good, severity="warning") == set()
    assert tools.rules_of(good_method) == set()
    packed = tmp_path / "good.tar"
    for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        with tarfile.open(packed, "w", format=form) as archive:
            archive.add(good, "." if form == tarfile.GNU_FORMAT else "")
        assert tools.rules_of(packed) == set()


def test_titles_of_the_world_are_welcome(spoiler, tools):
    spoiler.say(entry__title="β-VAE für Masken, 12 µm: 肖像を守るAI", entry__authors=["Zoë Müller", "Анна Иванова"])
    assert tools.rules_of(spoiler.root) == set()


# --- archives -------------------------------------------------------------------------------------------------------

ARCHIVES = {}


def archive(rule):
    def register(function):
        ARCHIVES[function.__name__] = (function, rule)
        return function

    return register


def member(name, data=b"text", **fields):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, io.BytesIO(data)


@archive("path-escape")
def zip_slip(made):
    made.addfile(*member("../../evil.md"))


@archive("path-escape")
def absolute_path(made):
    made.addfile(*member("/evil.md"))


@archive("path-escape")
def drive_letter(made):
    made.addfile(*member("C:/evil.md"))


@archive("link")
def link_member(made):
    made.addfile(member("notes.md", b"", type=tarfile.SYMTYPE, linkname="/etc/passwd")[0])


@archive("link")
def hard_link_member(made):
    made.addfile(member("notes.md", b"", type=tarfile.LNKTYPE, linkname="manifest.json")[0])


@archive("special-file")
def device_member(made):
    made.addfile(member("notes.md", b"", type=tarfile.CHRTYPE, devmajor=1, devminor=5)[0])


@archive("path-collision")
def member_given_twice(made):
    made.addfile(*member("manifest.json", b"{}"))


@archive("suffix")
def archive_inside(made):
    made.addfile(*member("inner.tar"))


@pytest.mark.parametrize("name", ARCHIVES)
def test_archives_are_refused_before_they_are_unpacked(name, good, tools, tmp_path):
    function, rule = ARCHIVES[name]
    packed = tmp_path / "packed.tar"
    with tarfile.open(packed, "w") as made:
        for path in sorted(good.iterdir()):
            made.add(path, path.name)
        function(made)
    assert tools.rules_of(packed) == {rule}
    assert not (tmp_path.parent / "evil.md").exists()


@pytest.mark.parametrize("kind", ["gz", "truncated", "zip", "noise", "bomb"])
def test_archives_that_are_none(kind, good, tools, tmp_path):
    packed = tmp_path / "packed.tar"
    with tarfile.open(packed, "w:gz" if kind in ("gz", "bomb") else "w") as made:
        if kind == "bomb":
            made.addfile(*member("zeros.md", bytes(50 * 2**20)))
        else:
            made.add(good, "")
    data = packed.read_bytes()
    if kind == "truncated":
        packed.write_bytes(data[: len(data) // 2])
    elif kind == "noise":
        packed.write_bytes(b"\xff" * 5000)
    elif kind == "zip":
        with zipfile.ZipFile(packed, "w") as made:
            made.writestr("manifest.json", "{}")
    assert tools.rules_of(packed) == {"archive-unreadable"}


# --- rules as a whole -----------------------------------------------------------------------------------------------

#: Need other entries, two clips or a starved decoder: each has a test of its own, here or in test_verify.py.
ELSEWHERE = {"archive-unreadable", "copied-frames", "media-limits", "cell-missing", "same-perturbation"}


def test_every_rule_has_a_submission_that_it_refuses():
    shown = {rule for _, rule, _ in CASES.values()} | {rule for _, rule in ARCHIVES.values()} | ELSEWHERE
    assert shown == {rule.name for rule in RULES}
    assert len(CASES) + len(ARCHIVES) >= 40


def test_two_clips_one_of_them_missing_or_with_the_others_perturbation(tools, tmp_path, monkeypatch):
    from dataclasses import replace

    from vdf_bench.leaderboard.pack import write_frames
    from vdf_bench.leaderboard.suites import SUITES

    suite = replace(tools.SMOKE, name="two", clips={"synth-a": "", "synth-b": ""}).pinned()
    monkeypatch.setitem(SUITES, "two", suite)
    first, second = (suite.clip(name).frames for name in suite.clips)
    change = ((first < 250) & (second < 250)).astype(np.uint8)
    change[:, ::2] = 0
    both = {("synth-a", 12.75): first + change, ("synth-b", 12.75): second + change}
    write_frames(tmp_path / "same", suite, both, tools.ABOUT, None, [0])
    assert tools.rules_of(tmp_path / "same") == set()
    assert tools.rules_of(tmp_path / "same", severity="warning") == {"same-perturbation"}
    write_frames(tmp_path / "one", suite, {("synth-a", 12.75): first + change}, tools.ABOUT, None, [0])
    assert tools.rules_of(tmp_path / "one", severity="warning") == {"cell-missing"}
    swapped = {("synth-a", 12.75): second + change, ("synth-b", 12.75): first + change}
    write_frames(tmp_path / "swapped", suite, swapped, tools.ABOUT, None, [0])
    assert tools.rules_of(tmp_path / "swapped") == {"clip-identity"}


def test_a_rule_that_fails_is_an_error_itself(good):
    from dataclasses import replace

    from vdf_bench.leaderboard.case import Case

    def fails(case):
        raise ZeroDivisionError("on \x1b[31mpurpose")

    rule = replace(RULES[0], check=fails)
    (found,) = rule.findings(Case(good, []))
    assert found.severity == "error" and "ZeroDivisionError" in found.message and "\x1b" not in found.message


def test_a_decoder_is_stopped_by_its_limits(good, tmp_path, tools):
    from vdf_bench.leaderboard.sandbox import decode_video

    raw = tmp_path / "out.raw"
    stopped = decode_video(good / "synth-a-12.75.mkv", 16, 32, raw, {"FSIZE": 1000})
    assert stopped.refused == "limits" and stopped.raw is None
    assert decode_video(good / "synth-a-12.75.mkv", 16, 32, raw, {"AS": 2**26}).refused == "limits"


@pytest.mark.skipif(sys.platform != "linux", reason="walls of the kernel are Linux's")
def test_the_decoder_has_no_network_and_starts_no_program():
    asked = """
import ctypes, errno, json
from vdf_bench.leaderboard.child import wall
held = wall()
libc = ctypes.CDLL(None, use_errno=True)
def native(call, *arguments):
    ctypes.set_errno(0)
    return [call(*arguments), errno.errorcode.get(ctypes.get_errno())]
told = {"socket": native(libc.socket, 2, 1, 0), "execve": native(libc.execve, b"/bin/true", None, None)}
try:
    import socket
    socket.socket()
    told["python"] = "open"
except PermissionError:
    told["python"] = "refused"
print(json.dumps([held, told]))
"""
    # ctypes.CDLL(None) opens nothing new; the hook would refuse other libraries.
    asked = asked.replace("held = wall()", "libc = ctypes.CDLL(None, use_errno=True)\nheld = wall()", 1).replace(
        "libc = ctypes.CDLL(None, use_errno=True)\ndef", "def", 1
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    held, told = json.loads(done.stdout)
    assert told["python"] == "refused"
    assert "system-call filter" in held, "no filter on this kernel: the audit hook alone stands"
    assert told["socket"] == [-1, "EPERM"] and told["execve"] == [-1, "EPERM"]
