"""Scores of a model folder, from its shipped files alone.

    python3 evaluate.py --data DIR [--model FOLDER]

DIR holds stsb/sts-dev.csv, squad/{paragraphs,questions}.jsonl and cisi/{corpus,queries}.jsonl, cisi/qrels.tsv.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from model_folder import Model


def _records(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def sentence_similarity(embed, folder: Path) -> float:
    """Spearman correlation of the cosine with people's scores (STS Benchmark, dev)."""
    with open(folder / "sts-dev.csv", encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file]
    left, right = embed([row[5] for row in rows]), embed([row[6] for row in rows])
    return float(spearmanr((left * right).sum(axis=1), [float(row[4]) for row in rows])[0])


def question_retrieval(embed, folder: Path) -> dict:
    """Shares of questions whose paragraph comes first, or among ten (SQuAD 1.1, dev): all, and every fifth question."""
    paragraphs = _records(folder / "paragraphs.jsonl")
    questions = _records(folder / "questions.jsonl")
    place = {paragraph["id"]: position for position, paragraph in enumerate(paragraphs)}
    vectors = embed([paragraph["text"] for paragraph in paragraphs])
    scores = embed([question["question"] for question in questions]) @ vectors.T
    right = scores[np.arange(len(questions)), [place[question["para"]] for question in questions]]
    better = (scores > right[:, None]).sum(axis=1)
    result = {}
    for name, chosen in (("all", better), ("fifth", better[::5])):
        result[name] = (float((chosen < 1).mean()), float((chosen < 10).mean()))
    return result


def abstract_retrieval(embed, folder: Path) -> float:
    """nDCG@10 over the judged queries (CISI: titles and abstracts of information science)."""
    documents = _records(folder / "corpus.jsonl")
    texts = {query["_id"]: query["text"] for query in _records(folder / "queries.jsonl")}
    grades = {}
    with open(folder / "qrels.tsv", encoding="utf-8") as file:
        for line in list(file)[1:]:
            query, document, grade = line.split()
            grades.setdefault(query, {})[document] = float(grade)
    queries = [query for query in texts if query in grades]
    vectors = embed([f"{document['title']} {document['text']}" for document in documents])
    scores = embed([texts[query] for query in queries]) @ vectors.T
    discount = 1 / np.log2(np.arange(2, 12))
    values = []
    for query, row in zip(queries, scores):
        found = [grades[query].get(documents[position]["_id"], 0) for position in np.argsort(-row, kind="stable")[:10]]
        ideal = sorted(grades[query].values(), reverse=True)[:10]
        values.append((found * discount).sum() / (ideal * discount[: len(ideal)]).sum())
    return float(np.mean(values))


def scores(embed, folder: Path) -> dict:
    """Every figure by name."""
    questions = question_retrieval(embed, folder / "squad")
    return {
        "STS-B dev, Spearman": sentence_similarity(embed, folder / "stsb"),
        "SQuAD R@1, all questions": questions["all"][0],
        "SQuAD R@10, all questions": questions["all"][1],
        "SQuAD R@1, every fifth": questions["fifth"][0],
        "SQuAD R@10, every fifth": questions["fifth"][1],
        "CISI nDCG@10": abstract_retrieval(embed, folder / "cisi"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--model", type=Path, default=Path(__file__).resolve().parent.parent / "semantic-index-en")
    options = parser.parse_args()
    for name, value in scores(Model(options.model).embed, options.data).items():
        print(f"{name:28} {value:.4f}")


if __name__ == "__main__":
    main()
