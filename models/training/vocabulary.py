"""Chooses the rows: whole words, pieces for the words that have no row, and characters of other scripts."""

import heapq
import math
import re
import unicodedata
from collections import Counter

from corpus import TrainingData
from tokenizer import words_of

_latin = re.compile(r"[a-z0-9]+")
# How much of the word list each kind of text decides. The corpora differ in size a thousandfold; their words matter to
# users about alike.
SHARES = {
    "counts": 1.0,
    "articles": 1.0,
    "books": 0.25,
    "definitions": 0.5,
    "technical": 0.6,
    "medical": 0.25,
    "trivia": 0.4,
}


def count_words(data: TrainingData) -> dict:
    """Word counts by kind of text."""
    counts = {name: Counter() for name in SHARES}
    for title, sections in data.articles():
        counts["articles"].update(words_of(title))
        for heading, paragraphs in sections:
            counts["articles"].update(words_of(heading))
            for paragraph in paragraphs:
                counts["articles"].update(words_of(paragraph))
    for paragraph in data.book_paragraphs():
        counts["books"].update(words_of(paragraph))
    for members, definition, examples, _, _ in data.synsets():
        for text in (*members, definition, *examples):
            counts["definitions"].update(words_of(text))
    for term, definition, example, synonyms in data.definitions():
        for text in (term, definition, example or "", *synonyms):
            counts["definitions"].update(words_of(text))
    for focus, question, answer in data.medical_questions():
        for text in (focus, question, answer):
            counts["medical"].update(words_of(text))
    for question, answer in data.trivia():
        counts["trivia"].update(words_of(question + " " + answer))
    for _, headings, text in data.technical_paragraphs():
        counts["technical"].update(words_of(" ".join(headings) + " " + text))
    for word, count in data.word_counts():
        counts["counts"][word] += count
    return counts


def rank_words(counts: dict) -> list:
    """(word, weight), best first: only words the training text shows often enough to learn."""
    seen = Counter()
    for name, counter in counts.items():
        if name != "counts":
            seen.update(counter)
    weight = Counter()
    for name, share in SHARES.items():
        total = sum(counts[name].values())
        # A square root dampens the few documents that repeat one name.
        for word, count in counts[name].items():
            weight[word] += share * math.sqrt(count / total)
    ranked = [
        (word, value)
        for word, value in weight.items()
        if _latin.fullmatch(word) and seen[word] >= 4 and not word.isdigit()
    ]
    return sorted(ranked, key=lambda item: (-item[1], item[0]))


def learn_pieces(words: Counter, count: int) -> list:
    """Byte-pair merges over the words without a row: the pieces that spell most of them."""
    spelled = [list(word) for word in words]
    weights = [words[word] for word in words]
    pairs, places = Counter(), {}
    for index, symbols in enumerate(spelled):
        for pair in zip(symbols, symbols[1:]):
            pairs[pair] += weights[index]
            places.setdefault(pair, set()).add(index)
    pieces = []
    # A heap of possibly outdated weights: an entry counts only while it says what `pairs` says.
    heap = [(-weight, pair) for pair, weight in pairs.items()]
    heapq.heapify(heap)
    while len(pieces) < count and heap:
        weight, best = heapq.heappop(heap)
        if -weight != pairs.get(best):
            if pairs.get(best, 0) > 0:
                heapq.heappush(heap, (-pairs[best], best))
            continue
        changed = set()
        merged = "".join(best)
        pieces.append(merged)
        for index in places.pop(best):
            symbols, weight = spelled[index], weights[index]
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] -= weight
                changed.add(pair)
            joined, position = [], 0
            while position < len(symbols):
                if position + 1 < len(symbols) and (symbols[position], symbols[position + 1]) == best:
                    joined.append(merged)
                    position += 2
                else:
                    joined.append(symbols[position])
                    position += 1
            spelled[index] = joined
            for pair in zip(joined, joined[1:]):
                pairs[pair] += weight
                places.setdefault(pair, set()).add(index)
                changed.add(pair)
        pairs.pop(best, None)
        for pair in changed:
            if pair in pairs:
                heapq.heappush(heap, (-pairs[pair], pair))
    return pieces


