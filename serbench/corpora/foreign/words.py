"""Words and codes by which corpora of several languages name emotions."""

from __future__ import annotations

_WORDS = {
    "angry": "angry anger ang ira irato wut wütend ärger aerger colère colere rabbia raiva enojo öfke ofke kızgın boos",
    "bored": "bored boredom bor langeweile",
    "calm": "calm cal ruhig calma",
    "contempt": "contempt contemptuous",
    "disgust": "disgust disgusted dis ekel dégoût degout disgusto asco nojo iğrenme",
    "excited": "excited excitement exc",
    "fearful": "fear fearful fea afraid scared angst peur paura miedo medo korku anxiety anxious",
    "frustrated": "frustrated frustration fru",
    "happy": "happy happiness hap joy joyful freude glücklich joie gioia felicità felicidad alegria alegría mutlu blij",
    "neutral": "neutral neu neutro neutralité neutralidad neutrality nötr notr",
    "sad": "sad sadness trauer traurig tristesse triste tristezza tristeza üzgün uzgun verdriet",
    "surprised": "surprise surprised sur überraschung surpris sorpresa surpresa şaşkın ps",
}
_EMOTIONS = {word: emotion for emotion, words in _WORDS.items() for word in words.split()}


def emotion_of(value: str) -> str:
    """The emotion that a word or a code of three letters names; empty where it names none.

    Single letters and numbers are left alone: A is anger in one corpus and fear (Angst) in the next.

    Examples
    --------
    >>> emotion_of("Freude"), emotion_of("ANG"), emotion_of("pleasant_surprise"), emotion_of("kitchen")
    ('happy', 'angry', 'surprised', '')
    """
    word = value.strip().casefold()
    last = word.replace("-", "_").replace(" ", "_").rpartition("_")[2]
    return _EMOTIONS.get(word) or (_EMOTIONS.get(last, "") if word.startswith("pleasant") else "")


def codes_for(values: list[str]) -> dict[str, str]:
    """Values that name an emotion in another word than serbench's own -> that word."""
    return {value: emotion for value in values if (emotion := emotion_of(value)) and emotion != value}
