"""The reranker: question and passage go through one small transformer together.

Every token starts from its row in the bundled model's table (frozen), what of the other text it matches, how rare it is, and where it
stands. So the 300,000 trained numbers need not learn words, only what makes an answer of matches.
"""

import numpy as np
import torch
from torch import nn

WIDTH, HEADS, INNER, LAYERS = 96, 4, 192, 1
MAX_TOKENS = 256
REACH = 12
FEATURES = 7


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.before = nn.LayerNorm(WIDTH)
        self.between = nn.LayerNorm(WIDTH)
        self.query = nn.Linear(WIDTH, WIDTH)
        self.key = nn.Linear(WIDTH, WIDTH)
        self.value = nn.Linear(WIDTH, WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)
        self.up = nn.Linear(WIDTH, INNER)
        self.down = nn.Linear(INNER, WIDTH)

    def forward(self, x, bias):
        batch, length, _ = x.shape
        normal = self.before(x)
        heads = [part(normal).reshape(batch, length, HEADS, WIDTH // HEADS).transpose(1, 2)
                 for part in (self.query, self.key, self.value)]
        attention = torch.softmax(heads[0] @ heads[1].transpose(2, 3) * (WIDTH // HEADS) ** -0.5 + bias, dim=-1)
        x = x + self.out((attention @ heads[2]).transpose(1, 2).reshape(batch, length, WIDTH))
        return x + self.down(torch.relu(self.up(self.between(x))))


class Reranker(nn.Module):
    """input_ids, attention_mask, token_type_ids [pairs, tokens] -> logits [pairs, 1]."""

    def __init__(self, integers: np.ndarray, idf: np.ndarray):
        super().__init__()
        self.register_buffer("rows", torch.from_numpy(integers.astype(np.int8)))
        self.register_buffer("idf", torch.from_numpy(idf / idf.max()))
        self.from_rows = nn.Linear(integers.shape[1], WIDTH)
        self.from_matches = nn.Linear(FEATURES, WIDTH)
        self.types = nn.Parameter(torch.zeros(2, WIDTH))
        # How much tokens attend to those so many places away; the last entry: to those of the other text.
        self.distances = nn.Parameter(torch.zeros(HEADS, 2 * REACH + 2))
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.last = nn.LayerNorm(WIDTH)
        self.gate = nn.Linear(WIDTH, 1)
        self.hidden = nn.Linear(2 * WIDTH + 3, 64)
        self.score = nn.Linear(64, 1)
        self.wide = nn.Linear(3, 1)
        places = torch.arange(MAX_TOKENS)
        away = (places[None, :] - places[:, None]).clamp(-REACH, REACH) + REACH
        self.register_buffer("away", away)

    def forward(self, input_ids, attention_mask, token_type_ids):
        rows = self.rows[input_ids].float()
        norms = rows.square().sum(-1, keepdim=True).sqrt()
        units = rows / norms.clamp(min=1e-6)
        mask = attention_mask.float() * (norms[:, :, 0] > 0).float()
        kind = token_type_ids.float()
        asked, told = mask * (1 - kind), mask * kind
        across = asked[:, :, None] * told[:, None, :] + told[:, :, None] * asked[:, None, :]
        cosines = (units @ units.transpose(1, 2)) * across
        best = cosines.amax(2)
        same = ((cosines - 0.98) * 50).clamp(0, 1)
        times = torch.log1p(same.sum(2))
        exact = same.amax(2)
        rare = self.idf[input_ids] * mask
        features = torch.stack((best, exact, times, rare, best * rare, exact * rare, times * rare), dim=-1)
        x = self.from_rows(units) + self.from_matches(features)
        x = x + self.types[0] * (1 - kind)[:, :, None] + self.types[1] * kind[:, :, None]
        length = input_ids.shape[1]
        near = self.distances[:, self.away[:length, :length]]
        other = self.distances[:, -1].reshape(1, HEADS, 1, 1)
        apart = (kind[:, :, None] - kind[:, None, :]).abs()[:, None]
        bias = near[None] * (1 - apart) + other * apart + (1 - mask)[:, None, None, :] * -1e4
        for layer in self.layers:
            x = layer(x, bias)
        x = self.last(x)
        weights = torch.softmax(self.gate(x)[:, :, 0] + (1 - asked) * -1e4, dim=1)
        of_question = (x * weights[:, :, None]).sum(1)
        of_passage = (x + (1 - told)[:, :, None] * -1e4).amax(1)
        total = (rare * asked).sum(1, keepdim=True).clamp(min=1e-6)
        covered = torch.cat([(rare * asked * part).sum(1, keepdim=True) / total for part in (best, exact, times)], dim=1)
        inside = torch.cat((of_question, of_passage, covered), dim=1)
        return self.score(torch.relu(self.hidden(inside))) + self.wide(covered)
