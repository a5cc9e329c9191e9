"""Draws training pairs: two texts that belong together, many of them from neighbouring paragraphs of one article, so
that a text has to be told from those most like it."""

from collections import namedtuple

import numpy as np

from encoded import ARTICLE, EXAMPLE, MEDICAL, SYNONYM, TECHNICAL, TERM, TRIVIA, Encoded

# Texts as runs of tokens: text i is tokens[offsets[i]:offsets[i + 1]].
Texts = namedtuple("Texts", "tokens offsets")
# Pairs with equal keys are not held against each other.
Batch = namedtuple("Batch", "left right keys")

LONGEST = 128
NEIGHBOURS = 16


def ranges(first: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """first[0], first[0] + 1 ... for every range in turn."""
    ends = np.cumsum(lengths)
    return np.repeat(first - (ends - lengths), lengths) + np.arange(ends[-1] if len(ends) else 0)


def offsets_of(lengths: np.ndarray) -> np.ndarray:
    return np.concatenate(([0], np.cumsum(lengths)))


class Batches:
    """An endless, seeded supply of batches by kind."""

    def __init__(self, encoded: Encoded, rows: int, seed: int):
        self.encoded = encoded
        self.seed = seed
        self.at_step(0)
        counts = np.bincount(encoded.tokens, minlength=rows)
        share = counts / counts.sum()
        # How likely a word is to be typed as a keyword: rare words more, words like "the" hardly ever.
        self.keyword_weight = (1e-4 / (1e-4 + share)).astype(np.float32)
        kind = encoded.paragraph_kind
        length = encoded.starts[encoded.paragraph_end] - encoded.starts[encoded.paragraph_first]
        sentences = encoded.paragraph_end - encoded.paragraph_first
        prose = np.isin(kind, (ARTICLE, TECHNICAL, MEDICAL)) & (length >= 16)
        self.contexts = np.flatnonzero(prose & (sentences >= 2))
        self.passages = np.flatnonzero(prose & (length >= 24))
        titled = (length >= 12) & (encoded.paragraph_title >= 0)
        lengths = np.diff(encoded.starts)
        in_prose = np.zeros(len(lengths) + 1, dtype=np.int64)
        np.add.at(in_prose, encoded.paragraph_first, 1)
        np.add.at(in_prose, encoded.paragraph_end, -1)
        short = np.flatnonzero((np.cumsum(in_prose[:-1]) > 0) & (lengths >= 4) & (lengths <= 24))
        own = encoded.everyday[lengths[encoded.everyday] >= 3]
        # Dictionary examples and quiz questions, and about as many sentences of running prose, most of them from books.
        self.everyday = np.concatenate((own, self.random.choice(short, min(len(own), len(short)), replace=False)))
        self.titled = {k: np.flatnonzero(titled & (kind == k)) for k in (ARTICLE, TECHNICAL, MEDICAL)}
        self.paired = {k: np.flatnonzero(encoded.pair_kind == k) for k in (TERM, EXAMPLE, SYNONYM, TRIVIA)}

    def at_step(self, step: int) -> None:
        """Makes the next draws those of this step, whatever was drawn before: a stopped run can go on anywhere."""
        self.random = np.random.default_rng((self.seed, step))

    def _blocks(self, candidates: np.ndarray, size: int, run: int) -> np.ndarray:
        """`size` candidates as runs of neighbours."""
        runs = -(-size // run)
        first = self.random.integers(0, max(1, len(candidates) - run), runs)
        return np.unique(candidates[(first[:, None] + np.arange(run)).ravel() % len(candidates)])

    def _sentences(self, numbers: np.ndarray) -> Texts:
        first = self.encoded.starts[numbers]
        lengths = self.encoded.starts[numbers + 1] - first
        return Texts(self.encoded.tokens[ranges(first, lengths)], offsets_of(lengths))

    def _window(self, paragraphs: np.ndarray, around=None) -> tuple:
        """(first token, length) of at most LONGEST tokens of each paragraph, holding the token `around`."""
        first = self.encoded.starts[self.encoded.paragraph_first[paragraphs]]
        lengths = self.encoded.starts[self.encoded.paragraph_end[paragraphs]] - first
        spare = np.maximum(lengths - LONGEST, 0)
        shift = (self.random.random(len(paragraphs)) * (spare + 1)).astype(np.int64)
        if around is not None:
            shift = np.clip(shift, around - first - LONGEST + 48, around - first)
        return first + np.clip(shift, 0, spare), np.minimum(lengths, LONGEST)

    def _keep(self, texts: Texts, keep: np.ndarray) -> Texts:
        """The texts without the tokens not kept; a text that would be empty keeps its first."""
        keep = keep.copy()
        counts = np.add.reduceat(keep, texts.offsets[:-1])
        keep[texts.offsets[:-1][counts == 0]] = True
        lengths = np.add.reduceat(keep.astype(np.int64), texts.offsets[:-1])
        return Texts(texts.tokens[keep], offsets_of(lengths))

    def _drop_words(self, texts: Texts, share: float) -> Texts:
        """Half of the texts lose about `share` of their words: a query says only a part."""
        lengths = np.diff(texts.offsets)
        rate = np.repeat((self.random.random(len(lengths)) < 0.5) * share, lengths)
        return self._keep(texts, self.random.random(len(texts.tokens)) >= rate)

    def context(self, size: int, drop: float = 0.8, lost: float = 0.4) -> Batch:
        """A sentence and its paragraph, most often without the sentence."""
        paragraphs = self._blocks(self.contexts, size, NEIGHBOURS)
        encoded = self.encoded
        count = encoded.paragraph_end[paragraphs] - encoded.paragraph_first[paragraphs]
        chosen = encoded.paragraph_first[paragraphs] + (self.random.random(len(paragraphs)) * count).astype(np.int64)
        left = self._drop_words(self._sentences(chosen), lost)
        start, end = encoded.starts[chosen], encoded.starts[chosen + 1]
        first, lengths = self._window(paragraphs, start)
        places = ranges(first, lengths)
        out = self.random.random(len(paragraphs)) < drop
        hidden = (places >= np.repeat(start, lengths)) & (places < np.repeat(end, lengths)) & np.repeat(out, lengths)
        right = self._keep(Texts(encoded.tokens[places], offsets_of(lengths)), ~hidden)
        return Batch(left, right, paragraphs)

    def question(self, size: int) -> Batch:
        """Some words of a sentence, as a question would use them, and the paragraph with the sentence."""
        return self.context(size, 0.0, 0.6)

    def keywords(self, size: int) -> Batch:
        """Two to eight telling words and the passage they come from."""
        paragraphs = self._blocks(self.passages, size, NEIGHBOURS)
        first, lengths = self._window(paragraphs)
        right = Texts(self.encoded.tokens[ranges(first, lengths)], offsets_of(lengths))
        wanted = self.random.integers(2, 9, len(paragraphs))
        weight = self.keyword_weight[right.tokens]
        total = np.add.reduceat(weight, right.offsets[:-1])
        chance = weight * np.repeat(wanted / np.maximum(total, 1e-9), lengths)
        return Batch(self._keep(right, self.random.random(len(chance)) < chance), right, paragraphs)

    def heading(self, size: int, kind: int) -> Batch:
        """A title with its heading and a passage below them."""
        paragraphs = self._blocks(self.titled[kind], size, NEIGHBOURS if kind == ARTICLE else 4)
        title = self.encoded.paragraph_title[paragraphs]
        heading = self.encoded.paragraph_heading[paragraphs]
        # An absent heading is an empty range; a title is sometimes left out where a heading stands.
        titles, headings = self._sentences(title), self._sentences(np.maximum(heading, 0))
        title_lengths = np.diff(titles.offsets) * ((heading < 0) | (self.random.random(len(title)) < 0.8))
        heading_lengths = np.diff(headings.offsets) * (heading >= 0)
        starts = np.stack((self.encoded.starts[title], self.encoded.starts[np.maximum(heading, 0)]), axis=1).ravel()
        lengths = np.stack((title_lengths, heading_lengths), axis=1)
        left = Texts(self.encoded.tokens[ranges(starts, lengths.ravel())], offsets_of(lengths.sum(axis=1)))
        first, lengths = self._window(paragraphs)
        right = Texts(self.encoded.tokens[ranges(first, lengths)], offsets_of(lengths))
        return Batch(left, right, title * 1_000_003 + heading)

    def next_sentence(self, size: int) -> Batch:
        """Two sentences that follow each other."""
        paragraphs = self._blocks(self.contexts, size, 2)
        count = self.encoded.paragraph_end[paragraphs] - self.encoded.paragraph_first[paragraphs] - 1
        step = (self.random.random(len(paragraphs)) * count).astype(np.int64)
        first = self.encoded.paragraph_first[paragraphs] + step
        return Batch(self._sentences(first), self._sentences(first + 1), paragraphs)

    def everyday_sentences(self, size: int, vectors_of) -> Batch:
        """Sentences and, to the right of each, one like it: a close neighbour in a large random draw under the teacher
        (`vectors_of`), or itself with words lost or exchanged. For the teacher's similarities only."""
        pool = self.random.choice(self.everyday, 8 * size, replace=False)
        vectors = vectors_of(self._sentences(pool))
        similarity = vectors[:size] @ vectors.T
        similarity[np.arange(size), np.arange(size)] = -1
        near = np.argpartition(-similarity, 4, axis=1)[:, :4]
        other = pool[near[np.arange(size), self.random.integers(0, 4, size)]]
        own = self.random.random(size) < 0.3
        left = self._sentences(pool[:size])
        right = self._sentences(np.where(own, pool[:size], other))
        lengths = np.diff(right.offsets)
        changed = (self.random.random(len(right.tokens)) < 0.25) & np.repeat(own, lengths)
        tokens = right.tokens.copy()
        source = self._sentences(self.random.choice(self.everyday, size)).tokens
        tokens[changed] = self.random.choice(source, int(changed.sum()))
        return Batch(left, self._drop_words(Texts(tokens, right.offsets), 0.15), pool[:size])

    def pairs(self, size: int, kind: int) -> Batch:
        """Pairs of a dictionary, or of a quiz."""
        chosen = self.paired[kind][self.random.integers(0, len(self.paired[kind]), size)]
        left, right = self.encoded.pair_left[chosen], self.encoded.pair_right[chosen]
        return Batch(self._sentences(left), self._sentences(right), self.encoded.pair_group[chosen])
