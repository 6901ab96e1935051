"""Facial attributes that can be set or taken off exactly: the same person with and without, rendered again.

An attribute changes paint (hair, beard, skin), the glasses on the nose, or the mouth's line and expression: nothing
that the head is meshed from, so one built head serves all (:meth:`vdf_bench.scenes.head.Head.dressed`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from vdf_bench.scenes import sdf
from vdf_bench.scenes.identity import BEARD, FRAME, HAIR, LIP, SKIN

if TYPE_CHECKING:
    from vdf_bench.scenes.identity import Colour, Identity

#: Names of the attributes, in the order of every attribute vector.
ATTRIBUTES: Final = ("blond-hair", "beard", "glasses", "older", "smile")

BLOND: Final[Colour] = (0.84, 0.68, 0.38)
BLOND_BROWS: Final[Colour] = (0.55, 0.42, 0.24)
BROWN: Final[Colour] = (0.20, 0.13, 0.08)
#: Thick square glasses, in black.
GLASSES: Final = 2
BLACK: Final[Colour] = (0.03, 0.03, 0.03)
#: Folds of an aged skin (1 is the oldest person that is sampled), from where on a person counts as old, and below.
OLD, ELDERLY, YOUNG = 1.9, 0.65, 0.3
#: Share by which an aged skin and its lips lose colour, and what is left of their brightness.
FADED, DIMMED = 0.5, 0.9
#: Rise of the smiling mouth's corners (head units) and where a smile begins; nobody is sampled above 0.04.
SMILE, SMILING = 0.11, 0.06
#: What a smile adds to the opening and to the width of the mouth.
SMILING_MOUTH: Final = (0.42, 1.0)


def has(identity: Identity, name: str) -> bool:
    """Whether a person has an attribute.

    Args:
        identity: the person.
        name: one of :data:`ATTRIBUTES`.

    Raises:
        KeyError: there is no such attribute.
    """
    look = identity.look
    red, _, blue = identity.palette[HAIR]
    return {
        "blond-hair": red > 0.5 and red - blue > 0.2,
        "beard": max(look.beard, look.moustache) > 0.2,
        "glasses": identity.shape.glasses > 0,
        "older": look.age > ELDERLY,
        "smile": identity.shape.lip_curve > SMILING,
    }[name]


def with_attribute(identity: Identity, name: str, on: bool = True) -> Identity:
    """The same person with an attribute set or taken off; unchanged where it is so already.

    Args:
        identity: the person.
        name: one of :data:`ATTRIBUTES`.
        on: set, or take off. What lay under the attribute is unknown to it: who is born blond becomes brown.

    Raises:
        KeyError: there is no such attribute.
    """
    if has(identity, name) == on:
        return identity
    look, shape = identity.look, identity.shape
    if name == "blond-hair":
        return _painted(identity, {HAIR: BLOND if on else BROWN, BEARD: BLOND_BROWS if on else BROWN})
    if name == "beard":
        thick = look._replace(beard=0.95, moustache=0.9) if on else look._replace(beard=0.0, moustache=0.0)
        return replace(identity, look=thick)
    if name == "glasses":
        framed = replace(identity, shape=shape._replace(glasses=GLASSES if on else 0))
        return _painted(framed, {FRAME: BLACK}) if on else framed
    if name == "older":
        aged = replace(identity, look=look._replace(age=OLD if on else YOUNG, blush=0.2 if on else 0.6))
        return _painted(aged, {row: _faded(aged.palette[row]) for row in (SKIN, LIP)}) if on else aged
    return replace(identity, shape=shape._replace(lip_curve=shape.lip_curve + (SMILE if on else -SMILE)))


def with_attributes(identity: Identity, wanted: tuple[bool, ...]) -> Identity:
    """The person with every attribute as ``wanted``, one truth value for each of :data:`ATTRIBUTES`."""
    for name, on in zip(ATTRIBUTES, wanted, strict=True):
        identity = with_attribute(identity, name, on)
    return identity


def editable(identity: Identity) -> bool:
    """Whether every attribute would show: there is hair to colour, and no hat over it."""
    return identity.shape.hat == sdf.NO_HAT and identity.shape.hair_style not in (sdf.BALD, sdf.BUZZ)


def plain(identity: Identity) -> bool:
    """Whether a person has none of the attributes, and each would show."""
    return editable(identity) and not any(has(identity, name) for name in ATTRIBUTES)


def mouth_of(identity: Identity, mouth: tuple[float, float]) -> tuple[float, float]:
    """Opening and width of a person's mouth: a smile widens it and shows teeth."""
    if not has(identity, "smile"):
        return mouth
    return mouth[0] + SMILING_MOUTH[0], min(mouth[1] + SMILING_MOUTH[1], 1.3)


def _painted(identity: Identity, colours: dict[int, Colour]) -> Identity:
    return replace(identity, palette=tuple(colours.get(row, own) for row, own in enumerate(identity.palette)))


def _faded(colour: Colour) -> Colour:
    """Towards grey, and dimmer."""
    grey = float(np.mean(colour))
    red, green, blue = (DIMMED * (value + FADED * (grey - value)) for value in colour)
    return red, green, blue
