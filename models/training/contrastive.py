"""Trains the table: texts that belong together come closer than all other texts of the batch, and the similarity of
everyday sentences follows the teacher's."""

import time

import numpy as np
import torch

from batches import Batch
from saturation import Saturation, occurrence_weights

TEMPERATURE = 0.05
WARM_UP = 30
EVERY = 300
# The best step of fifteen levels for normally distributed numbers, in standard deviations.
FOUR_BIT_STEP = 0.335


class Table:
    """The rows with their optimiser state. A step touches only the rows in use: Adam over all is four times slower."""

    def __init__(self, rows: np.ndarray):
        self.rows = torch.from_numpy(rows.copy())
        self.first = torch.zeros_like(self.rows)
        self.second = torch.zeros_like(self.rows)
        self.steps = 0

    def update(self, used: torch.Tensor, gradient: torch.Tensor, rate: float) -> None:
        """One step of Adam on the rows in use."""
        self.steps += 1
        first = self.first[used].mul_(0.9).add_(gradient, alpha=0.1)
        second = self.second[used].mul_(0.999).addcmul_(gradient, gradient, value=0.001)
        self.first[used], self.second[used] = first, second
        size = rate * (1 - 0.999**self.steps) ** 0.5 / (1 - 0.9**self.steps)
        self.rows.index_add_(0, used, first.div_(second.sqrt_().add_(1e-8)), alpha=-size)


class Bags:
    """Unit vectors of texts, and the way back: the sum over a token's texts is a bag too, with the roles exchanged.
    Without `saturation` a token counts as often as it occurs."""

    def __init__(self, rows: torch.Tensor, places: np.ndarray, texts, saturation: Saturation | None = None):
        self.tokens = places[texts.tokens]
        self.lengths = np.diff(texts.offsets)
        self.count = len(rows)
        self.weights = occurrence_weights(self.tokens, texts.offsets, saturation) if saturation else None
        sums = self._sums(rows, self.tokens, texts.offsets[:-1], self.weights)
        self.norms = sums.norm(dim=1, keepdim=True).clamp_(min=1e-6)
        self.units = sums.div_(self.norms)

    def gradient(self, of_units: torch.Tensor) -> torch.Tensor:
        """Gradient of the rows from the gradient of the unit vectors."""
        along = (of_units * self.units).sum(1, keepdim=True)
        of_sums = of_units.addcmul_(self.units, along, value=-1).div_(self.norms)
        order = np.argsort(self.tokens.astype(np.uint16), kind="stable")
        texts = np.repeat(np.arange(len(self.lengths)), self.lengths)[order]
        starts = np.concatenate(([0], np.cumsum(np.bincount(self.tokens, minlength=self.count))[:-1]))
        return self._sums(of_sums, texts, starts, None if self.weights is None else self.weights[order])

    @staticmethod
    def _sums(rows: torch.Tensor, members: np.ndarray, starts: np.ndarray, weights: np.ndarray | None) -> torch.Tensor:
        """The sum of the rows of each run of members."""
        weights = None if weights is None else torch.from_numpy(weights)
        members, starts = torch.from_numpy(members), torch.from_numpy(starts)
        return torch.nn.functional.embedding_bag(members, rows, starts, mode="sum", per_sample_weights=weights)


def pull(similarity: torch.Tensor, keys: np.ndarray) -> tuple:
    """InfoNCE both ways: (loss, gradient of the similarities). One matrix of exponentials serves both directions."""
    size = len(similarity)
    weight = ((similarity - 1) / TEMPERATURE).exp_()
    same = torch.from_numpy(keys)
    order = torch.argsort(same)
    ordered = same[order]
    # Only a run of equal keys can hold twins; they are few, so no matrix of comparisons is made.
    for key in ordered[1:][ordered[1:] == ordered[:-1]].unique():
        twins = (same == key).nonzero()[:, 0]
        block = weight[twins[:, None], twins[None, :]]
        weight[twins[:, None], twins[None, :]] = torch.diag(torch.diagonal(block))
    right_sums, left_sums = weight.sum(1, keepdim=True), weight.sum(0, keepdim=True)
    own = torch.diagonal(weight)
    loss = -(own / right_sums[:, 0]).log().mean() - (own / left_sums[0]).log().mean()
    gradient = weight / right_sums + weight / left_sums
    gradient.diagonal().sub_(2)
    return loss.item() / 2, gradient.mul_(0.5 / (TEMPERATURE * size))


