"""Tiny encoders with random weights, saved as the real ones are: one of each architecture."""

from __future__ import annotations

from pathlib import Path

ARCHITECTURES = ("wav2vec2", "hubert", "wavlm", "data2vec-audio", "whisper")
LAYERS, HIDDEN = 3, 16


def save_encoder(folder: Path, architecture: str = "wav2vec2", *, seed: int = 0, **settings) -> Path:
    """Write configuration, preprocessor and safetensors of a new encoder; `settings` go into the configuration."""
    import torch
    import transformers

    transformers.utils.logging.disable_progress_bar()
    torch.manual_seed(seed)
    if architecture == "whisper":
        settings = {"max_source_positions": 100, **settings}
        sides = {f"{side}_{name}": 2 for side in ("encoder", "decoder") for name in ("attention_heads", "ffn_dim")}
        tokens = dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id"), 1)
        config = transformers.WhisperConfig(
            d_model=HIDDEN, encoder_layers=LAYERS, decoder_layers=1, vocab_size=4, **sides, **tokens, **settings
        )
        # Two seconds at once.
        preprocessor = transformers.WhisperFeatureExtractor(chunk_length=2)
        model = transformers.WhisperModel(config)
    else:
        name = {"wav2vec2": "Wav2Vec2", "hubert": "Hubert", "wavlm": "WavLM"}.get(architecture, "Data2VecAudio")
        config = getattr(transformers, f"{name}Config")(
            hidden_size=HIDDEN, num_hidden_layers=LAYERS, num_attention_heads=2, intermediate_size=24,
            conv_dim=(8,) * 7, num_conv_pos_embedding_groups=2, **settings,
        )  # fmt: skip
        preprocessor = transformers.Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=True)
        model = getattr(transformers, f"{name}Model")(config)
    model.save_pretrained(folder)
    preprocessor.save_pretrained(folder)
    return folder
