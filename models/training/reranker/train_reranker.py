"""Trains a small cross-encoder on questions and passages, and writes it as a folder for transformers.js, in one command:

    python3 train_reranker.py --data DIR --out FOLDER [--minutes 25] [--threads 1]

DIR holds the files of `corpus.py`. One core, 3 GB of memory, minutes for the questions and then `--minutes` of processor time for training.
"""

import argparse
import json
import pickle
import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from model_folder import Model  # noqa: E402
from network import MAX_TOKENS, Reranker  # noqa: E402
from questions import collect  # noqa: E402

PASSAGES = 5
QUESTIONS = 8
# Tokens of a passage in training: its beginning, or a window at random.
WINDOW = 80
RATE, WARM_UP = 2e-3, 50


def batch_of(examples, tokens, random) -> tuple:
    """(ids, mask, types) of PASSAGES passages for each question, the right one first."""
    pairs = []
    for question, own, others in examples:
        # Half of the others are the most alike, half any of those found.
        near = others[: PASSAGES - 1]
        drawn = [others[at] for at in random.permutation(len(others))[: PASSAGES - 1]] if random.random() < 0.5 else near
        pairs.append((question, window(tokens[own], question, random)))
        pairs += [(question, window(tokens[place], question, random)) for place in drawn]
    length = max(len(question) + len(passage) for question, passage in pairs)
    ids = np.zeros((len(pairs), length), dtype=np.int64)
    mask, types = np.zeros_like(ids), np.zeros_like(ids)
    for row, (question, passage) in enumerate(pairs):
        end = len(question) + len(passage)
        ids[row, : len(question)] = question
        ids[row, len(question) : end] = passage
        mask[row, :end] = 1
        types[row, len(question) : end] = 1
    return torch.from_numpy(ids), torch.from_numpy(mask), torch.from_numpy(types)


def window(passage, question, random):
    """At most WINDOW tokens of a passage: of two at random the one with more words of the question."""
    spare = len(passage) - WINDOW
    if spare <= 0:
        return passage
    found = [passage[start : start + WINDOW] for start in random.integers(0, spare + 1, 2)]
    return max(found, key=lambda tokens: np.isin(tokens, question).sum())


def train(network, examples, tokens, minutes: float, seed: int, report) -> None:
    random = np.random.default_rng(seed)
    held, taught = examples[:240], examples[240:]
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0.01)
    begin, sums, step = time.process_time(), [0.0, 0.0, 0], 0
    said = time.time()
    while True:
        share = (time.process_time() - begin) / (60 * minutes)
        if share >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = RATE * min((step + 1) / WARM_UP, 1 - share)
        chosen = [taught[at] for at in random.integers(0, len(taught), QUESTIONS)]
        chosen = [example for example in chosen if len(example.others) >= PASSAGES - 1]
        logits = network(*batch_of(chosen, tokens, random)).reshape(len(chosen), PASSAGES)
        loss = -torch.log_softmax(logits, dim=1)[:, 0].mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        step += 1
        sums[0] += loss.item()
        sums[1] += (logits.argmax(1) == 0).float().mean().item()
        sums[2] += 1
        if time.time() - said > 120:
            said = time.time()
            print(f"step {step}, {time.process_time() - begin:.0f} s: loss {sums[0] / sums[2]:.4f}, first {sums[1] / sums[2]:.4f},"
                  f" held out {first_of(network, held, tokens):.4f}", flush=True)
            sums = [0.0, 0.0, 0]
            report()


@torch.no_grad()
def first_of(network, examples, tokens) -> float:
    """Share of held-out questions whose passage is first among PASSAGES."""
    random, right = np.random.default_rng(0), []
    for start in range(0, len(examples), QUESTIONS):
        chosen = [example for example in examples[start : start + QUESTIONS] if len(example.others) >= PASSAGES - 1]
        logits = network(*batch_of(chosen, tokens, random)).reshape(len(chosen), PASSAGES)
        right += (logits.argmax(1) == 0).tolist()
    return float(np.mean(right))


def write(network, model_folder: Path, out: Path) -> None:
    """config.json, tokenizer.json, tokenizer_config.json, onnx/model.onnx."""
    (out / "onnx").mkdir(parents=True, exist_ok=True)
    example = torch.ones((2, 8), dtype=torch.int64)
    types = torch.tensor([[0, 0, 0, 1, 1, 1, 1, 1]] * 2)
    names = ["input_ids", "attention_mask", "token_type_ids"]
    axes = {name: {0: "pairs", 1: "tokens"} for name in names}
    network.eval()
    torch.onnx.export(network, (example + 5, example, types), str(out / "onnx" / "model.onnx"), input_names=names,
                      output_names=["logits"], dynamic_axes={**axes, "logits": {0: "pairs"}}, opset_version=14)
    network.train()
    tokenizer = json.loads((model_folder / "tokenizer.json").read_text(encoding="utf-8"))
    # Signs have no row: they would only take places.
    tokenizer["normalizer"]["normalizers"].append({"type": "Replace", "pattern": {"Regex": "[^\\p{L}\\p{N}]+"}, "content": " "})
    first, second = {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}
    tokenizer["post_processor"] = {"type": "TemplateProcessing", "single": [first], "pair": [first, second], "special_tokens": {}}
    (out / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8")
    tokenizer_config = json.loads((model_folder / "tokenizer_config.json").read_text())
    tokenizer_config["model_max_length"] = MAX_TOKENS
    tokenizer_config["tokenizer_class"] = "BertTokenizer"
    (out / "tokenizer_config.json").write_text(json.dumps(tokenizer_config, indent=2) + "\n")
    config = {"model_type": "bert", "max_position_embeddings": MAX_TOKENS, "num_labels": 1}
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=Path, help="folder of the training files")
    parser.add_argument("--out", required=True, type=Path, help="folder of the model, created")
    parser.add_argument("--model", type=Path, default=Path(__file__).resolve().parents[2] / "semantic-index-en")
    parser.add_argument("--questions", type=int, default=40_000)
    parser.add_argument("--minutes", type=float, default=25)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    model = Model(options.model)
    options.out.mkdir(parents=True, exist_ok=True)
    kept = options.out / "questions.pickle"
    if not kept.exists():
        begin = time.time()
        kept.write_bytes(pickle.dumps(collect(options.data, model, options.questions, options.seed)))
        print(f"Questions made in {time.time() - begin:.0f} s", flush=True)
    examples, tokens, idf = pickle.loads(kept.read_bytes())
    norms = np.abs(model.table).max(axis=1, keepdims=True)
    integers = np.rint(model.table / np.maximum(norms, 1e-9) * 127)
    network = Reranker(integers, idf)
    count = sum(parameter.numel() for parameter in network.parameters())
    print(f"{len(examples)} questions, {count} trained numbers", flush=True)
    train(network, examples, tokens, options.minutes, options.seed, lambda: write(network, options.model, options.out))
    write(network, options.model, options.out)
    print(f"Written to {options.out}", flush=True)


if __name__ == "__main__":
    main()
