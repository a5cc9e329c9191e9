"""Joins two tables over the same tokens: the similarity of two texts becomes about the weighted mean of both."""

import numpy as np

from spreading import spread


def joined(first: np.ndarray, second: np.ndarray, share: float, counts: np.ndarray, power: float) -> np.ndarray:
    """Columns of both side by side, `second` at `share` of the strength of `first` in texts, spread by `power` and
    brought back to the width of `first` by its principal directions. `counts` says how often each row occurs."""
    frequency = (counts / counts.sum()).astype(np.float32)[:, None]

    def strength(table: np.ndarray) -> float:
        return np.sqrt((frequency * np.square(table)).sum())

    both = np.concatenate((first, second * (share * strength(first) / strength(second))), axis=1)
    both = spread(both.astype(np.float32), counts, power)
    _, _, directions = np.linalg.svd(both * np.sqrt(frequency), full_matrices=False)
    kept = both @ directions[: first.shape[1]].T
    return (kept / kept.std()).astype(np.float32)