def four_bits(rows: torch.Tensor) -> torch.Tensor:
    """The rows rounded to fifteen levels, as `quantized.py` will do about the same way."""
    scale = rows.square().mean(1, keepdim=True).sqrt_().mul_(FOUR_BIT_STEP).clamp_(min=1e-12)
    return rows.div(scale).round_().clamp_(-7, 7).mul_(scale)


def imitate(similarity: torch.Tensor, target: torch.Tensor) -> tuple:
    """Squared distance to the teacher's similarities: (loss, gradient). The diagonal holds the related pairs and counts
    as much as all others together."""
    size = len(similarity)
    difference = similarity - target
    loss = difference.square().mean().item()
    gradient = difference.mul(2 / size**2)
    gradient.diagonal().add_(difference.diagonal() * (2 / size))
    return loss, gradient


def step(table: Table, batch: Batch, rate: float, contrast: float, teacher, teaching: float, rounded: bool, saturation) -> tuple:
    """One batch: (InfoNCE loss, teacher loss). With `rounded`, texts are read from rows as they will be shipped,
    and the gradient goes to the rows behind them."""
    used_mask = np.zeros(len(table.rows), dtype=bool)
    used_mask[batch.left.tokens] = True
    used_mask[batch.right.tokens] = True
    used = np.flatnonzero(used_mask)
    places = np.zeros(len(table.rows), dtype=np.int64)
    places[used] = np.arange(len(used))
    used = torch.from_numpy(used)
    rows = table.rows[used]
    if rounded:
        rows = four_bits(rows)
    left, right = Bags(rows, places, batch.left, saturation), Bags(rows, places, batch.right, saturation)
    losses, gradient = [0.0, 0.0], 0
    similarity = left.units @ right.units.T
    if contrast:
        losses[0], gradient = pull(similarity, batch.keys)
        gradient *= contrast
    if teaching:
        theirs = teacher[used]
        target = Bags(theirs, places, batch.left).units @ Bags(theirs, places, batch.right).units.T
        losses[1], more = imitate(similarity, target)
        gradient = more.mul_(teaching) + gradient
    of_rows = left.gradient(gradient @ right.units)
    of_rows += right.gradient(gradient.T @ left.units)
    table.update(used, of_rows, rate)
    return losses


def train(table: Table, draw, steps: int, rate: float, teacher, report, saved, exact: float, saturation) -> None:
    """`draw(step)` gives (name, batch, contrast, teaching). The rate rises for WARM_UP steps, then falls to 0 in a
    line. After the share `exact` of the steps, rows are read rounded to four bits. The state is saved in the file
    `saved` every EVERY steps and taken up from there."""
    begin, sums, done = time.time(), {}, 0
    if saved.exists():
        with np.load(saved) as file:
            done = table.steps = int(file["steps"])
            for name in ("rows", "first", "second"):
                setattr(table, name, torch.from_numpy(file[name]))
    for number in range(done, steps):
        name, batch, contrast, teaching = draw(number)
        now = rate * min((number + 1) / WARM_UP, 1 - number / steps)
        loss = step(table, batch, now, contrast, teacher, teaching, number >= steps * exact, saturation)
        entry = sums.setdefault(name, [0, 0.0, 0.0])
        entry[0] += 1
        entry[1] += loss[0]
        entry[2] += loss[1]
        if (number + 1) % EVERY == 0 or number + 1 == steps:
            text = "  ".join(f"{key} {a / n:.3f}/{b / n:.4f}" for key, (n, a, b) in sorted(sums.items()))
            print(f"step {number + 1}, {time.time() - begin:.0f} s: {text}", flush=True)
            sums.clear()
            state = {"rows": table.rows, "first": table.first, "second": table.second}
            np.savez(saved, steps=table.steps, **{key: value.numpy() for key, value in state.items()})
            report(number + 1, table.rows.numpy())
