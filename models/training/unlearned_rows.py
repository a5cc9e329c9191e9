"""Gives the rows of other scripts, which the training hardly sees, a length: they only have to tell texts apart."""

import numpy as np

SELDOM = 20
# A single letter of an alphabet says little: it is what is left over when a word is cut into pairs of letters.
LETTER = 0.3


def settle_unlearned_rows(rows: np.ndarray, counts: np.ndarray, vocabulary: dict) -> np.ndarray:
    """The table with every seldom seen row of another script as long as an ordinary word's row."""
    rows = rows.copy()
    lengths = np.linalg.norm(rows, axis=1)
    ordinary = np.median(lengths[(counts >= 100) & (counts < 1000)])
    shared = np.bincount(list(vocabulary.values()), minlength=len(rows)) > 1
    for token, row in vocabulary.items():
        if token.isascii() or counts[row] >= SELDOM or lengths[row] == 0:
            continue
        letter = len(token) == 1 and not shared[row] and not "\u3041" <= token <= "\u30ff"
        rows[row] *= ordinary * (LETTER if letter else 1) / np.linalg.norm(rows[row])
    return rows
