"""Writes a static model in both layouts, and the vectors that their libraries compute, by the definition of these:

    python3 reference.py MODEL OUT < texts.json

MODEL is a model2vec folder with a WordPiece tokenizer. OUT/model2vec and OUT/sentence-transformers are its table in float32; OUT/LAYOUT.f64
holds the vectors, row by row. model2vec leaves unknown tokens out, sentence-transformers does not.
"""

import json
import shutil
import sys
import unicodedata
from pathlib import Path

import numpy as np

KINDS = {"I8": np.int8, "F16": np.float16, "F32": np.float32, "F64": np.float64}


def read_table(file: Path) -> np.ndarray:
    raw = file.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    entry = json.loads(raw[8 : 8 + size])["embeddings"]
    start, end = entry["data_offsets"]
    values = np.frombuffer(raw[8 + size + start : 8 + size + end], dtype=KINDS[entry["dtype"]])
    return values.reshape(entry["shape"]).astype(np.float32)


def write_table(file: Path, name: str, table: np.ndarray) -> None:
    head = json.dumps({name: {"dtype": "F32", "shape": list(table.shape), "data_offsets": [0, table.nbytes]}}).encode()
    file.write_bytes(len(head).to_bytes(8, "little") + head + table.tobytes())


def is_han(letter: str) -> bool:
    code = ord(letter)
    blocks = ((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F))
    return any(first <= code <= last for first, last in blocks)


def is_punctuation(letter: str) -> bool:
    return (letter.isascii() and letter.isprintable() and not letter.isalnum() and letter != " ") or (
        unicodedata.category(letter).startswith("P")
    )


def words_of(text: str) -> list:
    """The words of BERT, uncased: without marks, punctuation and Han characters alone."""
    kept = []
    for letter in text:
        if letter in "\t\n\r" or letter.isspace():
            kept.append(" ")
        elif letter not in "\0\ufffd" and not unicodedata.category(letter).startswith("C"):
            kept.append(f" {letter} " if is_han(letter) else letter)
    plain = "".join(c for c in unicodedata.normalize("NFD", "".join(kept)) if unicodedata.category(c) != "Mn").lower()
    return "".join(f" {c} " if is_punctuation(c) else c for c in plain).split()


def tokens_of(text: str, vocabulary: dict, unknown: int) -> list:
    """The longest pieces of each word from its start, or one unknown token for a word with a piece that is not there."""
    found = []
    for word in words_of(text):
        pieces, start = [], 0
        while start < len(word) and len(word) <= 100:
            ends = range(len(word), start, -1)
            tokens = (("##" if start else "") + word[start:end] for end in ends)
            end, token = next(((e, vocabulary[t]) for e, t in zip(ends, tokens) if t in vocabulary), (0, unknown))
            if token == unknown:
                pieces = []
                break
            pieces.append(token)
            start = end
        found += pieces or [unknown]
    return found


def main() -> None:
    model, out = Path(sys.argv[1]), Path(sys.argv[2])
    texts = json.load(sys.stdin)
    table = read_table(model / "model.safetensors")
    tokenizer = json.loads((model / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    unknown = tokenizer["vocab"][tokenizer["unk_token"]]
    layouts = {"model2vec": out / "model2vec", "sentence-transformers": out / "sentence-transformers/0_StaticEmbedding"}
    for name, folder in layouts.items():
        folder.mkdir(parents=True)
        shutil.copyfile(model / "tokenizer.json", folder / "tokenizer.json")
        write_table(
            folder / "model.safetensors", "embeddings" if name == "model2vec" else "embedding.weight", table
        )
    (out / "model2vec/config.json").write_text(json.dumps({"model_type": "model2vec", "normalize": True}))
    types = (("0_StaticEmbedding", "StaticEmbedding"), ("1_Normalize", "Normalize"))
    modules = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (path, kind) in enumerate(types)
    ]
    (out / "sentence-transformers/modules.json").write_text(json.dumps(modules))
    tokens = [tokens_of(text, tokenizer["vocab"], unknown) for text in texts]
    for name in layouts:
        rows = np.zeros((len(texts), table.shape[1]))
        for row, ids in zip(rows, tokens):
            kept = [i for i in ids if i != unknown or name != "model2vec"]
            if kept:
                row += table[kept].astype(np.float64).mean(axis=0)
                row /= max(np.linalg.norm(row), 1e-12)
        (out / f"{name}.f64").write_bytes(rows.tobytes())


if __name__ == "__main__":
    main()
