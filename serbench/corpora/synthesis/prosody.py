"""Who speaks and how: speakers, sentences, emotions, and the controls of the voice made from them.

The profiles follow the signs and rough sizes in the reviews of Banse & Scherer (1996, JPSP 70(3), 614-636) and
Juslin & Laukka (2003, Psychological Bulletin 129(5), 770-814). Real speakers differ in how they show an emotion, and no
take is like another; both are drawn at random, and they are why unseen speakers are harder than a random split.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from serbench.corpora.synthesis.voice import HOP, RATE, Controls
from serbench.identity import seed_for

MANNERS = (
    "pitch",  # semitones above neutral
    "range",  # log2 of the factor on pitch movements
    "slope",  # semitones from start to end
    "level",  # dB
    "rate",  # log2 of the factor on tempo
    "tilt",  # dB per octave; negative is brighter
    "breath",  # dB
    "jitter",  # log2 of the factor
    "opening",  # log2 of the factor on the first formant
    "clarity",  # log2 of the factor on the spread of vowels
    "tremor",  # semitones
)
PROFILES = {
    "neutral": (0.0, 0.0, -2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "happy": (4.0, 0.7, -1.0, 4.0, 0.12, -1.5, -1.0, 0.1, 0.10, 0.15, 0.0),
    "sad": (-1.0, -0.8, -3.0, -5.0, -0.25, 2.0, 5.0, 0.3, -0.08, -0.25, 0.1),
    "angry": (3.0, 0.5, -3.0, 7.0, 0.15, -3.0, -3.0, 0.5, 0.18, 0.20, 0.0),
    "fearful": (5.0, -0.2, 1.0, 0.5, 0.25, 0.5, 3.0, 0.8, -0.03, -0.10, 0.6),
    "disgust": (-1.5, -0.1, -4.5, 0.5, -0.22, -0.5, 1.0, 0.9, 0.05, 0.05, 0.0),
    "surprised": (5.5, 1.0, 5.0, 2.5, -0.05, -0.7, 1.0, 0.0, 0.08, 0.05, 0.0),
}
EMOTIONS = tuple(PROFILES)
_TYPICAL = np.std(list(PROFILES.values()), axis=0)  # spread over emotions: the unit of the variations below

HABIT = 0.40  # how far a speaker's way of showing one emotion is from the profile
MOOD = 0.25  # how far one take is from the speaker's way
PERSON = 0.25  # how far a speaker's neutral manner is from the average

# Vowel formants of men (Peterson & Barney 1952, JASA 24(2), 175-184), Hz; the fourth is set.
VOWELS = {
    "i": (270, 2290, 3010, 3600),
    "e": (530, 1840, 2480, 3500),
    "a": (730, 1090, 2440, 3400),
    "o": (570, 840, 2410, 3300),
    "u": (300, 870, 2240, 3300),
}
_CENTRE = np.array([500.0, 1500.0, 2500.0, 3500.0])
_NASAL = np.array([250.0, 1200.0, 2300.0, 3400.0])
# Syllables of a consonant (m nasal, t stop, s fricative) and a vowel; capitals are stressed.
SENTENCES = {"a": ("ma", "TI", "so", "ME", "ta", "MU", "si"), "b": ("SE", "mo", "TA", "mi", "MU", "ta", "SO")}
TAKES = ("1", "2", "3")
_NEUTRAL_SECONDS = 1.9
_SHORTEST, _LONGEST = 1.5, 2.5


@dataclass(frozen=True)
class Speaker:
    """A voice: its own pitch, vocal tract and habits.

    Attributes
    ----------
    name, gender : str
    f0 : float
        Hz in neutral speech.
    tract : float
        Factor on all formants; a longer vocal tract has a smaller one.
    open_quotient : float
        Share of a cycle in which the glottis is open.
    ways : mapping of str to ndarray
        How this speaker shows each emotion: one value per manner, in the units of `MANNERS`.
    """

    name: str
    gender: str
    f0: float
    tract: float
    open_quotient: float
    ways: dict[str, np.ndarray]


def cast(seed: int) -> list[Speaker]:
    """Eight speakers, four women and four men, from a seed."""
    return [_speaker(f"{number:02d}", "f" if number % 2 else "m", seed) for number in range(1, 9)]


def act(speaker: Speaker, emotion: str, sentence: str, rng: np.random.Generator) -> Controls:
    """One take of a sentence in an emotion, as controls of the voice."""
    mood = MOOD * _TYPICAL * rng.standard_normal(len(MANNERS))
    manner = dict(zip(MANNERS, speaker.ways[emotion] + mood, strict=True))
    frames = _frames(manner["rate"])
    syllables = SENTENCES[sentence]
    bounds = _bounds(len(syllables), frames, rng)
    voicing, frication, targets = _articulate(syllables, bounds, frames)
    formants = _CENTRE + (targets - _CENTRE) * 2 ** manner["clarity"]
    formants[:, 0] *= 2 ** manner["opening"]
    accents = _accents(syllables, bounds, frames)
    return Controls(
        f0=speaker.f0 * 2 ** (_melody(manner, accents, frames, rng) / 12),
        voicing=voicing,
        frication=frication * 10 ** (-manner["tilt"] / 20),
        level=manner["level"] + 3 * accents + _drift(frames, 1.0, rng),
        formants=np.clip(_smooth(formants, 5) * speaker.tract, 150, 7000),
        tilt=max(0.0, 4 + manner["tilt"]),
        breath=-22 + manner["breath"],
        jitter=0.008 * 2 ** manner["jitter"],
        shimmer=0.05 * 2 ** manner["jitter"],
        open_quotient=float(np.clip(speaker.open_quotient + 0.02 * manner["breath"], 0.35, 0.85)),
    )


def _speaker(name: str, gender: str, seed: int) -> Speaker:
    rng = np.random.default_rng(seed_for(seed, "speaker", name))
    person = PERSON * _TYPICAL * rng.standard_normal(len(MANNERS))
    person[MANNERS.index("pitch")] = 0.0  # carried by f0
    person[MANNERS.index("tremor")] = 0.0
    expressive = np.clip(1 + 0.2 * rng.standard_normal(), 0.6, 1.4)
    ways = {}
    for emotion, profile in PROFILES.items():
        habit = HABIT * _TYPICAL * rng.standard_normal(len(MANNERS))
        ways[emotion] = person + (expressive * np.array(profile) + habit if emotion != "neutral" else np.array(profile))
    base, tract = (205.0, 1.16) if gender == "f" else (118.0, 1.0)
    return Speaker(
        name=name,
        gender=gender,
        f0=base * 2 ** (0.15 * rng.standard_normal()),
        tract=tract * 2 ** (0.05 * rng.standard_normal()),
        open_quotient=0.6 + 0.05 * rng.standard_normal(),
        ways=ways,
    )


def _frames(rate: float) -> int:
    seconds = np.clip(_NEUTRAL_SECONDS / 2**rate, _SHORTEST, _LONGEST)
    return int(np.floor(seconds * RATE / HOP))


def _bounds(syllables: int, frames: int, rng: np.random.Generator) -> np.ndarray:
    # 6 % of silence at the start, 8 % at the end
    lengths = rng.uniform(0.85, 1.15, syllables)
    lengths[-1] *= 1.3
    edges = np.concatenate([[0], np.cumsum(lengths)]) / lengths.sum()
    return np.round((0.06 + 0.86 * edges) * frames).astype(int)


def _articulate(
    syllables: tuple[str, ...], bounds: np.ndarray, frames: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    voicing, frication = np.zeros(frames), np.zeros(frames)
    targets = np.tile(_CENTRE, (frames, 1))
    for syllable, start, end in zip(syllables, bounds[:-1], bounds[1:], strict=True):
        consonant, vowel = syllable.lower()
        onset = start + max(2, round(0.35 * (end - start)))
        voicing[onset:end] = 1.0
        targets[start:end] = VOWELS[vowel]
        if consonant == "m":
            voicing[start:onset] = 0.35
            targets[start:onset] = _NASAL
        elif consonant == "s":
            frication[start:onset] = 1.0
        else:
            frication[onset - 2 : onset] = 0.8
    return _smooth(voicing, 3), _smooth(frication, 3), targets


def _accents(syllables: tuple[str, ...], bounds: np.ndarray, frames: int) -> np.ndarray:
    time = np.arange(frames)
    accents = np.zeros(frames)
    for syllable, start, end in zip(syllables, bounds[:-1], bounds[1:], strict=True):
        if syllable.isupper():
            accents += np.exp(-0.5 * ((time - (start + end) / 2) / (0.35 * (end - start))) ** 2)
    return accents


def _melody(manner: dict[str, float], accents: np.ndarray, frames: int, rng: np.random.Generator) -> np.ndarray:
    # semitones above the speaker's neutral pitch
    progress = np.linspace(-0.5, 0.5, frames)
    wave = np.sin(2 * np.pi * (6.5 * np.arange(frames) * HOP / RATE + rng.uniform()))
    moving = 2.5 * (accents - accents.mean()) + _drift(frames, 0.7, rng)
    trembling = max(0, manner["tremor"]) * wave
    return manner["pitch"] + 2 ** manner["range"] * moving + manner["slope"] * progress + trembling


def _drift(frames: int, size: float, rng: np.random.Generator) -> np.ndarray:
    knots = rng.standard_normal(8) * size
    return np.interp(np.linspace(0, 7, frames), np.arange(8), knots)


def _smooth(values: np.ndarray, width: int) -> np.ndarray:
    from scipy.ndimage import uniform_filter1d

    return uniform_filter1d(values, width, axis=0, mode="nearest")
