"""How much a token that a text repeats counts: the saturation of BM25 (Robertson and Zaragoza, The Probabilistic Relevance
Framework, 2009), with a fixed number of tokens in the place of the mean length of a collection."""

from collections import namedtuple

import numpy as np

# A token that occurs c times in a text of n tokens counts c / (c + k1 * (1 - b + b * n / average_tokens)).
Saturation = namedtuple("Saturation", "k1 b average_tokens")


def occurrence_weights(tokens: np.ndarray, offsets: np.ndarray, saturation: Saturation) -> np.ndarray:
    """What each occurrence adds, where text t is tokens[offsets[t]:offsets[t + 1]]: the weight of its token, shared by
    the occurrences of that token in the text."""
    lengths = np.diff(offsets)
    texts = np.repeat(np.arange(len(lengths)), lengths)
    _, distinct, counts = np.unique(texts * (int(tokens.max(initial=0)) + 1) + tokens, return_inverse=True, return_counts=True)
    start = saturation.k1 * (1 - saturation.b + saturation.b * lengths / saturation.average_tokens)
    return (1 / (counts[distinct] + start[texts])).astype(np.float32)
