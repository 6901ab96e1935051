"""Third-party weights: fetched from a server on this machine, handed over, verified, refused."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
import zipfile
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch

from vdf_bench.assets import third_party
from vdf_bench.assets.third_party import THIRD_PARTY, path_of
from vdf_bench.core.errors import UserError
from vdf_bench.models import supply


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("VDF_BENCH_WEIGHTS", str(tmp_path / "weights"))
    return tmp_path / "weights"


@pytest.fixture
def state(tmp_path):
    path = tmp_path / "state.pth"
    torch.save({"features.0.weight": torch.arange(200_000.0)}, path)
    return path.read_bytes()


class Server:
    """Serves ``content``; may break off after ``breaks`` bytes, once, or redirect."""

    def __init__(self):
        self.content, self.breaks, self.redirect, self.asked = b"", 0, "", []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                asked = self.headers.get("Range")
                outer.asked.append(asked)
                if outer.redirect:
                    self.send_response(302)
                    self.send_header("Location", outer.redirect)
                    self.end_headers()
                    return
                start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
                body = outer.content[start:]
                if start and not body:
                    self.send_error(416)
                    return
                self.send_response(206 if asked else 200)
                if asked:
                    whole = len(outer.content)
                    self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: outer.breaks] if outer.breaks else body)
                outer.breaks = 0

            def log_message(self, *args):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/file"
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()


@pytest.fixture
def server():
    made = Server()
    yield made
    made.http.shutdown()
    made.http.server_close()


def published(monkeypatch, server, **changes):
    """The entry squeezenet as if ``server`` published it."""
    genuine = hashlib.sha256(server.content).hexdigest()
    entry = replace(THIRD_PARTY["squeezenet"], **{"url": server.url, "sha256": genuine, **changes})
    monkeypatch.setitem(third_party.THIRD_PARTY, "squeezenet", entry)
    return entry


def fetch(**options):
    return supply.fetch("squeezenet", _loopback=True, **options)


def test_fetch(monkeypatch, server, state, folder):
    server.content = state
    published(monkeypatch, server)
    told = []
    place = fetch(progress=lambda done, total: told.append((done, total)))
    assert place.read_bytes() == state
    assert told[-1] == (len(state), len(state))
    assert sorted(p.name for p in folder.iterdir()) == ["squeezenet1_1-b8a52dc0.pth", "weights.json"]
    assert [verdict.ok for verdict in supply.verify()] == [True]


def test_a_broken_download_goes_on(monkeypatch, server, state, folder):
    server.content, server.breaks = state, 300_000
    entry = published(monkeypatch, server)
    with pytest.raises(UserError, match=r"to resume|cannot reach"):
        fetch()
    partial = folder / f"{entry.file}.part"
    assert partial.stat().st_size == 300_000
    assert not path_of("squeezenet").exists()
    assert fetch().read_bytes() == state
    assert server.asked == [None, "bytes=300000-"]
    assert not partial.exists()


def test_a_beginning_of_something_else_is_thrown_away(monkeypatch, server, state, folder):
    server.content = state
    entry = published(monkeypatch, server)
    folder.mkdir()
    (folder / f"{entry.file}.part").write_bytes(bytes(len(state)))  # as long as the file: nothing left to send
    assert fetch().read_bytes() == state
    (folder / f"{entry.file}.part").write_bytes(bytes(100))
    with pytest.raises(UserError, match="does not match"):
        fetch()
    assert fetch().read_bytes() == state


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"sha256": "0" * 64}, "does not match"),
        ({"sha256": "b8a52dc0"}, "does not match"),
        ({"limit": 0}, "expected at most"),
    ],
)
def test_what_is_not_genuine_takes_no_place(monkeypatch, server, state, folder, changes, told):
    server.content = state
    published(monkeypatch, server, **changes)
    with pytest.raises(UserError, match=told):
        fetch()
    assert not path_of("squeezenet").exists()


def test_only_https(monkeypatch, server, state):
    server.content = state
    published(monkeypatch, server)
    with pytest.raises(UserError, match="not an https"):
        supply.fetch("squeezenet")
    server.redirect = "http://example.invalid/file"
    with pytest.raises(UserError, match="not an https"):
        fetch()
    server.redirect = "file:///etc/hostname"
    with pytest.raises(UserError, match="not allowed"):
        fetch()


def test_offline_names_the_way_by_hand(monkeypatch, server):
    published(monkeypatch, server, url="http://127.0.0.1:9/file")
    with pytest.raises(UserError, match=r"cannot reach 127.0.0.1 .*weights add squeezenet FILE"):
        fetch()
    with pytest.raises(UserError, match=r"no download URL.*zllrunning.*weights add bisenet"):
        supply.fetch("bisenet")


def test_a_member_of_an_archive(monkeypatch, server, state, tmp_path, folder):
    archive = tmp_path / "pack.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("pack/other.onnx", b"other")
        pack.writestr("pack/../wanted.pth", state)
        pack.writestr("pack/bomb.pth", bytes(3 * 2**20))
    server.content = archive.read_bytes()
    genuine = hashlib.sha256(state).hexdigest()
    published(monkeypatch, server, sha256=genuine, member="wanted.pth")
    assert fetch() == path_of("squeezenet")
    assert path_of("squeezenet").read_bytes() == state
    published(monkeypatch, server, sha256=genuine, member="bomb.pth", limit=2)
    with pytest.raises(UserError, match="larger than 2 MiB"):
        fetch()
    published(monkeypatch, server, sha256=genuine, member="absent.pth")
    with pytest.raises(UserError, match=r"does not contain absent\.pth"):
        fetch()
    assert path_of("squeezenet").read_bytes() == state


def test_trust_on_first_use(monkeypatch, server, state, tmp_path):
    server.content = state
    published(monkeypatch, server, sha256="")
    fetch()
    assert supply.read_record()["squeezenet"]["sha256"] == hashlib.sha256(state).hexdigest()
    assert supply.verify()[0].ok is True
    other = tmp_path / "other.pth"
    torch.save({"features.0.weight": torch.zeros(3)}, other)
    server.content = other.read_bytes()
    with pytest.raises(UserError, match="has changed since"):
        fetch()
    assert path_of("squeezenet").read_bytes() == state
    path_of("squeezenet").write_bytes(other.read_bytes())  # behind our back
    assert supply.verify()[0].ok is False
    supply.add("squeezenet", other)  # the user's own choice
    assert supply.verify()[0].ok is True


def test_add_refuses_what_it_is_not(tmp_path, state, folder):
    wrong = tmp_path / "wrong.pth"
    wrong.write_bytes(state)
    with pytest.raises(UserError, match="does not match vgg16"):
        supply.add("vgg16", wrong)
    with pytest.raises(UserError, match="ONNX"):
        supply.add("recogniser", wrong)
    with wrong.open("wb") as file:
        file.truncate(17 * 2**20)
    with pytest.raises(UserError, match="larger than the 16 MiB"):
        supply.add("squeezenet", wrong)
    with pytest.raises(UserError, match="not found"):
        supply.add("squeezenet", tmp_path / "absent")
    with pytest.raises(UserError, match="did you mean 'squeezenet'"):
        supply.add("squeeznet", wrong)
    assert [p.name for p in folder.iterdir()] == []


def test_a_folder_that_cannot_be(tmp_path, monkeypatch):
    (tmp_path / "taken").write_bytes(b"")
    monkeypatch.setenv("VDF_BENCH_WEIGHTS", str(tmp_path / "taken"))
    with pytest.raises(UserError, match="set VDF_BENCH_WEIGHTS to a folder"):
        supply.fetch("alexnet")


def test_model_folders_are_copied(tmp_path):
    source = tmp_path / "model"
    (source / "unet").mkdir(parents=True)
    (source / "unet" / "model.safetensors").write_bytes(b"weights")
    place = supply.add("pixel-diffusion", source)
    assert (place / "unet" / "model.safetensors").read_bytes() == b"weights"
    assert [(v.name, v.ok) for v in supply.verify()] == [("pixel-diffusion", None)]
    with pytest.raises(UserError, match="already exists"):
        supply.add("pixel-diffusion", source)


def test_a_damaged_record_is_told(folder):
    folder.mkdir()
    (folder / "weights.json").write_text("[1]")
    with pytest.raises(UserError, match=r"weights\.json is damaged"):
        supply.verify()


def test_the_register_is_complete():
    for name, entry in THIRD_PARTY.items():
        assert entry.name == name
        assert entry.purpose and entry.licence and entry.page.startswith("https://")
        assert not entry.url or entry.url.startswith("https://")
        assert all(digit in "0123456789abcdef" for digit in entry.sha256)
        assert entry.mib < entry.limit
    assert len({entry.file for entry in THIRD_PARTY.values()}) == len(THIRD_PARTY)


def test_commands(tmp_path, folder):
    """One line and exit code 2 for the user's mistakes, 1 for a file that is not genuine; no torch for the list."""

    def call(*arguments):
        code = (
            "import sys; from vdf_bench.commands.cli import main\ntry: main()\nfinally: print('torch' in sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", code, "weights", *arguments], capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    code, out, _ = call("list")
    assert code == 0 and "vdf-bench weights fetch alexnet" in out and out.endswith("False\n")
    code, _, err = call("add", "squeezenet", str(tmp_path / "absent.pth"))
    assert code == 2 and err.count("\n") == 1
    path_of("alexnet").write_bytes(b"not it")
    code, out, _ = call("verify")
    assert code == 1 and "WRONG" in out and "7be5be79" in out


def test_a_damaged_archive_is_told_from_a_disk_that_cannot_take_it(tmp_path):
    entry = THIRD_PARTY["buffalo_l"]
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr(entry.member, bytes(range(256)) * 400)
    with pytest.raises(FileNotFoundError):
        supply._extract(archive, entry, tmp_path / "absent" / "model.onnx")
    content = bytearray(archive.read_bytes())
    start = content.index(entry.member.encode()) + len(entry.member)
    content[start : start + 40] = b"\xff" * 40
    archive.write_bytes(content)
    with pytest.raises(UserError, match="not the expected archive"):
        supply._extract(archive, entry, tmp_path / "model.onnx")
