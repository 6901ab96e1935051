"""Speech to train on: English-like phones through a source and filter, with the lips that go with them.

The clips' own speech (:mod:`vdf_bench.scenes.speech`) knows nine phones and one kind of voice; a network that hears
only that is deaf to people. Here words are strung of some forty phones, said by voices of many lengths of throat,
pitches, tempi and habits. Everything is drawn from one generator; nothing is a recording of anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from scipy.fft import next_fast_len
from scipy.ndimage import gaussian_filter1d

from vdf_bench.core.clip import SAMPLE_RATE
from vdf_bench.training.phones import CODAS, CONSONANTS, NO_BAND, NUCLEI, ONSETS, VOWELS, Phone

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

#: Steps a second of everything slow: lips, formants, gains.
RATE: Final = 100
_HOP: Final = SAMPLE_RATE // RATE
_FFT: Final = 512


@dataclass(frozen=True)
class Voice:
    """Habits of a speaker.

    Attributes:
        throat: scale of the formants; 1 is a man of Peterson and Barney's.
        pitch: mean, Hz.
        melody: standard deviation of the pitch's logarithm.
        tempo: scale of the phones' lengths.
        tilt: of the voice's spectrum, dB per octave, beyond what the throat does.
        breath: hiss under the voice.
        rest: lips in silence, 0 to 1.
        stress: how far accents raise loudness and opening together.
        lead: how far lips look ahead and back, seconds.
        sharpness: of hiss, against the voice.
    """

    throat: float
    pitch: float
    melody: float
    tempo: float
    tilt: float
    breath: float
    rest: float
    stress: float
    lead: tuple[float, float]
    sharpness: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Voice:
        """Anybody: pitch and throat go together."""
        high = rng.random()
        return cls(
            throat=0.92 + 0.25 * high + rng.normal(0, 0.04),
            pitch=float(85 * np.exp(1.1 * high + rng.normal(0, 0.1))),
            melody=rng.uniform(0.05, 0.2),
            tempo=float(np.exp(rng.normal(-0.1, 0.22))),
            tilt=rng.uniform(2, 9),
            breath=float(np.exp(rng.uniform(np.log(0.003), np.log(0.1)))),
            rest=max(0.0, rng.normal(0.03, 0.08)),
            stress=rng.uniform(0.15, 0.6),
            lead=(rng.uniform(0.02, 0.05), rng.uniform(0.015, 0.035)),
            sharpness=float(np.exp(rng.uniform(np.log(0.15), np.log(0.6)))),
        )


class _Said(NamedTuple):
    """A phone as it was said: when, how loud, and how wide."""

    phone: Phone
    seconds: float
    accent: float


def _sentence(voice: Voice, seconds: float, rng: np.random.Generator) -> list[_Said]:
    """Words of one to three syllables in phrases, with pauses between phrases, for at least ``seconds``."""
    silence = Phone(voice.rest, 0.0, (500.0, 1500.0, 2500.0), 0.0, 0.0, NO_BAND, 0.3, 0.5)
    breath = silence._replace(opening=max(voice.rest, 0.25), hiss=0.04)
    said = [_Said(silence, rng.uniform(0.02, 0.6), 1.0)]
    total, left = said[0].seconds, 0
    while total < seconds:
        if not left:
            left = int(rng.integers(4, 16))
            if total > 1:
                said.append(_Said(silence, rng.uniform(0.1, 0.7), 1.0))
                if rng.random() < 0.3:
                    said.append(_Said(breath, rng.uniform(0.15, 0.35), 1.0))
        left -= 1
        accent = float(np.exp(voice.stress * rng.normal()))
        length = voice.tempo * (1.6 if not left else 1.0) * float(np.clip(accent, 0.7, 1.4))
        phones: list[Phone] = []
        if rng.random() < 0.85:
            phones += CONSONANTS[str(rng.choice(ONSETS))]
            if rng.random() < 0.12:
                phones += CONSONANTS[str(rng.choice(["l", "r", "w"]))]
        nucleus = NUCLEI[int(rng.integers(len(NUCLEI)))]
        phones += [VOWELS[name]._replace(seconds=0.10 if len(nucleus) == 1 else 0.075) for name in nucleus]
        if rng.random() < 0.5:
            phones += CONSONANTS[str(rng.choice(CODAS))]
        said += [_Said(p, p.seconds * length * float(np.exp(0.2 * rng.normal())), accent) for p in phones]
        total = sum(item.seconds for item in said)
    return said


def _lips(said: list[_Said], ends: Array, time: Array, lead: tuple[float, float]) -> Array:
    """(M, 2) opening and width: every phone pulls, by its firmness, the less the farther it is (Cohen and Massaro)."""
    starts = np.concatenate([[0.0], ends[:-1]])
    before, after = starts - time[:, None], time[:, None] - ends
    pull = np.exp(-before.clip(0) / lead[0] - after.clip(0) / lead[1]) * [item.phone.firmness for item in said]
    # An accent opens the mouth; what is shut stays shut.
    reach = np.array([float(np.clip(item.accent, 0.5, 1.5)) for item in said])
    targets = np.array([[item.phone.opening, item.phone.width] for item in said])
    targets[:, 0] *= np.where([item.phone.voice >= 1 for item in said], reach, 1.0)
    mixed = pull @ targets / pull.sum(axis=1, keepdims=True)
    return np.asarray(gaussian_filter1d(mixed, 0.012 * RATE, axis=0, mode="nearest"))


def _envelopes(tracks: Array, voice: Voice) -> tuple[Array, Array]:
    """Magnitudes (M, FFT // 2 + 1) by which voice and hiss are shaped, from (M, 7) formants, gains and band."""
    hertz = np.fft.rfftfreq(_FFT, 1 / SAMPLE_RATE)
    upper = np.array([3500.0, 4500.0, 5500.0]) * voice.throat
    throat = np.ones((len(tracks), len(hertz)))
    for k in range(6):
        centre = tracks[:, k, None] * voice.throat if k < 3 else upper[k - 3]
        width = 50 + 0.05 * centre
        throat *= centre**2 / np.sqrt((hertz**2 - centre**2) ** 2 + (hertz * width) ** 2)
    throat *= (1 + (hertz / 300)) ** (-voice.tilt / 6.02) * (hertz / (hertz + 80))
    # A resonator's skirts fall far: the ear still gets something.
    throat = np.maximum(throat, 1e-4)
    low, high = tracks[:, 5, None], tracks[:, 6, None]
    band = 1 / (1 + (low / hertz.clip(1)) ** 6) / (1 + (hertz / high.clip(1)) ** 8)
    noisy = np.where(high > 0, band, 2.0 * throat)
    return throat * tracks[:, 3, None], noisy * tracks[:, 4, None] + voice.breath * throat * tracks[:, 3, None]


def _pulses(pitch: Array, rng: np.random.Generator) -> Array:
    """(N,) glottal pulses at ``pitch`` Hz (N,), each between two samples, with a little jitter; unit power."""
    phase = np.cumsum(pitch) / SAMPLE_RATE
    beats = np.arange(1, int(phase[-1]) + 1) + 0.01 * rng.normal(size=int(phase[-1]))
    where = np.interp(beats, phase, np.arange(len(phase)))
    out = np.zeros(len(pitch) + 2)
    whole = where.astype(int)
    strength = np.sqrt(SAMPLE_RATE / pitch[whole]) * (1 + 0.05 * rng.normal(size=len(whole)))
    np.add.at(out, whole, (1 - (where - whole)) * strength)
    np.add.at(out, whole + 1, (where - whole) * strength)
    return out[: len(pitch)]


def _shape(source: Array, envelope: Array) -> Array:
    """Filter (N,) by a magnitude that changes with time, (M, FFT // 2 + 1), windows overlapping."""
    window = np.hanning(_FFT + 1)[:-1]
    padded = np.pad(source, _FFT)
    first = np.arange(len(envelope)) * _HOP + _FFT // 2
    framed = padded[first[:, None] + np.arange(_FFT)] * window
    shaped = np.fft.irfft(np.fft.rfft(framed, axis=1) * envelope, axis=1)
    out = np.zeros(len(padded) + _FFT)
    for start, piece in zip(first, shaped, strict=True):
        out[start : start + _FFT] += piece
    # Windows of 512 at a hop of 160 add up to 1.6.
    return out[_FFT : _FFT + len(source)] / (_FFT / 2 / _HOP)


def speak(seconds: float, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Somebody says something.

    Args:
        seconds: how long.
        rng: draws speaker and words.

    Returns:
        sound (N,) float32 mono at 16 kHz, peak 0.7, dry and clean; and lips (M, 2) float32 at 100 Hz, step i at sample
        160 i, M = N // 160 + 1: opening about [0, 1] and width about [-1, 1].
    """
    voice = Voice.sample(rng)
    count = round(seconds * SAMPLE_RATE)
    steps = count // _HOP + 1
    said = _sentence(voice, seconds + 0.5, rng)
    ends = np.cumsum([item.seconds for item in said])
    time = np.arange(steps) / RATE
    lips = _lips(said, ends, time, voice.lead)

    rows = np.array(
        [[*i.phone.formants, i.phone.voice * i.accent, i.phone.hiss * voice.sharpness, *i.phone.band] for i in said]
    )
    tracks = rows[np.searchsorted(ends, time, side="right").clip(0, len(rows) - 1)]
    tracks[:, :3] = np.exp(gaussian_filter1d(np.log(tracks[:, :3]), 2.5, axis=0, mode="nearest"))
    tracks[:, 3:5] = gaussian_filter1d(tracks[:, 3:5], 0.8, axis=0, mode="nearest")
    wander = gaussian_filter1d(rng.normal(size=steps), 25)
    wander = wander / max(float(wander.std()), 1e-9) * voice.melody
    pitch = np.repeat(voice.pitch * np.exp(wander), _HOP)[:count]
    voiced, hissed = _envelopes(tracks, voice)
    sound = _shape(_pulses(pitch, rng), voiced) + _shape(rng.normal(size=count), hissed)
    sound *= 0.7 / max(float(np.abs(sound).max()), 1e-9)
    return sound.astype(np.float32), lips.astype(np.float32)


def record(sound: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """What a room, other noise, a microphone and a codec make of (N,) sound at 16 kHz; same length, peak 0.7."""
    wave = sound.astype(np.float64)
    count = len(wave)
    if rng.random() < 0.7:
        wave = _room(wave, rng)
    spectrum = np.fft.rfft(wave)
    hertz = np.fft.rfftfreq(count, 1 / SAMPLE_RATE)
    # A microphone's tone: a tilt and slow ripples over log frequency, decibels.
    octaves = np.log2(hertz.clip(40) / 1000)
    tone = rng.normal(0, 1.5) * octaves
    for _ in range(3):
        tone += rng.normal(0, 2.0) * np.sin(rng.uniform(0.5, 3) * octaves + rng.uniform(0, 2 * np.pi))
    wave = np.fft.irfft(spectrum * 10 ** (tone / 20), count)
    if rng.random() < 0.85:
        level = float(np.sqrt(np.mean(wave**2))) * 10 ** (-rng.uniform(8, 45) / 20)
        noise = np.fft.rfft(rng.normal(size=count)) * (hertz.clip(60) / 1000) ** (-rng.uniform(0, 1))
        hum = np.fft.irfft(noise, count)
        wave = wave + hum * level / max(float(hum.std()), 1e-12)
    if rng.random() < 0.3:
        # Levelling, as broadcasters do.
        power = np.add.reduceat(wave**2, np.arange(0, count, _HOP)) / _HOP
        loud = np.sqrt(gaussian_filter1d(power, RATE * rng.uniform(0.05, 0.3)))
        gain = (loud + 0.1 * loud.max() + 1e-9) ** -rng.uniform(0.2, 0.7)
        wave = wave * np.interp(np.arange(count), np.arange(len(gain)) * _HOP, gain)
    low, high = (
        rng.choice([30.0, 80.0, 150.0, 300.0]),
        rng.choice([3400.0, 5500.0, 7000.0, 8000.0], p=[0.1, 0.2, 0.3, 0.4]),
    )
    gate = 1 / (1 + (low / hertz.clip(1)) ** 6) / (1 + (hertz / high) ** 16)
    wave = np.fft.irfft(np.fft.rfft(wave) * gate, count)
    return (0.7 * wave / max(float(np.abs(wave).max()), 1e-9)).astype(np.float32)


def _room(wave: Array, rng: np.random.Generator) -> Array:
    """Add what the walls give back: noise that dies away, the more of it the farther the microphone."""
    decay = rng.uniform(0.1, 0.6)
    time = np.arange(round(decay * SAMPLE_RATE)) / SAMPLE_RATE
    echo = rng.normal(size=len(time)) * 10 ** (-3 * time / decay) * (time > 0.002)
    echo *= 10 ** (-rng.uniform(2, 18) / 20) / np.linalg.norm(echo)
    echo[0] = 1.0
    size = next_fast_len(len(wave) + len(echo), real=True)
    return np.asarray(np.fft.irfft(np.fft.rfft(wave, size) * np.fft.rfft(echo, size), size)[: len(wave)])
