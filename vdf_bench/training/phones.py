"""The phones that training voices say: what is heard of each, and what is seen.

Vowels have the formants of Peterson and Barney (1952); consonants are rounded from textbooks. Openings and widths are
drawn from viseme charts: who presses, rounds or spreads the lips, and who leaves them to their neighbours.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Phone(NamedTuple):
    """A target of voice and lips.

    Attributes:
        opening: of the lips, 0 to 1.
        width: of the lips, -1 rounded to 1 spread.
        formants: first three, Hz, of a man; vowels after Peterson and Barney (1952).
        voice, hiss: amplitudes of the two sources.
        band: where the hiss lies, Hz; (0, 0) sends it through the formants, as breath.
        seconds: usual length.
        firmness: how much the lips insist on their target (Cohen and Massaro 1993: dominance).
    """

    opening: float
    width: float
    formants: tuple[float, float, float]
    voice: float
    hiss: float
    band: tuple[float, float]
    seconds: float
    firmness: float


#: Hiss that goes through the formants.
NO_BAND: Final = (0.0, 0.0)


def _vowel(opening: float, width: float, *formants: float) -> Phone:
    return Phone(opening, width, (formants[0], formants[1], formants[2]), 1.0, 0.02, NO_BAND, 0.10, 1.0)


VOWELS: Final = {
    "iy": _vowel(0.30, 0.9, 270, 2290, 3010),
    "ih": _vowel(0.38, 0.6, 390, 1990, 2550),
    "eh": _vowel(0.58, 0.5, 530, 1840, 2480),
    "ae": _vowel(0.80, 0.5, 660, 1720, 2410),
    "ah": _vowel(0.58, 0.1, 640, 1190, 2390),
    "aa": _vowel(1.00, 0.1, 730, 1090, 2440),
    "ao": _vowel(0.80, -0.5, 570, 840, 2410),
    "uh": _vowel(0.40, -0.5, 440, 1020, 2240),
    "uw": _vowel(0.25, -1.0, 300, 870, 2240),
    "er": _vowel(0.38, -0.4, 490, 1350, 1690),
    "ax": _vowel(0.40, 0.1, 500, 1400, 2400),
}
#: Diphthongs are two vowels in a row.
NUCLEI: Final = (
    ("iy",), ("ih",), ("eh",), ("ae",), ("ah",), ("aa",), ("ao",), ("uh",), ("uw",), ("er",), ("ax",), ("ax",), ("ih",),
    ("aa", "ih"), ("aa", "uh"), ("ao", "ih"), ("eh", "iy"), ("ao", "uw"),
)  # fmt: skip
_LABIAL, _ALVEOLAR, _VELAR = (250.0, 900.0, 2200.0), (250.0, 1750.0, 2600.0), (250.0, 1900.0, 2300.0)
_DENTAL, _PALATAL = (300.0, 1400.0, 2500.0), (280.0, 2000.0, 2600.0)
_FREE: Final = 0.15
_CLOSED: Final = 6.0
#: Stops and affricates are a closure and a release.
CONSONANTS: Final = {
    "m": (Phone(0.0, 0.0, _LABIAL, 0.40, 0.0, NO_BAND, 0.075, _CLOSED),),
    "n": (Phone(0.25, 0.1, _ALVEOLAR, 0.40, 0.0, NO_BAND, 0.065, _FREE * 2),),
    "ng": (Phone(0.35, 0.1, _VELAR, 0.35, 0.0, NO_BAND, 0.070, _FREE),),
    "p": (
        Phone(0.0, 0.0, _LABIAL, 0.0, 0.0, NO_BAND, 0.080, _CLOSED),
        Phone(0.3, 0.0, _LABIAL, 0.0, 0.5, (300.0, 2500.0), 0.035, _FREE),
    ),
    "b": (
        Phone(0.0, 0.0, _LABIAL, 0.12, 0.0, NO_BAND, 0.070, _CLOSED),
        Phone(0.3, 0.0, _LABIAL, 0.5, 0.2, (300.0, 2000.0), 0.015, _FREE),
    ),
    "t": (
        Phone(0.20, 0.2, _ALVEOLAR, 0.0, 0.0, NO_BAND, 0.065, _FREE * 2),
        Phone(0.22, 0.2, _ALVEOLAR, 0.0, 0.8, (3000.0, 7500.0), 0.035, _FREE * 2),
    ),
    "d": (
        Phone(0.20, 0.2, _ALVEOLAR, 0.12, 0.0, NO_BAND, 0.050, _FREE * 2),
        Phone(0.22, 0.2, _ALVEOLAR, 0.5, 0.4, (3000.0, 7000.0), 0.015, _FREE * 2),
    ),
    "k": (
        Phone(0.35, 0.1, _VELAR, 0.0, 0.0, NO_BAND, 0.070, _FREE),
        Phone(0.35, 0.1, _VELAR, 0.0, 0.7, (1200.0, 3500.0), 0.040, _FREE),
    ),
    "g": (
        Phone(0.35, 0.1, _VELAR, 0.12, 0.0, NO_BAND, 0.060, _FREE),
        Phone(0.35, 0.1, _VELAR, 0.5, 0.3, (1200.0, 3000.0), 0.020, _FREE),
    ),
    "f": (Phone(0.06, 0.2, _LABIAL, 0.0, 0.30, (1500.0, 8000.0), 0.095, _CLOSED / 2),),
    "v": (Phone(0.06, 0.2, _LABIAL, 0.35, 0.12, (1500.0, 8000.0), 0.065, _CLOSED / 2),),
    "th": (Phone(0.18, 0.2, _DENTAL, 0.0, 0.22, (2500.0, 8000.0), 0.090, 0.6),),
    "dh": (Phone(0.20, 0.2, _DENTAL, 0.40, 0.08, (2500.0, 8000.0), 0.050, 0.5),),
    "s": (Phone(0.15, 0.5, _ALVEOLAR, 0.0, 1.0, (4000.0, 8000.0), 0.100, 1.0),),
    "z": (Phone(0.15, 0.5, _ALVEOLAR, 0.35, 0.6, (4000.0, 8000.0), 0.080, 1.0),),
    "sh": (Phone(0.22, -0.6, _PALATAL, 0.0, 1.0, (2000.0, 6500.0), 0.105, 1.5),),
    "ch": (
        Phone(0.20, -0.5, _PALATAL, 0.0, 0.0, NO_BAND, 0.060, 0.8),
        Phone(0.22, -0.6, _PALATAL, 0.0, 1.0, (2000.0, 6500.0), 0.060, 1.5),
    ),
    "jh": (
        Phone(0.20, -0.5, _PALATAL, 0.12, 0.0, NO_BAND, 0.050, 0.8),
        Phone(0.22, -0.6, _PALATAL, 0.35, 0.6, (2000.0, 6500.0), 0.050, 1.5),
    ),
    "l": (Phone(0.35, 0.2, (360.0, 1100.0, 2700.0), 0.65, 0.0, NO_BAND, 0.065, _FREE * 2),),
    "r": (Phone(0.25, -0.6, (330.0, 1150.0, 1600.0), 0.65, 0.0, NO_BAND, 0.070, 1.0),),
    "w": (Phone(0.10, -1.0, (300.0, 700.0, 2200.0), 0.65, 0.0, NO_BAND, 0.070, 2.0),),
    "y": (Phone(0.28, 0.7, (280.0, 2250.0, 3000.0), 0.65, 0.0, NO_BAND, 0.060, 0.6),),
    "h": (Phone(0.45, 0.1, (500.0, 1500.0, 2500.0), 0.05, 0.25, NO_BAND, 0.060, _FREE),),
}
#: What opens and ends syllables, by how often English has it.
ONSETS: Final = "t t t s s d d dh dh dh n m m l r k k w w b b p p f f h h g sh th v y jh ch".split()  # noqa: SIM905, a list of forty quoted letters is harder to read
CODAS: Final = "n n n n t t t t r r r d d l l s s z z m m k v p f ng th sh b g".split()  # noqa: SIM905
