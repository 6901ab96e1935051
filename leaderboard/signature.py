"""An optional signature over the manifest's bytes: who sent it and that nothing was changed, not that it is true.

``ssh-keygen -Y sign -n vdf-bench-leaderboard -f KEY manifest.json`` makes it. Which keys are whose is the maintainers'
matter (an allowed-signers file); without one a signature only proves that its own key made it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vdf_bench.core.errors import UserError

#: What the signature is for, so that one made for something else does not count.
NAMESPACE: Final = "vdf-bench-leaderboard"
MAX_BYTES: Final = 16_384
_SECONDS: Final = 20


@dataclass(frozen=True)
class Signed:
    """What a signature says.

    Attributes:
        key: fingerprint of the key; empty without a good signature.
        signer: who the key belongs to by the allowed signers; empty where nobody vouches.
        problem: why it does not hold; empty where it does.
    """

    key: str = ""
    signer: str = ""
    problem: str = ""


def sign(manifest: Path, key: Path) -> Path:
    """Sign a manifest with an SSH key; where the signature lies.

    Raises:
        UserError: there is no ssh-keygen, or the key cannot sign.
    """
    command = ["ssh-keygen", "-Y", "sign", "-n", NAMESPACE, "-f", str(key), str(manifest)]
    done = _run(command, b"")
    if done is None:
        raise UserError("signing needs ssh-keygen: install OpenSSH, or remove --sign")
    if done.returncode:
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise UserError(f"--sign {key}: {' '.join(last) or 'ssh-keygen cannot sign with it'}")
    return manifest.with_name(f"{manifest.name}.sig")


def check(manifest: bytes, signature: bytes, allowed: Path | None = None) -> Signed:
    """Check a detached signature.

    Args:
        manifest: the signed bytes.
        signature: armoured, as ``ssh-keygen -Y sign`` writes it.
        allowed: an allowed-signers file of ssh-keygen; None asks no more than that the signature fits its own key.
    """
    if len(signature) > MAX_BYTES or not signature.startswith(b"-----BEGIN SSH SIGNATURE-----"):
        return Signed(problem="it is not an SSH signature")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "signature"
        file.write_bytes(signature)
        done = _run(["ssh-keygen", "-Y", "check-novalidate", "-n", NAMESPACE, "-s", str(file)], manifest)
        if done is None:
            return Signed(problem="it cannot be checked: ssh-keygen is not installed")
        if done.returncode:
            return Signed(problem="it does not match the manifest")
        named = re.search(rb"SHA256:[A-Za-z0-9+/]{20,60}", done.stdout)
        key = named[0].decode() if named else ""
        if allowed is None:
            return Signed(key)
        found = _run(["ssh-keygen", "-Y", "find-principals", "-f", str(allowed), "-s", str(file)], b"")
        signer = (
            found.stdout.decode("utf-8", "replace").split("\n")[0].strip() if found and not found.returncode else ""
        )
        if not signer:
            return Signed(key)
        command = ["ssh-keygen", "-Y", "verify", "-f", str(allowed), "-I", signer, "-n", NAMESPACE, "-s", str(file)]
        held = _run(command, manifest)
        return (
            Signed(key, signer) if held and not held.returncode else Signed(key, problem=f"it was not made by {signer}")
        )


def _run(command: list[str], data: bytes) -> subprocess.CompletedProcess[bytes] | None:
    program = shutil.which(command[0])
    if program is None:
        return None
    return subprocess.run(  # noqa: S603
        [program, *command[1:]], input=data, capture_output=True, timeout=_SECONDS, check=False
    )
