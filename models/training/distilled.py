"""The teacher's vectors as rows of our own: a table trained so that a text's vector points where the teacher's does."""

import numpy as np
import torch

from batches import Texts, offsets_of, ranges
from contrastive import WARM_UP, Bags, Table
from encoded import Encoded
from initial_table import SIF
from recipe import TRAINED_SATURATION

STEPS = 600
RATE = 0.1
SENTENCES = 2048
# A sentence shorter than this is a heading, one that is longer hardly tells one word from another.
SHORTEST, LONGEST = 3, 64


def distilled_table(encoded: Encoded, teacher: torch.Tensor, vocabulary: dict, seed: int) -> np.ndarray:
    """One row a token, as wide as the teacher. A step reads sentences of the training data and tokens alone, and turns
    their vectors towards the teacher's. Rows of other scripts are zero, for the teacher has nothing to say about them, and
    so are those that stand for no text."""
    rows, width = teacher.shape
    generator = np.random.default_rng(seed)
    counts = np.bincount(encoded.tokens, minlength=rows)
    weight = SIF / (SIF + counts / counts.sum())
    table = Table((0.3 * weight[:, None] * generator.standard_normal((rows, width))).astype(np.float32))
    lengths = np.diff(encoded.starts)
    sentences = np.flatnonzero((lengths >= SHORTEST) & (lengths <= LONGEST))
    alone = generator.permutation(rows)
    for step in range(STEPS):
        chosen = generator.choice(sentences, SENTENCES)
        single = alone[np.arange(step * SENTENCES, (step + 1) * SENTENCES) % rows]
        words = encoded.tokens[ranges(encoded.starts[chosen], lengths[chosen])].astype(np.int64)
        tokens = np.concatenate((words, single))
        texts = Texts(tokens, offsets_of(np.concatenate((lengths[chosen], np.ones(SENTENCES, dtype=np.int64)))))
        used = np.unique(tokens)
        places = np.zeros(rows, dtype=np.int64)
        places[used] = np.arange(len(used))
        used = torch.from_numpy(used)
        ours, theirs = Bags(table.rows[used], places, texts, TRAINED_SATURATION), Bags(teacher[used], places, texts)
        rate = RATE * min((step + 1) / WARM_UP, 1 - step / STEPS)
        table.update(used, ours.gradient(-theirs.units), rate)
        if step % 100 == 0 or step + 1 == STEPS:
            cosine = float((ours.units * theirs.units).sum(1).mean())
            print(f"distilling, step {step + 1}: cosine {cosine:.4f}", flush=True)
    fitted = table.rows.numpy()
    fitted[[row for token, row in vocabulary.items() if not (token.isascii() and token.isalnum())]] = 0
    return fitted