def common_han() -> list:
    """The Han characters of the first levels of the Chinese and Japanese standards: about 8,000."""
    characters = set()
    for codec, first, last in (("gb2312", 0xB0, 0xD7), ("big5", 0xA4, 0xC6), ("euc_jp", 0xB0, 0xCF)):
        for lead in range(first, last + 1):
            for trail in range(0x40, 0xFF):
                character = bytes((lead, trail)).decode(codec, "ignore")
                if len(character) == 1 and "\u4e00" <= character <= "\u9fff":
                    characters.add(character)
    return sorted(characters)


def alphabets() -> dict:
    """Letters of the alphabets that get letter pairs, after NFKD and without marks, in lower case."""
    ranges = {
        "cyrillic": (0x0430, 0x0460),
        "greek": (0x03B1, 0x03CA),
        "hebrew": (0x05D0, 0x05EB),
        "arabic": (0x0621, 0x064B),
        "devanagari": (0x0904, 0x093A),
        "thai": (0x0E01, 0x0E2F),
    }
    found = {}
    for name, (first, last) in ranges.items():
        letters = {unicodedata.normalize("NFKD", chr(code))[0] for code in range(first, last)}
        found[name] = sorted(c for c in letters if unicodedata.category(c)[0] == "L" and c.lower() == c)
    return found


def other_scripts() -> tuple:
    """(entries with a row each, entries that share rows): letters, then Han, syllables and letter pairs."""
    own, shared = [], []
    for letters in alphabets().values():
        own += letters
        shared += [first + second for first in letters for second in letters]
    hangul_first = [chr(code) for code in range(0x1100, 0x1113)]
    hangul_vowel = [chr(code) for code in range(0x1161, 0x1176)]
    hangul_last = [chr(code) for code in range(0x11A8, 0x11C3)]
    own += hangul_first + hangul_vowel + hangul_last
    shared += [first + vowel for first in hangul_first for vowel in hangul_vowel]
    kana = {unicodedata.normalize("NFKD", chr(code))[0] for code in (*range(0x3041, 0x3097), *range(0x30A1, 0x30FB))}
    own += sorted(kana)
    shared += common_han()
    return own, shared


def build_vocabulary(counts: dict, words: int, pieces: int, shared_rows: int) -> tuple:
    """(token -> row, number of the first rows that are whole words). Entries of other scripts share `shared_rows` rows
    at the end: nothing is learned about them, they only have to tell texts apart, and two unlike texts rarely share
    several."""
    singles = [chr(code) for code in (*range(ord("0"), ord("9") + 1), *range(ord("a"), ord("z") + 1))]
    numbers = [str(number) for number in range(10, 100)] + [f"{number:02d}" for number in range(10)]
    numbers += [str(year) for year in range(1900, 2031)] + ["000", "100", "200", "300", "400", "500", "1000"]
    base = ["[PAD]", "[UNK]", *singles, *numbers]
    ranked = [word for word, _ in rank_words(counts)]
    chosen = list(dict.fromkeys(base + ranked[:words]))
    known, word_rows = set(chosen), len(chosen)
    rest = Counter()
    for word, count in counts["counts"].items():
        if word not in known and _latin.fullmatch(word):
            rest[word] += math.sqrt(count)
    for name in ("technical", "articles", "medical"):
        for word, count in counts[name].items():
            if word not in known and _latin.fullmatch(word) and len(word) <= 24:
                rest[word] += 20 * math.sqrt(count)
    rest = Counter(dict(sorted(rest.items(), key=lambda item: (-item[1], item[0]))[:60_000]))
    chosen += [piece for piece in learn_pieces(rest, pieces) if piece not in known]
    own, shared = other_scripts()
    chosen = list(dict.fromkeys(chosen + own))
    vocabulary = {token: row for row, token in enumerate(chosen)}
    first = len(chosen)
    for position, token in enumerate(dict.fromkeys(shared)):
        # Neighbours in a standard's order land far apart; the step is odd, so every row is used alike.
        vocabulary[token] = first + (position * 619) % shared_rows
    return vocabulary, word_rows
