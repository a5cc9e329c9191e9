"""The same model as an ONNX graph, written byte by byte: the format is a small protocol buffer and needs no library.

    input_ids, attention_mask [texts, tokens]
    -> last_hidden_state [texts, tokens, width], sentence_embedding [texts, width]
"""

import numpy as np

FLOAT, UINT8, INT64 = 1, 2, 7
OPSET = 13


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value) -> bytes:
    value = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _tensor(name: str, values: np.ndarray) -> bytes:
    kind = {"f": FLOAT, "u": UINT8, "i": INT64}[values.dtype.kind]
    dimensions = b"".join(_number(1, size) for size in values.shape)
    return dimensions + _number(2, kind) + _bytes(8, name) + _bytes(9, values.tobytes())


def _value(name: str, kind: int, shape: tuple) -> bytes:
    sizes = b"".join(_bytes(1, _bytes(2, size) if isinstance(size, str) else _number(1, size)) for size in shape)
    return _bytes(1, name) + _bytes(2, _bytes(1, _number(1, kind) + _bytes(2, sizes)))


def _integer(name: str, value: int) -> bytes:
    return _bytes(5, _bytes(1, name) + _number(3, value) + _number(20, 2))


def _integers(name: str, values: tuple) -> bytes:
    return _bytes(5, _bytes(1, name) + b"".join(_number(8, value) for value in values) + _number(20, 7))


def _node(operator: str, inputs: str, output: str, attributes: bytes = b"") -> bytes:
    names = b"".join(_bytes(1, name) for name in inputs.split())
    return names + _bytes(2, output) + _bytes(3, output) + _bytes(4, operator) + attributes


def onnx_model(packed: np.ndarray, scales: np.ndarray) -> bytes:
    """The whole file: packed rows [rows, width / 2] of two nibbles a byte, and their scales."""
    width = packed.shape[1] * 2
    to_float = _integer("to", FLOAT)
    nodes = [
        _node("Gather", "embeddings input_ids", "bytes"),
        _node("Cast", "bytes", "both", to_float),
        _node("Mul", "both sixteenth", "shifted"),
        _node("Floor", "shifted", "high"),
        _node("Mul", "high sixteen", "high_part"),
        _node("Sub", "both high_part", "low"),
        _node("Unsqueeze", "low last", "low_column"),
        _node("Unsqueeze", "high last", "high_column"),
        _node("Concat", "low_column high_column", "columns", _integer("axis", -1)),
        _node("Reshape", "columns rows_shape", "nibbles"),
        _node("Sub", "nibbles eight", "integers"),
        _node("Gather", "scales input_ids", "row_scales"),
        _node("Cast", "attention_mask", "mask", to_float),
        _node("Mul", "row_scales mask", "weights"),
        _node("Unsqueeze", "weights last", "weight_columns"),
        _node("Mul", "integers weight_columns", "last_hidden_state"),
        _node("ReduceSum", "last_hidden_state second", "sum", _integer("keepdims", 0)),
        _node("ReduceL2", "sum", "length", _integers("axes", (-1,)) + _integer("keepdims", 1)),
        _node("Max", "length tiny", "divisor"),
        _node("Div", "sum divisor", "sentence_embedding"),
    ]
    constants = {
        "embeddings": packed,
        "scales": scales.astype(np.float32),
        "sixteenth": np.float32(1 / 16),
        "sixteen": np.float32(16),
        "eight": np.float32(8),
        "tiny": np.float32(1e-12),
        "last": np.array([-1], dtype=np.int64),
        "second": np.array([1], dtype=np.int64),
        "rows_shape": np.array([0, 0, width], dtype=np.int64),
    }
    graph = b"".join(_bytes(1, node) for node in nodes)
    graph += _bytes(2, "static-embedding")
    graph += b"".join(_bytes(5, _tensor(name, np.asarray(value))) for name, value in constants.items())
    for name in ("input_ids", "attention_mask"):
        graph += _bytes(11, _value(name, INT64, ("texts", "tokens")))
    graph += _bytes(12, _value("last_hidden_state", FLOAT, ("texts", "tokens", width)))
    graph += _bytes(12, _value("sentence_embedding", FLOAT, ("texts", width)))
    opset = _bytes(1, "") + _number(2, OPSET)
    return _number(1, 7) + _bytes(2, "semantic-index") + _bytes(7, graph) + _bytes(8, opset)
