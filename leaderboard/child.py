"""The child process in which strangers' media is decoded: it gives itself limits and walls before it opens a file.

Run as ``python -m vdf_bench.leaderboard.child``, with one JSON request on standard input; answers with one JSON object
on standard output. See :mod:`vdf_bench.leaderboard.sandbox` for what is asked and answered.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import platform
import resource
import struct
import sys
from pathlib import Path
from typing import Any, Final

#: Numbers of system calls that no decoder needs: sockets, programs, other processes' memory.
_DENIED: Final = {
    "x86_64": (0xC000003E, (41, 42, 43, 44, 49, 50, 53, 59, 101, 288, 310, 311, 322, 425)),
    "aarch64": (0xC00000B7, (198, 199, 200, 201, 202, 203, 206, 117, 221, 242, 270, 271, 281, 425)),
}
_NEW_NETWORK: Final = 0x40000000 | 0x10000000  # CLONE_NEWNET | CLONE_NEWUSER
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2


def limit(limits: dict[str, int]) -> None:
    """Bound processor seconds, memory, open files and bytes written."""
    for name, value in limits.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))


def wall() -> list[str]:
    """Shut the network and programs out; what held of it, in words.

    An audit hook always holds against Python code. On Linux a system-call filter holds against native code too, and,
    where the kernel lets an ordinary process have one, an empty network of its own.
    """
    held = []
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(_NEW_NETWORK) == 0:
            held.append("own network")
        if _filter(libc):
            held.append("system-call filter")
    sys.addaudithook(_refuse)
    return [*held, "audit hook"]


def _filter(libc: Any) -> bool:
    """Let the kernel refuse :data:`_DENIED` from now on, for this process and all it starts (seccomp)."""
    if platform.machine() not in _DENIED:
        return False
    architecture, denied = _DENIED[platform.machine()]
    load, equal, give = 0x20, 0x15, 0x06
    refuse = 0x00050000 | 1  # SECCOMP_RET_ERRNO | EPERM
    program = [(load, 0, 0, 4), (equal, 1, 0, architecture), (give, 0, 0, refuse), (load, 0, 0, 0)]
    # Calls of the x32 flavour would go by other numbers.
    program += [(0x35, 0, 1, 0x40000000), (give, 0, 0, refuse)]
    for number in denied:
        program += [(equal, 0, 1, number), (give, 0, 0, refuse)]
    program.append((give, 0, 0, 0x7FFF0000))
    code = b"".join(struct.pack("HBBI", *line) for line in program)
    lines = ctypes.create_string_buffer(code, len(code))
    header = ctypes.create_string_buffer(struct.pack("HP", len(program), ctypes.addressof(lines)))
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        return False
    return bool(libc.prctl(_SECCOMP, _FILTER, header, 0, 0) == 0)


def _refuse(event: str, arguments: Any) -> None:
    if event.startswith(
        ("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.system", "ctypes.dlopen")
    ):
        raise PermissionError(f"{event} is not allowed here")


def video(path: Path, out: Path, shape: dict[str, int], held: list[str]) -> dict[str, Any]:
    """Decode a Matroska file of FFV1 into raw RGB, frame by frame.

    Args:
        path: the file.
        out: where (T, S, S, 3) uint8 goes.
        shape: ``frames`` and ``size`` that are asked for; more is not decoded.
        held: the walls.
    """
    import av

    told: dict[str, Any] = {"walls": held, "kind": "video", "frames": 0, "problem": ""}
    try:
        with av.open(str(path), options={"format_whitelist": "matroska,webm", "protocol_whitelist": "file"}) as box:
            streams = list(box.streams)
            stream = next(iter(box.streams.video), None)
            if stream is None or len(streams) != 1:
                kinds = ", ".join(s.type for s in streams) or "nothing"
                return {**told, "refused": "container", "problem": f"it contains {kinds}, expected one video stream"}
            context = stream.codec_context
            told |= {"codec": context.name, "width": context.width, "height": context.height}
            told |= {"pix_fmt": context.pix_fmt or "unknown", "fps": str(stream.average_rate or "unknown")}
            if context.name != "ffv1":
                return {**told, "refused": "codec", "problem": f"its codec is {context.name}"}
            if (context.width, context.height) != (shape["size"], shape["size"]):
                problem = f"{context.width}x{context.height} px, expected {shape['size']}x{shape['size']}"
                return {**told, "refused": "dimensions", "problem": problem}
            if context.pix_fmt is None:
                return {**told, "refused": "stream", "problem": "it ends before its first frame"}
            if context.pix_fmt not in ("bgr0", "0rgb32", "gbrp", "bgra"):
                return {**told, "refused": "codec", "problem": f"its pixels are {context.pix_fmt}, not 8-bit RGB"}
            if stream.average_rate is None or stream.average_rate != 25:
                return {**told, "refused": "rate", "problem": f"{told['fps']} frames per second, expected 25"}
            context.thread_count = 1
            context.options = {"max_pixels": str(4 * shape["size"] ** 2), "err_detect": "explode+crccheck"}
            with out.open("wb") as file:
                for frame in box.decode(stream):
                    if frame.is_corrupt:
                        return {**told, "refused": "stream", "problem": f"frame {told['frames']} is damaged"}
                    if (frame.width, frame.height) != (shape["size"], shape["size"]):
                        problem = f"frame {told['frames']} has {frame.width}x{frame.height} px"
                        return {**told, "refused": "dimensions", "problem": problem}
                    if told["frames"] == shape["frames"]:
                        return {**told, "refused": "length", "problem": f"more than {shape['frames']} frames"}
                    file.write(frame.to_ndarray(format="rgb24").tobytes())
                    told["frames"] += 1
    except (av.error.FFmpegError, ValueError, EOFError) as error:
        text = getattr(error, "strerror", None) or str(error)
        return {**told, "refused": "stream", "problem": f"it cannot be decoded ({text}) at frame {told['frames']}"}
    if told["frames"] != shape["frames"]:
        problem = f"{told['frames']} frames, expected {shape['frames']}"
        return {**told, "refused": "length", "problem": problem}
    return {**told, "refused": ""}


def picture(path: Path, limit_px: int, held: list[str]) -> dict[str, Any]:
    """Decode a PNG to its end."""
    from PIL import Image, PngImagePlugin

    told: dict[str, Any] = {"walls": held, "kind": "picture", "problem": "", "refused": ""}
    Image.MAX_IMAGE_PIXELS = limit_px**2
    PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = 1 << 16
    try:
        with Image.open(path, formats=["PNG"]) as image:
            if max(image.size) > limit_px:
                return {**told, "refused": "dimensions", "problem": f"{image.size[0]}x{image.size[1]} px"}
            if getattr(image, "n_frames", 1) != 1:
                return {**told, "refused": "stream", "problem": "it is animated"}
            image.load()
    except Image.DecompressionBombError as error:
        return {**told, "refused": "dimensions", "problem": str(error)}
    except (OSError, SyntaxError, ValueError) as error:
        return {**told, "refused": "stream", "problem": f"it cannot be decoded ({error})"}
    return told


def main() -> None:
    """Read the request, shut the doors, decode, answer."""
    request = json.loads(sys.stdin.buffer.read(1 << 16))
    # What natively links must be loaded before the walls: a decoder needs no more libraries after that.
    if request["kind"] == "video":
        import numpy  # noqa: F401
    else:
        import PIL.PngImagePlugin  # noqa: F401
    limit(request["limits"])
    held = wall()
    path = Path(request["path"])
    try:
        if request["kind"] == "video":
            answer = video(path, Path(request["out"]), request["shape"], held)
        else:
            answer = picture(path, request["max_px"], held)
    except MemoryError:
        answer = {"walls": held, "refused": "limits", "problem": "it takes more memory than is allowed"}
    except OSError as error:
        answer = {"walls": held, "refused": "limits", "problem": f"it writes more than is allowed ({error.strerror})"}
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
