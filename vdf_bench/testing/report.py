"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Report:
    """The properties of a component that hold.

    Attributes:
        component: kind and name, such as ``defense 'vdf'``.
        properties: in the order in which they were checked.
        facts: numbers that no contract bounds, such as ``head_iou`` of a parser.
    """

    component: str
    properties: list[str] = field(default_factory=list)
    facts: dict[str, float] = field(default_factory=dict)

    def require(self, holds: bool, what: str, found: str, fix: str) -> None:
        """Note a property that holds.

        Args:
            holds: whether it does.
            what: the property, as a statement.
            found: what was found instead, where it does not hold.
            fix: what the component's author can do then.

        Raises:
            AssertionError: it does not hold.
        """
        if not holds:
            raise AssertionError(f"{self.component} breaks its contract: {what}.\n  Found: {found}.\n  To fix: {fix}.")
        if what not in self.properties:
            self.properties.append(what)

    def __str__(self) -> str:
        facts = [f"  {name} = {value:.4g}" for name, value in self.facts.items()]
        return "\n".join([self.component, *(f"  {each}" for each in self.properties), *facts])
