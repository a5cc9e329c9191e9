"""Rows as four-bit integers with one scale each: what is shipped.

Three things keep the loss small, none of which changes the format: the table is turned at random first, so that no
column is larger than another; all sixteen levels are used, the scale being negative where the largest number is
positive; and the error of each column is made good in the columns after it, as far as texts can tell (the rounding of
GPTQ: Frantar and others, 2022).
"""

import numpy as np

DAMPING = 0.03


def turned(table: np.ndarray, seed: int) -> np.ndarray:
    """The table in other axes, at random: all cosines stay."""
    generator = np.random.default_rng(seed)
    axes, signs = np.linalg.qr(generator.standard_normal((table.shape[1], table.shape[1])))
    return (table @ (axes * np.sign(np.diag(signs)))).astype(np.float32)


def _nearest(table: np.ndarray, scales: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(table / scales[:, None]), -8, 7)


def best_scales(table: np.ndarray) -> np.ndarray:
    """The scale of each row with the least squared error of plain rounding, of 50 tried; 0 for a row of zeros."""
    largest = np.abs(table).max(axis=1)
    at = np.abs(table).argmax(axis=1)
    sign = -np.sign(table[np.arange(len(table)), at])
    scales = np.zeros(len(table), dtype=np.float32)
    best = np.full(len(table), np.inf, dtype=np.float32)
    for direction in (1, -1):
        for clip in np.linspace(0.4, 1.0, 25, dtype=np.float32):
            scale = np.where(largest > 0, largest * clip / 7.5, 1) * np.where(sign == 0, 1, sign) * direction
            error = np.square(_nearest(table, scale) * scale[:, None] - table).sum(axis=1)
            better = error < best
            best[better] = error[better]
            scales[better] = scale[better]
    scales[largest == 0] = 0
    return scales


def quantize(table: np.ndarray, counts: np.ndarray | None = None) -> tuple:
    """(integers in -8..7, scales): symmetric per row. `counts` says how often each row occurs in texts; without them
    all rows count alike."""
    scales = best_scales(table)
    usable = np.where(scales == 0, 1, scales)
    share = np.full(len(table), 1 / len(table)) if counts is None else counts / counts.sum()
    # What a row's error does to the similarity with a text: the second moments of what texts are made of.
    moments = (table * share[:, None]).T.astype(np.float64) @ table
    moments += DAMPING * np.trace(moments) / len(moments) * np.eye(len(moments))
    # Row j of this triangle says how an error in column j is best spread over the columns after it.
    triangle = np.linalg.cholesky(np.linalg.inv(moments)).T
    rest = table.astype(np.float64)
    integers = np.zeros(table.shape, dtype=np.int8)
    for column in range(table.shape[1]):
        chosen = np.clip(np.rint(rest[:, column] / usable), -8, 7)
        integers[:, column] = chosen
        error = (rest[:, column] - chosen * usable) / triangle[column, column]
        rest[:, column + 1 :] -= error[:, None] * triangle[column, column + 1 :]
    integers[scales == 0] = 0
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
