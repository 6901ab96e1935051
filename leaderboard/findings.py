"""What a checker says: findings, and the rules that they come from."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from vdf_bench.leaderboard.case import Case

Severity = Literal["error", "warning"]
#: In this order; a stage is entered only if the one before it found no error, so nothing is parsed that is not safe to.
Stage = Literal["tree", "manifest", "files", "media", "meaning"]
STAGES: Final[tuple[Stage, ...]] = ("tree", "manifest", "files", "media", "meaning")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        rule: id of the rule.
        severity: ``error`` refuses the submission; ``warning`` is for a reviewer.
        path: the file inside the submission; empty for the whole.
        message: what is wrong.
        remedy: what to do.
    """

    rule: str
    severity: Severity
    path: str
    message: str
    remedy: str

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Offence:
    """What a rule's function yields: where, and what.

    Attributes:
        severity: other than the rule's, such as a warning for an entry that says of itself that it is a control.
    """

    path: str
    message: str
    severity: Severity | None = None


@dataclass(frozen=True)
class Rule:
    """One idea of what a submission must not be.

    Attributes:
        name: its id.
        stage: when it is asked.
        remedy: what a submitter does about it.
        check: yields an offence for everything wrong.
        severity: of its findings.
    """

    name: str
    stage: Stage
    remedy: str
    check: Callable[[Case], Iterable[Offence]]
    severity: Severity = "error"

    def findings(self, case: Case) -> Iterator[Finding]:
        """Ask it; a rule that fails on a submission is itself an error, for nobody knows what it would have found."""
        try:
            for offence in self.check(case):
                severity = offence.severity or self.severity
                yield Finding(self.name, severity, offence.path, clean(offence.message), self.remedy)
        except Exception as error:
            yield Finding(
                self.name,
                "error",
                "",
                f"the rule itself failed: {clean(f'{type(error).__name__}: {error}')}",
                "report this as a bug, with the submission",
            )


def clean(text: str, limit: int = 300) -> str:
    """A message in printable characters of one line: names of strangers' files must not steer a terminal."""
    shown = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"
