"""TIM-Net: temporal blocks in both directions of time, with a learned fusion of their scales: the network of claim P6.

J. Ye, X. Wen, Y. Wei, Y. Xu, K. Liu, H. Shan (2023), Temporal modeling matters: a novel temporal emotional modeling
approach for speech emotion recognition, ICASSP; layers as in `Code/TIMNET.py` and `Code/Model.py` of github.com/
Jiaxin-Ye/TIM-Net_SER.
"""

from __future__ import annotations

from serbench.models.deep.network_spec import network_spec

PARAMS = {
    # As published: Adam at 0.001, batches of 64, labels smoothed by 0.1. They train 500 epochs at a constant rate.
    "epochs": 100,
    "patience": 100,
    "learning_rate": 1e-3,
    "batch_size": 64,
    "weight_decay": 0.0,
    "label_smoothing": 0.1,
    "class_weight": None,
    # 5 s around the middle, as frames of 32 ms; theirs are of 23 ms, of 4.4 s (EMO-DB), 5 s (RAVDESS), 5.9 s (SAVEE).
    "max_frames": 312,
    "pool": 2,
    "frames": 156,
    "coefficients": 39,
    "filters": 39,
    "kernel": 2,
    "blocks": 8,
    "dropout": 0.1,
}


def network(sequence, valid, *, n_classes, frames, coefficients, filters, kernel, blocks, dropout):
    """Gated causal blocks of dilation 1, 2, 4, ... forwards and backwards; the mean of each over time, weighted."""
    import keras

    from serbench.models.deep.fixed import FixedLength

    # The first 39 of 40 MFCC are the 39 MFCC of the same frame.
    x = FixedLength(frames)(sequence)[..., :coefficients]
    forward = keras.layers.Conv1D(filters, 1)(x)
    backward = keras.layers.Conv1D(filters, 1)(keras.ops.flip(x, axis=1))
    scales = []
    for block in range(blocks):
        forward, backward = (_aware(side, filters, kernel, 2**block, dropout) for side in (forward, backward))
        scales.append(keras.layers.GlobalAveragePooling1D()(keras.layers.Add()([forward, backward])))
    fused = keras.layers.Dense(1, use_bias=False, kernel_initializer="random_uniform", name="fusion")(
        keras.ops.stack(scales, axis=-1)
    )
    return keras.layers.Dense(n_classes)(keras.layers.Flatten()(fused))


def _aware(x, filters: int, kernel: int, dilation: int, dropout: float):
    """Two causal convolutions, whose output says how much of the input passes."""
    import keras

    from serbench.models.deep.fixed import CausalConvolution
    from serbench.models.deep.layers import ChannelDropout, MaskedNormalization

    gate = x
    for _ in range(2):
        gate = CausalConvolution(filters, kernel, dilation)(gate)
        gate = keras.layers.ReLU()(MaskedNormalization(momentum=0.99)(gate))
        gate = ChannelDropout(dropout)(gate)
    return x * keras.ops.sigmoid(gate)


CARD = {"features": ("mfcc_sequence",)}

TIM_NET = network_spec(
    "tim_net",
    network,
    PARAMS,
    **CARD,
    description="published P6, TIM-Net: gated dilated convolutions in both directions, scales fused by learned weights",
)

TIM_NET_FIXED = network_spec(
    "tim_net_fixed",
    network,
    PARAMS,
    **CARD,
    validation=False,
    description="tim_net for all its epochs on the whole training part, as its authors' corrected code does",
)
