"""Spreads the table over its dimensions: training leaves most of what texts say in few directions."""

import numpy as np


def spread(table: np.ndarray, counts: np.ndarray, power: float) -> np.ndarray:
    """The table with every principal direction of the training's tokens scaled by its strength to the power -`power`
    (0: unchanged, 1: all directions equally strong), turned back to its own axes and to the same overall size."""
    share = (counts / counts.sum()).astype(np.float32)
    _, strengths, directions = np.linalg.svd(table * np.sqrt(share)[:, None], full_matrices=False)
    scaled = (table @ directions.T) * (strengths / strengths[0]) ** -power @ directions
    return (scaled * (table.std() / scaled.std())).astype(np.float32)
