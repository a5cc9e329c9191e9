"""A second opinion on likeness: the similarities of an existing static model, over our own tokens. Only its opinions on
the training sentences are used, as targets; none of its numbers is shipped."""

import json
from pathlib import Path

import numpy as np


def teacher_table(folder: Path, vocabulary: dict, rows: int) -> np.ndarray:
    """The teacher's vector of every token of ours: the sum of its own pieces."""
    with open(folder / "tokenizer.json", encoding="utf-8") as file:
        theirs = json.load(file)["model"]["vocab"]
    raw = (folder / "model.safetensors").read_bytes()
    size = int.from_bytes(raw[:8], "little")
    entry = json.loads(raw[8 : 8 + size])["embeddings"]
    start, end = entry["data_offsets"]
    kind = {"I8": np.int8, "F32": np.float32, "F16": np.float16}[entry["dtype"]]
    table = np.frombuffer(raw[8 + size + start : 8 + size + end], dtype=kind).reshape(entry["shape"]).astype(np.float32)
    result = np.zeros((rows, table.shape[1]), dtype=np.float32)
    for token, row in vocabulary.items():
        position = 0
        while position < len(token):
            for end in range(len(token), position, -1):
                found = theirs.get(token[position:end] if position == 0 else "##" + token[position:end])
                if found is not None:
                    result[row] += table[found]
                    position = end
                    break
            else:
                break
    return result / result.std()
