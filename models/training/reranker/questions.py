"""Questions with the passages that answer them, and with passages that look as if they did: what the reranker learns from.

Articles have no questions, so questions are made of them: a sentence without the words that answer, shortened, some words lost and
some exchanged for similar ones (after Lewis et al. 2019, unsupervised question answering by cloze translation). Quiz questions get the
passage that contains their answer (distant supervision, after Joshi et al. 2017). Medical questions and headings have theirs.
"""

import re
import sys
from collections import namedtuple
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from corpus import TrainingData  # noqa: E402

# Token ids of a question, the passage that answers it, and passages that words find for it which do not.
Example = namedtuple("Example", "question passage others")

SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9\"(])")
NUMBER = re.compile(r"^\W*\d[\d,.]*\w*\W*$")
MAX_PASSAGE, MAX_QUESTION = 160, 24
OTHERS = 12


def cloze(sentence: str, random) -> str:
    """A question that the sentence answers: empty where the sentence is too short."""
    words = sentence.split()
    if len(words) < 7:
        return ""
    numbers = [place for place, word in enumerate(words) if NUMBER.match(word)]
    names = [place for place, word in enumerate(words) if place > 0 and word[:1].isupper()]
    kind = random.random()
    if numbers and kind < 0.35:
        start = int(random.choice(numbers))
        year = re.search(r"\b1\d{3}\b|\b20\d{2}\b", words[start])
        asked, end = ("when" if year else "how many"), start + 1
    elif names and kind < 0.75:
        start = int(random.choice(names))
        end = start + 1
        while end < len(words) and words[end][:1].isupper():
            end += 1
        asked = str(random.choice(["who", "what", "which", "where"], p=[0.35, 0.35, 0.15, 0.15]))
    else:
        start = int(random.integers(0, len(words) - 2))
        end = start + int(random.integers(1, 4))
        asked = str(random.choice(["what", "how", "why", "what is"], p=[0.6, 0.15, 0.1, 0.15]))
    reach = int(random.integers(4, 11))
    first, last = max(0, start - reach), min(len(words), end + reach)
    return " ".join([asked, *words[first:start], *words[end:last]])


class Passages:
    """Passages as tokens, found by BM25."""

    def __init__(self, tokens: list, vocabulary: int):
        self.tokens = tokens
        lengths = np.array([len(own) for own in tokens], dtype=np.float32)
        rows = np.repeat(np.arange(len(tokens)), [len(own) for own in tokens])
        counts = csr_matrix((np.ones(len(rows), np.float32), (rows, np.concatenate(tokens))), (len(tokens), vocabulary))
        counts.sum_duplicates()
        self.document_counts = np.bincount(counts.indices, minlength=vocabulary)
        n = len(tokens)
        self.idf = np.log(1 + (n - self.document_counts + 0.5) / (self.document_counts + 0.5)).astype(np.float32)
        norm = 1.2 * (0.25 + 0.75 * lengths / lengths.mean())
        row = np.repeat(np.arange(n), np.diff(counts.indptr))
        counts.data = self.idf[counts.indices] * counts.data * 2.2 / (counts.data + norm[row])
        self.by_term = counts.T.tocsr()

    def find(self, question: list, count: int) -> np.ndarray:
        """The best passages for a question; words of every fifth passage are left out."""
        scores = np.zeros(len(self.tokens), np.float32)
        for term in set(question):
            if self.document_counts[term] > 0.2 * len(self.tokens):
                continue
            start, end = self.by_term.indptr[term], self.by_term.indptr[term + 1]
            scores[self.by_term.indices[start:end]] += self.by_term.data[start:end]
        best = np.argpartition(-scores, count)[:count]
        return best[np.argsort(-scores[best], kind="stable")]


def blurred(question: list, neighbors: np.ndarray, common: np.ndarray, random) -> list:
    """The question with words lost, common ones more often, and some exchanged for similar ones."""
    lost, exchanged = random.random() * 0.3, random.random() * 0.2
    out = []
    for place, token in enumerate(question):
        if place > 0 and random.random() < (0.35 if common[token] else lost):
            continue
        out.append(int(random.choice(neighbors[token])) if not common[token] and random.random() < exchanged else token)
    return out[:MAX_QUESTION]


def similar_tokens(rows: np.ndarray, count: int = 3) -> np.ndarray:
    """The nearest tokens of each token, itself left out."""
    units = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    near = np.empty((len(rows), count), np.int64)
    for start in range(0, len(rows), 1024):
        cosines = units[start : start + 1024] @ units.T
        cosines[np.arange(len(cosines)), start + np.arange(len(cosines))] = -1
        near[start : start + 1024] = np.argpartition(-cosines, count, axis=1)[:, :count]
    return near


def collect(folder: Path, model, size: int, seed: int) -> tuple:
    """(examples, IDF of each token): `size` questions made of articles, and half as many of the other kinds."""
    random = np.random.default_rng(seed)
    data, encode = TrainingData(folder), model.tokenizer.encode
    texts, titles, articles = [], [], []
    for number, (title, sections) in enumerate(data.articles()):
        for heading, paragraphs in sections:
            for paragraph in paragraphs:
                if 200 <= len(paragraph) <= 1600:
                    texts.append(paragraph)
                    titles.append(f"{title} {heading}")
                    articles.append(number)
    chosen = np.sort(random.choice(len(texts), min(70_000, len(texts)), replace=False))
    tokens = [np.array(encode(texts[place]), dtype=np.int64)[:MAX_PASSAGE] for place in chosen]
    medical = []
    for _, question, answer in data.medical_questions():
        if len(medical) < 8_000:
            medical.append((question, len(tokens)))
            tokens.append(np.array(encode(answer[:1200]), dtype=np.int64)[:MAX_PASSAGE])
    passages = Passages(tokens, len(model.table))
    common = passages.document_counts > 0.1 * len(tokens)
    neighbors = similar_tokens(model.table)
    examples = []

    def keep(question: list, own: int, answer=None) -> None:
        if len(question) < 3:
            return
        found = [int(place) for place in passages.find(question, 3 * OTHERS) if place != own]
        examples.append(Example(question, own, found[: 2 * OTHERS]))

    for place in random.permutation(len(chosen))[:size]:
        sentences = SENTENCE_END.split(texts[chosen[place]])
        question = cloze(str(random.choice(sentences)), random)
        if question:
            keep(blurred(encode(question), neighbors, common, random), int(place))
    for place in random.permutation(len(chosen))[: size // 6]:
        keep(encode(titles[chosen[place]])[:MAX_QUESTION], int(place))
    for at in random.permutation(len(medical))[: size // 6]:
        question, place = medical[at]
        keep(encode(question)[:MAX_QUESTION], place)
    trivia = list(data.trivia())
    for at in random.permutation(len(trivia))[: size // 3]:
        question, answer = encode(trivia[at][0])[:MAX_QUESTION], encode(trivia[at][1])
        if len(answer) == 0 or len(question) < 4 or common[answer].all():
            continue
        found = passages.find(question, 40)
        holds = [set(answer) <= set(tokens[place].tolist()) for place in found]
        if any(holds[:20]) and sum(holds) < 20:
            right = int(found[holds.index(True)])
            examples.append(Example(question, right, [int(p) for p, held in zip(found, holds) if not held][: 2 * OTHERS]))
    order = random.permutation(len(examples))
    return [examples[at] for at in order], tokens, passages.idf
