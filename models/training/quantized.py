"""Rows as four-bit integers with one scale each: what is shipped."""

import numpy as np


def quantize(table: np.ndarray) -> tuple:
    """(integers in -7..7, scales): symmetric per row; of several clipping points the one with the least error."""
    scales = np.zeros(len(table), dtype=np.float32)
    integers = np.zeros(table.shape, dtype=np.int8)
    largest = np.abs(table).max(axis=1)
    best = np.full(len(table), np.inf, dtype=np.float32)
    for clip in np.linspace(0.4, 1.0, 25, dtype=np.float32):
        scale = np.maximum(largest * clip / 7, 1e-12)[:, None]
        candidate = np.clip(np.rint(table / scale), -7, 7)
        error = np.square(candidate * scale - table).sum(axis=1)
        better = error < best
        best[better] = error[better]
        scales[better] = scale[better, 0]
        integers[better] = candidate[better].astype(np.int8)
    scales[largest == 0] = 0
    return integers, scales


def pack(integers: np.ndarray) -> np.ndarray:
    """Two columns a byte: the even one in the low nibble, each stored as value + 8."""
    nibbles = (integers + 8).astype(np.uint8)
    return nibbles[:, 0::2] | (nibbles[:, 1::2] << 4)


def unpack(packed: np.ndarray) -> np.ndarray:
    """The integers of packed rows."""
    integers = np.empty((packed.shape[0], packed.shape[1] * 2), dtype=np.int8)
    integers[:, 0::2] = (packed & 15).astype(np.int8) - 8
    integers[:, 1::2] = (packed >> 4).astype(np.int8) - 8
    return integers
