"""Cards of the usual pre-trained encoders: what each is, and whether a corpus was among its training data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Overlap = Literal["yes", "no", "unknown"]
# The corpora whose audio the sources on the cards were compared with; of any other nothing is known.
COMPARED = frozenset(
    {
        *("aesdd", "cafe", "cremad", "emodb", "emovo", "esd", "iemocap", "jl_corpus", "mesd", "nemo"),
        *("ravdess_song", "ravdess_speech", "savee", "shemo", "subesco", "synthetic", "tess", "turev"),
    }
)


@dataclass(frozen=True)
class EncoderCard:
    """What is published of an encoder.

    Attributes
    ----------
    model : str
        ``owner/name`` on the hub; the part behind the slash is its short name.
    architecture : str
        `model_type` in its configuration.
    parameters : int
        Millions, as its paper counts them; of Whisper the decoder included.
    training : str
        What it was trained on, hours included.
    languages : str
    hidden, layers : int
        Values of a frame, and blocks; layers are numbered from 0 (what enters the first block).
    pretrained : {"speech", "emotion"}
        Whether its training saw labels of emotion.
    corpora : frozenset of str
        Corpora (by their names here) whose audio it was trained on.
    named : bool
        Whether all sources of its training data are published; if not, an overlap can be neither seen nor ruled out.
    revision : str
        The commit on the hub that `serbench weights get` takes; empty: none is known that holds safetensors.
    rate : int
        Hz.
    """

    model: str
    architecture: str
    licence: str
    parameters: int
    training: str
    languages: str
    hidden: int
    layers: int
    pretrained: Literal["speech", "emotion"] = "speech"
    corpora: frozenset[str] = frozenset()
    named: bool = True
    revision: str = ""
    rate: int = 16_000

    @property
    def short(self) -> str:
        """Name without its owner."""
        return self.model.partition("/")[2]

    def overlap(self, corpora: Iterable[str]) -> Overlap:
        """Whether the training data hold audio of any of these corpora."""
        corpora = set(corpora)
        if corpora & self.corpora:
            return "yes"
        return "no" if self.named and corpora <= COMPARED else "unknown"


_LIBRISPEECH = "LibriSpeech (960 h)"
_WAVLM = "Libri-Light (60,000 h), GigaSpeech (10,000 h), VoxPopuli (24,000 h)"
_WAVLM_LICENCE = "CC BY-SA 3.0"
_WHISPER_LICENCE = "Apache-2.0 on the hub, MIT in its repository"
CARDS = (
    EncoderCard("facebook/wav2vec2-base", "wav2vec2", "Apache-2.0", 95, _LIBRISPEECH, "English", 768, 12),
    EncoderCard(
        "facebook/wav2vec2-xls-r-300m", "wav2vec2", "Apache-2.0", 317,
        "VoxPopuli, MLS, Common Voice, VoxLingua107, BABEL (436,000 h)", "128 languages", 1024, 24,
    ),
    EncoderCard(
        "jonatasgrosman/wav2vec2-large-xlsr-53-english", "wav2vec2", "Apache-2.0", 317,
        "MLS, Common Voice, BABEL (56,000 h); then transcripts of Common Voice", "53 languages, then English", 1024, 24,
    ),
    EncoderCard("facebook/hubert-base-ls960", "hubert", "Apache-2.0", 95, _LIBRISPEECH, "English", 768, 12),
    EncoderCard(
        "facebook/hubert-large-ll60k", "hubert", "Apache-2.0", 317, "Libri-Light (60,000 h)", "English", 1024, 24
    ),
    EncoderCard("microsoft/wavlm-base-plus", "wavlm", _WAVLM_LICENCE, 95, _WAVLM, "English", 768, 12),
    EncoderCard("microsoft/wavlm-large", "wavlm", _WAVLM_LICENCE, 317, _WAVLM, "English", 1024, 24),
    EncoderCard("facebook/data2vec-audio-base", "data2vec-audio", "Apache-2.0", 93, _LIBRISPEECH, "English", 768, 12),
    EncoderCard(
        "openai/whisper-small", "whisper", _WHISPER_LICENCE, 244,
        "680,000 h from the web with transcripts, sources not published", "99 languages", 768, 12,
        named=False, revision="973afd24965f72e36ca33b3055d56a652f456b4d",
    ),
    EncoderCard(
        "openai/whisper-large-v3", "whisper", _WHISPER_LICENCE, 1550,
        "1,000,000 h from the web with transcripts, 4,000,000 h transcribed by its predecessor, sources not published",
        "100 languages", 1280, 32,
        named=False, revision="06f233fe06e710322aca913c1bc4249a0d71fce1",
    ),
    EncoderCard(
        "audeering/wav2vec2-large-robust-12-ft-emotion-msp-dim", "wav2vec2", "CC BY-NC-SA 4.0", 165,
        "Libri-Light, Common Voice, Switchboard, Fisher; then arousal, dominance and valence of MSP-Podcast", "English",
        1024, 12, pretrained="emotion",
    ),
)  # fmt: skip
# What cannot be loaded with transformers from safetensors, and why.
UNSUPPORTED = {
    "emotion2vec": "its weights are a pickled checkpoint of FunASR, its architecture is not in transformers",
}


def find_card(model: str) -> EncoderCard | None:
    """The card of a model by its name on the hub or its short name; None for any other."""
    return next((card for card in CARDS if model in (card.model, card.short)), None)


def unsupported(model: str) -> str:
    """Why a model that is known by name cannot be used; empty for any other."""
    name = model.rpartition("/")[2].lower()
    return next((why for known, why in UNSUPPORTED.items() if name.startswith(known)), "")
