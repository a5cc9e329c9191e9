"""The tokenizer: how a text becomes rows of the table. The same steps are written to tokenizer.json."""

import json
import re
import unicodedata

# A hump of an identifier: "readFile" is two words. Two lower-case letters must stand before it ("iPhone", "eBay" and
# "McCoy" stay whole) and names that people also write in lower case are left alone. Only syntax that JavaScript,
# Oniguruma and Python share.
HUMP = (
    "(?<=[a-z][a-z])"
    "(?!(?<=Java|Type)Script|(?<=Coffee)Script|(?<=Git)Hub|(?<=Git)Lab|(?<=You)Tube|(?<=Postgre)SQL|(?<=Graph)QL"
    "|(?<=Num)Py|(?<=Web)Assembly|(?<=Word)Press|(?<=Linked)In|(?<=Bit)Torrent|(?<=Face)Time|(?<=Play)Station)"
    "(?=[A-Z])"
)
# Every character that is neither letter nor digit stands alone, and so does every Han character.
ALONE = r"[^\p{L}\p{N}]|[㐀-鿿]"
MARKS = r"\p{Mn}"
MAX_CHARACTERS = 100

_hump = re.compile(HUMP)
_token = re.compile(r"[㐀-鿿]|[^\W_㐀-鿿]+")


def normalize(text: str) -> str:
    """Humps split, marks removed, lower case."""
    text = _hump.sub(" ", text)
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if unicodedata.category(c) != "Mn")
    return text.lower()


def words_of(text: str) -> list:
    """The pre-tokens that can have a row; punctuation has none and is left out."""
    return _token.findall(normalize(text))


class Tokenizer:
    """Greedy longest-match pieces over one vocabulary: a piece inside a word is the same entry as the word."""

    def __init__(self, vocabulary: dict):
        self.vocabulary = vocabulary
        self.longest = max(map(len, vocabulary))
        self._cache = {}

    @classmethod
    def open(cls, path):
        with open(path, encoding="utf-8") as file:
            return cls(json.load(file)["model"]["vocab"])

    def pieces(self, word: str) -> list:
        """Ids of one pre-token; empty when a character of it has no entry."""
        known = self._cache.get(word)
        if known is not None:
            return known
        ids, start = [], 0
        if len(word) > MAX_CHARACTERS:
            start = len(word)
        while start < len(word):
            for end in range(min(len(word), start + self.longest), start, -1):
                found = self.vocabulary.get(word[start:end])
                if found is not None:
                    ids.append(found)
                    start = end
                    break
            else:
                ids = []
                break
        if len(self._cache) < 2_000_000:
            self._cache[word] = ids
        return ids

    def encode(self, text: str) -> list:
        """Ids of a text, without unknown tokens."""
        ids = []
        for word in words_of(text):
            ids += self.pieces(word)
        return ids


def tokenizer_json(vocabulary: dict) -> dict:
    """The same steps for Hugging Face's libraries."""
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {"type": "Replace", "pattern": {"Regex": HUMP}, "content": " "},
                {"type": "NFKD"},
                {"type": "Replace", "pattern": {"Regex": MARKS}, "content": ""},
                {"type": "Lowercase"},
            ],
        },
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "WhitespaceSplit"},
                {"type": "Split", "pattern": {"Regex": ALONE}, "behavior": "Isolated", "invert": False},
            ],
        },
        "post_processor": None,
        "decoder": {"type": "WordPiece", "prefix": "", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "",
            "max_input_chars_per_word": MAX_CHARACTERS,
            "vocab": vocabulary,
        },
    }
