"""The table before training: word vectors from how words stand together (PPMI, SVD)."""

import subprocess
from pathlib import Path

import numpy as np
import scipy.sparse as sparse

from encoded import Encoded

WINDOW = 6
MINIMUM = 0.6
SIF = 1e-3


def paragraph_stream(encoded: Encoded) -> np.ndarray:
    """All tokens, a separator after every paragraph and every sentence outside paragraphs."""
    total = len(encoded.starts) - 1
    ends = np.ones(total, dtype=bool)
    inside = np.zeros(total + 1, dtype=np.int32)
    np.add.at(inside, encoded.paragraph_first, 1)
    np.add.at(inside, encoded.paragraph_end, -1)
    ends[np.cumsum(inside[:-1]) > 0] = False
    ends[encoded.paragraph_end - 1] = True
    return np.insert(encoded.tokens, encoded.starts[1:][ends], 65535).astype(np.uint16)


def mutual_information(encoded: Encoded, rows: int, work: Path) -> sparse.csr_matrix:
    """The sparse matrix of positive mutual information, counted by the C++ program beside this file."""
    program = work / "cooccurrence"
    source = Path(__file__).with_name("cooccurrence.cpp")
    subprocess.run(["g++", "-O3", "-std=c++17", "-march=native", str(source), "-o", str(program)], check=True)
    paragraph_stream(encoded).tofile(work / "stream.u16")
    output = work / "information.bin"
    command = [program, work / "stream.u16", str(rows), str(WINDOW), str(MINIMUM), output]
    subprocess.run(list(map(str, command)), check=True)
    raw = np.fromfile(output, dtype=np.uint8)
    starts = raw[: 8 * (rows + 1)].view(np.int64)
    rest = raw[8 * (rows + 1) :]
    columns = rest[: 4 * starts[-1]].view(np.int32)
    values = rest[4 * starts[-1] :].view(np.float32)
    return sparse.csr_matrix((values, columns, starts), shape=(rows, rows))


def truncated_svd(matrix: sparse.csr_matrix, width: int, seed: int) -> np.ndarray:
    """Left vectors times the root of the singular values, by randomised subspace iteration."""
    generator = np.random.default_rng(seed)
    basis = generator.standard_normal((matrix.shape[1], width + 24), dtype=np.float32)
    transposed = matrix.T.tocsr()
    for _ in range(4):
        basis, _ = np.linalg.qr(matrix @ basis)
        basis, _ = np.linalg.qr(transposed @ basis)
    left, values, _ = np.linalg.svd(matrix @ basis, full_matrices=False)
    return (left * np.sqrt(values))[:, : width + 1]


def initial_table(encoded: Encoded, rows: int, width: int, seed: int, work: Path) -> np.ndarray:
    """Rows of unit length times a weight that falls with frequency; rows never seen get random directions."""
    counts = np.bincount(encoded.tokens, minlength=rows).astype(np.float64)
    table = truncated_svd(mutual_information(encoded, rows, work), width, seed)[:, 1:]
    generator = np.random.default_rng(seed + 1)
    lengths = np.linalg.norm(table, axis=1, keepdims=True)
    unseen = lengths[:, 0] < 1e-6
    table[unseen] = generator.standard_normal((int(unseen.sum()), width))
    table /= np.linalg.norm(table, axis=1, keepdims=True)
    weight = SIF / (SIF + counts / counts.sum())
    table *= weight[:, None]
    return (table / table.std()).astype(np.float32)
