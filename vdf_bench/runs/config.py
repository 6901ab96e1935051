"""``config.toml``: the options of a run in a file, which the same command reads to repeat it."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING, Any, Final

from vdf_bench.core.errors import UserError
from vdf_bench.core.registry import suggest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

#: Of a file, bytes, and of its tables, levels: more is no list of options, and slow to read.
MAX_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 8
#: A key of more levels than that, found before the parser, whose time grows with their square, sees it.
_DEEP_KEY: Final = re.compile(rf"(?<![\w\"'-])(?:[\w\"'-]++[ \t]*+\.[ \t]*+){{{2 * MAX_DEPTH}}}")


def read_config(path: Path, known: Iterable[str]) -> dict[str, Any]:
    """Read options.

    Args:
        path: a TOML file. Keys are names of options, with dashes or underscores; the table ``[set]`` holds parameters
            of components.
        known: names of the options that may stand there, with underscores.

    Returns:
        Name with underscores -> text, number or truth value; lists joined by commas; ``set`` a list of
        ``COMPONENT.PARAMETER=VALUE``.

    Raises:
        UserError: the file is missing, too large or no TOML, or holds something that is no option.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise UserError(f"--config {path} not found: give the path of a TOML file") from None
    except OSError as error:
        raise UserError(f"--config {path} cannot be read: {error.strerror}") from None
    if len(content) > MAX_BYTES:
        raise UserError(f"--config {path} is larger than {MAX_BYTES >> 20} MiB: give a file that only contains options")
    try:
        text = content.decode("utf-8")
        if _DEEP_KEY.search(text):
            raise UserError(f"--config {path}: a key has more than {2 * MAX_DEPTH} levels: give the names of options")
        found = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"--config {path} is not valid TOML: {error}") from None
    except RecursionError:
        raise UserError(
            f"--config {path}: values are nested too deeply: give texts, numbers, true or false, or lists of them"
        ) from None
    names = sorted(known)
    values: dict[str, Any] = {}
    for key, value in found.items():
        name = key.replace("-", "_")
        if name not in names:
            dashed = [each.replace("_", "-") for each in names]
            raise UserError(f"--config {path}: unknown option {key!r}: {suggest(key.replace('_', '-'), dashed)}")
        if name in values:
            raise UserError(f"--config {path} contains {key} twice: remove one")
        where = f"--config {path}: {key}"
        values[name] = settings(value, where) if name == "set" else _plain(value, where)
    return values


def write_config(values: Mapping[str, Any], comment: str) -> str:
    """Options as the text of a file that :func:`read_config` reads.

    Args:
        values: name with underscores -> text, number or truth value; None is left out; ``set`` a list of
            ``COMPONENT.PARAMETER=VALUE``.
        comment: the first line.
    """
    plain = [(name.replace("_", "-"), value) for name, value in values.items() if name != "set" and value is not None]
    lines = [f"# {comment}", *(f"{name} = {_toml(value)}" for name, value in plain)]
    parameters = [item.partition("=") for item in values.get("set") or ()]
    lines += ["", "[set]"] if parameters else []
    lines += [f"{_toml(path)} = {_toml(value)}" for path, _, value in parameters]
    return "\n".join(lines) + "\n"


def settings(value: Any, where: str) -> list[str]:
    """``COMPONENT.PARAMETER=VALUE`` texts of a table, flat (``{"vdf.gain": 2}``) or nested, or of a list of such texts.

    Raises:
        UserError: it is neither.
    """
    if not isinstance(value, dict):
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
            raise UserError(f"{where}: give a table of COMPONENT.PARAMETER = VALUE")
        return list(items)
    return [f"{path}={inner}" for path, inner in _flat(value, where, MAX_DEPTH)]


def _flat(table: Mapping[str, Any], where: str, depth: int) -> Iterator[tuple[str, str]]:
    if not depth:
        raise UserError(f"{where}: tables are nested too deeply: give COMPONENT.PARAMETER = VALUE")
    for name, value in table.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{path}", inner) for path, inner in _flat(value, where, depth - 1))
        else:
            yield name, str(_plain(value, f"{where}: {name}"))


def _plain(value: Any, where: str) -> str | int | float | bool:
    """A text, number or truth value; lists of them joined by commas."""
    if isinstance(value, str | int | float):  # and bool, which is an int
        return value
    if isinstance(value, list | tuple) and all(isinstance(item, str | int | float) for item in value):
        return ",".join(map(str, value))
    raise UserError(f"{where}: give a text, a number, true or false, or a list of them")


def _toml(value: str | int | float | bool) -> str:
    """A value, or a quoted key: TOML writes texts, numbers and truth values as JSON does, but for one character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
