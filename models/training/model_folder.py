"""Writes and reads the shipped folder: config.json, tokenizer.json, tokenizer_config.json, model.safetensors."""

import hashlib
import json
import struct
from pathlib import Path

import numpy as np

from quantized import pack, quantize, unpack
from saturation import Saturation, occurrence_weights
from tokenizer import Tokenizer, tokenizer_json

MAX_TOKENS = 4096


def _safetensors(tensors: dict) -> bytes:
    header, offset = {}, 0
    for name, values in tensors.items():
        kind = {"f": "F32", "u": "U8"}[values.dtype.kind]
        header[name] = {"dtype": kind, "shape": list(values.shape), "data_offsets": [offset, offset + values.nbytes]}
        offset += values.nbytes
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    return len(head).to_bytes(8, "little") + head + b"".join(values.tobytes() for values in tensors.values())


def revision_of(tensors: bytes, saturation: Saturation | None) -> str:
    """Changes whenever the vectors of texts do."""
    digest = hashlib.sha256(tensors)
    if saturation:
        digest = hashlib.sha256(digest.digest() + struct.pack("<3d", *saturation))
    return digest.hexdigest()[:12]


def write_model(
    folder: Path, table: np.ndarray, vocabulary: dict, word_rows: int, counts: np.ndarray, saturation: Saturation | None = None
) -> None:
    """Quantises the table, whose rows occur in texts as `counts` says and whose first `word_rows` are whole words, and
    writes every file but the card."""
    integers, scales = quantize(table, counts)
    tensors = _safetensors({"embeddings": pack(integers), "scales": scales})
    config = {
        "model_type": "static-embedding",
        "architectures": ["StaticEmbedding"],
        "hidden_size": table.shape[1],
        "vocab_size": table.shape[0],
        "word_rows": word_rows,
        "quantization": "int4",
        "normalize": True,
        "max_tokens": MAX_TOKENS,
        **({"saturation": saturation._asdict()} if saturation else {}),
        "revision": revision_of(tensors, saturation),
    }
    tokenizer_config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "model_max_length": MAX_TOKENS,
        "clean_up_tokenization_spaces": True,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.safetensors").write_bytes(tensors)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer_config, indent=2) + "\n")
    text = json.dumps(tokenizer_json(vocabulary), ensure_ascii=False, separators=(",", ":"))
    (folder / "tokenizer.json").write_text(text, encoding="utf-8")


class Model:
    """A shipped folder, ready to embed: what the package does, in Python."""

    def __init__(self, folder):
        folder = Path(folder)
        raw = (folder / "model.safetensors").read_bytes()
        size = int.from_bytes(raw[:8], "little")
        header = json.loads(raw[8 : 8 + size])
        body = raw[8 + size :]

        def tensor(name):
            entry = header[name]
            kind = {"F32": np.float32, "U8": np.uint8, "I8": np.int8}[entry["dtype"]]
            start, end = entry["data_offsets"]
            return np.frombuffer(body[start:end], dtype=kind).reshape(entry["shape"])

        rows = tensor("embeddings")
        integers = unpack(rows) if rows.dtype == np.uint8 else rows
        self.table = integers.astype(np.float32) * tensor("scales")[:, None]
        self.tokenizer = Tokenizer.open(folder / "tokenizer.json")
        saturation = json.loads((folder / "config.json").read_text()).get("saturation")
        self.saturation = saturation and Saturation(**saturation)

    def embed(self, texts) -> np.ndarray:
        """Unit vectors; zero where a text has no known token."""
        return embed(self.table, self.tokenizer, texts, self.saturation)


def embed(table: np.ndarray, tokenizer: Tokenizer, texts, saturation: Saturation | None = None) -> np.ndarray:
    """Unit vectors of texts under any table of this tokenizer."""
    vectors = np.zeros((len(texts), table.shape[1]), dtype=np.float32)
    for row, text in enumerate(texts):
        ids = tokenizer.encode(text)
        if ids and saturation:
            vectors[row] = occurrence_weights(np.array(ids), np.array([0, len(ids)]), saturation) @ table[ids]
        elif ids:
            vectors[row] = table[ids].sum(axis=0)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
