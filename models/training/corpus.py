"""Reads the training data: the only file that knows its formats."""

import json
import lzma
import re
from pathlib import Path

FILES = (
    "wikipedia.jsonl.xz",
    "books.txt.xz",
    "oewn_synsets.jsonl.xz",
    "wordset_definitions.jsonl.xz",
    "medquad.jsonl.xz",
    "opentriviaqa.jsonl.xz",
    "tech_docs.jsonl.xz",
    "enwiki_word_counts.txt.xz",
)

_boundary = re.compile(r"(?<=[.!?])[\"'”’)]*\s+(?=[A-Z0-9\"'“‘(])")


def sentences_of(text: str) -> list:
    """Sentences by punctuation; good enough for training, not for reading."""
    return [part for part in _boundary.split(text) if part.strip()]


class TrainingData:
    """The folder of training files, each an iterator of plain records."""

    def __init__(self, folder):
        self.folder = Path(folder)
        missing = [name for name in FILES if not (self.folder / name).exists()]
        if missing:
            raise SystemExit(f"Training data is missing in {self.folder}: {', '.join(missing)}")

    def _lines(self, name):
        with lzma.open(self.folder / name, "rt", encoding="utf-8", errors="replace") as file:
            yield from file

    def _records(self, name):
        return (json.loads(line) for line in self._lines(name))

    def articles(self):
        """Encyclopedia articles: (title, [(heading, [paragraph])])."""
        for record in self._records("wikipedia.jsonl.xz"):
            sections = [(section["heading"], section["paragraphs"]) for section in record["sections"]]
            yield record["title"], sections

    def book_paragraphs(self):
        """Paragraphs of public-domain books."""
        for line in self._lines("books.txt.xz"):
            line = line.strip()
            if len(line) > 20:
                yield line

    def synsets(self):
        """Word senses: (members, definition, examples, hypernym ids, id)."""
        for record in self._records("oewn_synsets.jsonl.xz"):
            members = [member.replace("_", " ") for member in record["members"]]
            examples = [e if isinstance(e, str) else e.get("text", "") for e in record["examples"]]
            yield members, record["def"], examples, record.get("hypernym", []), record["id"]

    def definitions(self):
        """Dictionary meanings: (term, definition, example or None, synonyms)."""
        for record in self._records("wordset_definitions.jsonl.xz"):
            yield record["term"], record["def"], record["example"], record["synonyms"] or []

    def medical_questions(self):
        """Questions and long answers: (focus, question, answer)."""
        for record in self._records("medquad.jsonl.xz"):
            if record["answer"]:
                yield record["focus"] or "", record["question"], record["answer"]

    def trivia(self):
        """Trivia: (question, answer)."""
        for record in self._records("opentriviaqa.jsonl.xz"):
            yield record["question"], str(record["answer"])

    def technical_paragraphs(self):
        """Developers' docs: (repository, headings, text)."""
        for record in self._records("tech_docs.jsonl.xz"):
            yield record["repo"], record["headings"], record["text"]

    def word_counts(self):
        """Words of a whole encyclopedia with their counts."""
        for line in self._lines("enwiki_word_counts.txt.xz"):
            word, count = line.split()
            yield word, int(count)
