"""What is trained on, how often, and how strongly: every number of the training in one place."""

from collections import namedtuple

import numpy as np

import batches
from batches import Batches
from saturation import Saturation

SEED = 1
# Rows: whole words, pieces, rows shared by characters of other scripts.
WORDS, PIECES, SHARED_ROWS = 20_500, 2_200, 1_536
WIDTH = 384
BATCH = 2048
# How much a token counts that a text repeats: in the training, and in the finished model, where abstracts are better found with a little
# more.
TRAINED_SATURATION = Saturation(k1=2, b=0.75, average_tokens=100)
SATURATION = TRAINED_SATURATION._replace(k1=5)
# `teaching` is the strength of the teacher's similarities beside InfoNCE, `exact` the share of the steps before rows are read as
# four-bit numbers, `power` that by which the table is spread over its dimensions afterwards. The rate falls to nothing in
# each cycle; the second starts from the first's table with fresh Adam.
Cycle = namedtuple("Cycle", "steps rate teaching exact power")
CYCLES = (Cycle(1600, 0.1, 12, 1.0, 0.45), Cycle(1200, 0.05, 14, 0.4, 0.45))
# Beside the trained table stand rows distilled from the teacher, at this share of its strength; both are spread by this
# power, brought back to WIDTH, and trained on for a short cycle (as CYCLES says).
DISTILLED_SHARE, JOINED_POWER = 0.8, 0.3
# Each of LAST_DRAWS draws of pairs trains the joined table anew, and their mean is taken: one draw alone differs from the next by .002 in
# similarity and .01 on abstracts.
LAST_CYCLE, LAST_DRAWS = Cycle(300, 0.04, 14, 1.0, 0.45), 3
# How much stronger the teacher is in batches of everyday sentences, where it stands alone.
EVERYDAY = 5
# How often a kind of pair is drawn, relative to the others.
WEIGHTS = {
    "context": 3,
    "question": 2,
    "keywords": 2,
    "article": 3,
    "technical": 0.7,
    "medical": 0.7,
    "next": 1.5,
    "term": 2,
    "example": 1.5,
    "synonym": 1,
    "trivia": 0.5,
    "everyday": 2.5,
}


def recipe(pairs: Batches, vectors_of, teaching: float):
    """The draw of one training step: (name, batch, contrast, teaching)."""
    size = BATCH
    make = {
        "context": lambda: pairs.context(size),
        "question": lambda: pairs.question(size),
        "keywords": lambda: pairs.keywords(size),
        "article": lambda: pairs.heading(size, batches.ARTICLE),
        "technical": lambda: pairs.heading(size, batches.TECHNICAL),
        "medical": lambda: pairs.heading(size, batches.MEDICAL),
        "next": lambda: pairs.next_sentence(size),
        "term": lambda: pairs.pairs(size, batches.TERM),
        "example": lambda: pairs.pairs(size, batches.EXAMPLE),
        "synonym": lambda: pairs.pairs(size, batches.SYNONYM),
        "trivia": lambda: pairs.pairs(size, batches.TRIVIA),
        "everyday": lambda: pairs.everyday_sentences(size, vectors_of),
    }
    names = list(WEIGHTS)
    chances = np.array([WEIGHTS[name] for name in names], dtype=np.float64)
    chances /= chances.sum()

    def draw(step):
        pairs.at_step(step)
        name = names[pairs.random.choice(len(names), p=chances)]
        if name == "everyday":
            return name, make[name](), 0, teaching * EVERYDAY
        return name, make[name](), 1, teaching

    return draw
