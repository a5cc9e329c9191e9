"""The training data as rows of the table: flat arrays of tokens, sentences, paragraphs and pairs."""

from collections import namedtuple

import numpy as np

from corpus import TrainingData, sentences_of
from tokenizer import Tokenizer

# Kinds of paragraph.
ARTICLE, BOOK, TECHNICAL, MEDICAL = range(4)
# Kinds of pair.
TERM, EXAMPLE, SYNONYM, TRIVIA = range(4)

Encoded = namedtuple(
    "Encoded",
    "tokens starts "  # sentence s is tokens[starts[s]:starts[s + 1]]
    "paragraph_first paragraph_end paragraph_kind paragraph_group paragraph_title paragraph_heading "
    "pair_left pair_right pair_kind pair_group everyday",
)


class _Writer:
    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        self.tokens, self.starts = [], [0]
        self.chunks = []
        self.length = 0

    def sentence(self, text):
        """Adds one sentence, returns its number; -1 where nothing of it is known."""
        ids = self.tokenizer.encode(text)
        if not ids:
            return -1
        self.tokens += ids
        self.length += len(ids)
        self.starts.append(self.length)
        if len(self.tokens) > 1_000_000:
            self.chunks.append(np.array(self.tokens, dtype=np.uint16))
            self.tokens = []
        return len(self.starts) - 2

    def flat(self):
        self.chunks.append(np.array(self.tokens, dtype=np.uint16))
        return np.concatenate(self.chunks), np.array(self.starts, dtype=np.int64)


def encode(data: TrainingData, tokenizer: Tokenizer) -> Encoded:
    """Everything the training reads, encoded once."""
    writer = _Writer(tokenizer)
    paragraphs, pairs, everyday = [], [], []
    group = 0

    def paragraph(text, kind, title, heading):
        numbers = [n for n in map(writer.sentence, sentences_of(text)) if n >= 0]
        if numbers:
            paragraphs.append((numbers[0], numbers[-1] + 1, kind, group, title, heading))

    for title, sections in data.articles():
        title_number = writer.sentence(title)
        for heading, texts in sections:
            heading_number = writer.sentence(heading)
            for text in texts:
                paragraph(text, ARTICLE, title_number, heading_number)
        group += 1
    previous = None
    for repository, headings, text in data.technical_paragraphs():
        if (repository, headings) != previous:
            title_number = writer.sentence(headings[0]) if headings else -1
            heading_number = writer.sentence(headings[-1]) if len(headings) > 1 else -1
            previous = (repository, headings)
            group += 1
        paragraph(text, TECHNICAL, title_number, heading_number)
    for focus, question, answer in data.medical_questions():
        question_number = writer.sentence(question)
        # Answers run to thousands of words: the question belongs to the start, the focus to all of it.
        parts = sentences_of(answer)
        focus_number = writer.sentence(focus)
        for start in range(0, min(len(parts), 24), 6):
            paragraph(" ".join(parts[start : start + 6]), MEDICAL, focus_number, question_number if start == 0 else -1)
        group += 1
    for text in data.book_paragraphs():
        paragraph(text, BOOK, -1, -1)
        group += 1

    def pair(left, right, kind):
        if left >= 0 and right >= 0:
            pairs.append((left, right, kind, group))

    for members, definition, examples, _, _ in data.synsets():
        group += 1
        terms = [writer.sentence(member) for member in members[:4]]
        gloss = writer.sentence(definition)
        for term in terms:
            pair(term, gloss, TERM)
        for first, second in zip(terms, terms[1:]):
            pair(first, second, SYNONYM)
        for text in examples[:3]:
            example = writer.sentence(text)
            pair(gloss, example, EXAMPLE)
            everyday.append(example)
        everyday.append(gloss)
    for term, definition, example, synonyms in data.definitions():
        group += 1
        head, gloss = writer.sentence(term), writer.sentence(definition)
        pair(head, gloss, TERM)
        for synonym in synonyms[:4]:
            pair(head, writer.sentence(synonym), SYNONYM)
        if example:
            number = writer.sentence(example)
            pair(gloss, number, EXAMPLE)
            everyday.append(number)
        everyday.append(gloss)
    for question, answer in data.trivia():
        group += 1
        number = writer.sentence(question)
        everyday.append(number)
        if answer not in ("True", "False"):
            pair(number, writer.sentence(answer), TRIVIA)
    tokens, starts = writer.flat()
    columns = [np.array(column, dtype=np.int64) for column in zip(*paragraphs)]
    pair_columns = [np.array(column, dtype=np.int64) for column in zip(*pairs)]
    everyday = np.array([number for number in everyday if number >= 0], dtype=np.int64)
    return Encoded(tokens, starts, *columns, *pair_columns, everyday)


def save(encoded: Encoded, path):
    np.savez(path, **encoded._asdict())


def load(path) -> Encoded:
    with np.load(path) as file:
        return Encoded(**{name: file[name] for name in Encoded._fields})
