"""Trains the bundled model from the training data, in one command:

    python3 train.py --data DIR --teacher DIR --work DIR [--out FOLDER] [--trained FOLDER] [--evaluation DIR]

Every stage leaves its product in the work folder and is skipped when the product is there: a stopped run goes on where
it stopped. Delete the folder to start anew. The same seed and the same libraries give the same files.
"""

import argparse
import ctypes
import json
from pathlib import Path

import numpy as np
import torch

import encoded as encoded_data
from batches import Batches
from contrastive import Table, train
from corpus import TrainingData
from distilled import distilled_table
from evaluate import scores
from initial_table import initial_table
from joined import joined
from model_folder import Model, embed, write_model
from quantized import turned
from recipe import (
    CYCLES,
    DISTILLED_SHARE,
    JOINED_POWER,
    LAST_CYCLE,
    LAST_DRAWS,
    PIECES,
    SATURATION,
    SEED,
    SHARED_ROWS,
    TRAINED_SATURATION,
    WIDTH,
    WORDS,
    Cycle,
    recipe,
)
from spreading import spread
from teacher import teacher_table
from tokenizer import Tokenizer
from unlearned_rows import settle_unlearned_rows
from vocabulary import build_vocabulary, count_words


def keep_memory() -> None:
    """Tells the allocator to keep freed blocks: fresh pages for every matrix of a step cost a quarter of the time."""
    library = ctypes.CDLL(None)
    for option, value in ((-4, 0), (-1, 2_000_000_000), (-2, 100_000_000)):
        library.mallopt(option, value)


def prepare(data: TrainingData, work: Path) -> tuple:
    """(tokenizer, number of rows of whole words, encoded data), from the work folder where they are there."""
    vocabulary_file, encoded_file = work / "vocabulary.json", work / "encoded.npz"
    if not vocabulary_file.exists():
        print("Choosing the vocabulary", flush=True)
        built = build_vocabulary(count_words(data), WORDS, PIECES, SHARED_ROWS)
        vocabulary_file.write_text(json.dumps(built, ensure_ascii=False), encoding="utf-8")
    vocabulary, word_rows = json.loads(vocabulary_file.read_text(encoding="utf-8"))
    tokenizer = Tokenizer(vocabulary)
    if not encoded_file.exists():
        print("Encoding the data", flush=True)
        encoded_data.save(encoded_data.encode(data, tokenizer), encoded_file)
    return tokenizer, word_rows, encoded_data.load(encoded_file)


def vectors_under(table: torch.Tensor):
    """Unit vectors of texts given as runs of tokens."""

    def vectors(texts) -> np.ndarray:
        tokens, offsets = torch.from_numpy(texts.tokens.astype(np.int64)), torch.from_numpy(texts.offsets[:-1])
        sums = torch.nn.functional.embedding_bag(tokens, table, offsets, mode="sum")
        return torch.nn.functional.normalize(sums, dim=1).numpy()

    return vectors


class Cycles:
    """Runs cycles of training, each from the table that the one before left."""

    def __init__(self, encoded: encoded_data.Encoded, teacher: torch.Tensor, counts: np.ndarray, options, report):
        self.encoded, self.teacher, self.counts = encoded, teacher, counts
        self.options, self.report = options, report

    def run(self, number: int, start: np.ndarray, cycle: Cycle) -> np.ndarray:
        """The table after one cycle, spread over its dimensions."""
        return spread(self.trained(number, start, cycle), self.counts, cycle.power)

    def mean(self, number: int, draws: int, start: np.ndarray, cycle: Cycle) -> np.ndarray:
        """The same with the mean of several trainings from one start, each with its own draw of pairs."""
        tables = [self.trained(number + draw, start, cycle) for draw in range(draws)]
        return spread(np.mean(tables, axis=0), self.counts, cycle.power)

    def trained(self, number: int, start: np.ndarray, cycle: Cycle) -> np.ndarray:
        table = Table(start)
        batches = Batches(self.encoded, len(start), self.options.seed + number)
        draw = recipe(batches, vectors_under(self.teacher), cycle.teaching)
        saved = self.options.work / f"cycle-{number}.npz"
        train(table, draw, cycle.steps, cycle.rate, self.teacher, self.report, saved, cycle.exact, TRAINED_SATURATION)
        return table.rows.numpy()


def start_of(encoded: encoded_data.Encoded, vocabulary: dict, rows: int, options) -> np.ndarray:
    """The table before training, from the work folder where it is there."""
    file = options.work / "initial.npy"
    if not file.exists():
        print("Counting words that stand together", flush=True)
        np.save(file, initial_table(encoded, rows, WIDTH, options.seed, options.work))
    start = np.load(file)
    start[[vocabulary["[PAD]"], vocabulary["[UNK]"]]] = 0
    return start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=Path, help="folder of the training files")
    parser.add_argument("--teacher", required=True, type=Path, help="folder of the model to imitate")
    parser.add_argument("--work", required=True, type=Path, help="folder for intermediate products, about 6 GB")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent.parent / "semantic-index-en")
    parser.add_argument("--evaluation", type=Path, help="folder of evaluate.py's data, to print scores on the way")
    parser.add_argument("--trained", type=Path, help="finished model folder to take the trained table from: no cycles")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    keep_memory()
    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)

    tokenizer, word_rows, encoded = prepare(TrainingData(options.data), options.work)
    rows = max(tokenizer.vocabulary.values()) + 1
    counts = np.bincount(encoded.tokens, minlength=rows)
    teacher = torch.from_numpy(teacher_table(options.teacher, tokenizer.vocabulary, rows))

    def report(step, values):
        if options.evaluation:
            figures = scores(lambda texts: embed(values, tokenizer, texts, SATURATION), options.evaluation)
            print("  ", "  ".join(f"{name} {value:.4f}" for name, value in figures.items()), flush=True)

    cycles = Cycles(encoded, teacher, counts, options, report)
    if options.trained:
        model = Model(options.trained)
        if model.tokenizer.vocabulary != tokenizer.vocabulary:
            raise SystemExit(f"{options.trained} has another vocabulary")
        trained = model.table
    else:
        trained = start_of(encoded, tokenizer.vocabulary, rows, options)
        for number, cycle in enumerate(CYCLES):
            trained = cycles.run(number, trained, cycle)
    print("Distilling the teacher", flush=True)
    distilled = distilled_table(encoded, teacher, tokenizer.vocabulary, options.seed)
    trained = joined(trained, distilled, DISTILLED_SHARE, counts, JOINED_POWER)
    trained = cycles.mean(len(CYCLES), LAST_DRAWS, trained, LAST_CYCLE)
    finished = turned(settle_unlearned_rows(trained, counts, tokenizer.vocabulary), options.seed)
    write_model(options.out, finished, tokenizer.vocabulary, word_rows, counts, SATURATION)
    print(f"Written to {options.out}: revision {json.loads((options.out / 'config.json').read_text())['revision']}")
    if options.evaluation:
        before = scores(lambda texts: embed(finished, tokenizer, texts, SATURATION), options.evaluation)
        after = scores(Model(options.out).embed, options.evaluation)
        for name, value in after.items():
            print(f"{name:28} {value:.4f}   before rounding {before[name]:.4f}")


if __name__ == "__main__":
    main()
