"""Retrieval scores of model folders on documentation of this machine, which no training and no choice of a recipe has seen:

    python3 unseen.py FOLDER ...

The one-line purpose of a manual page has to find its description among those of other pages, and the first paragraph of a
docstring the rest of it. The figures depend on what is installed: compare folders, not machines.
"""

import argparse
import ast
import gzip
import re
from pathlib import Path

import numpy as np

from model_folder import Model

MOST_PAIRS = 4000
_name = re.compile(r'^\.SH "?NAME"?\s*\n(.*?)^\.S', re.MULTILINE | re.DOTALL)
_description = re.compile(r'^\.SH "?DESCRIPTION"?\s*\n(.*?)(?:^\.SH|\Z)', re.MULTILINE | re.DOTALL)
_request = re.compile(r"^\.\S+ ?|^'.*$", re.MULTILINE)
_escape = re.compile(r"\\f.|\\[&|]|\\\(..|\\")
_dash = re.compile(r" \\?-+ |\\-|\\\(em")


def manual_pages(folder: Path):
    """(purpose, description) of every second page, without most of the markup."""

    def plain(text: str) -> str:
        return " ".join(_escape.sub("", _request.sub("", text)).split())

    for path in sorted(folder.glob("man[1-8]/*.gz"))[::2]:
        with gzip.open(path, "rt", encoding="utf-8", errors="replace") as file:
            page = file.read()
        name, description = _name.search(page), _description.search(page)
        parts = _dash.split(name.group(1), maxsplit=1) if name and description else []
        if len(parts) == 2:
            yield plain(parts[1]), plain(description.group(1))


def docstrings(folder: Path):
    """(first paragraph, rest) of functions and classes."""
    for path in sorted(folder.glob("**/*.py")):
        try:
            tree = ast.parse(path.read_text(encoding="utf-8", errors="replace"))
        except (SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                first, _, rest = (ast.get_docstring(node) or "").partition("\n\n")
                yield " ".join(first.split()), " ".join(rest.split())


def chosen(pairs) -> list:
    """Pairs long enough to tell texts apart, no text twice, at most MOST_PAIRS at even distances."""
    seen, kept = set(), []
    for query, text in pairs:
        if 20 <= len(query) <= 200 and len(text) >= 200 and not seen & {query, text[:200]}:
            seen |= {query, text[:200]}
            kept.append((query, text[:1500]))
    return kept[:: -(-len(kept) // MOST_PAIRS) or 1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--manual", type=Path, default=Path("/usr/share/man"))
    parser.add_argument("--python", type=Path, default=Path("/usr/lib/python3/dist-packages"))
    options = parser.parse_args()
    models = {folder: Model(folder) for folder in options.folders}
    for title, pairs in (("manual pages", manual_pages(options.manual)), ("docstrings", docstrings(options.python))):
        pairs = chosen(pairs)
        if not pairs:
            print(f"{title}: none here")
            continue
        queries, texts = zip(*pairs)
        for folder, model in models.items():
            scores = model.embed(queries) @ model.embed(texts).T
            ranks = (scores > np.diag(scores)[:, None]).sum(axis=1)
            figures = f"R@1 {(ranks < 1).mean():.4f}  R@10 {(ranks < 10).mean():.4f}  MRR {(1 / (1 + ranks)).mean():.4f}"
            print(f"{title}, {len(queries)} pairs: {figures}  {folder}", flush=True)


if __name__ == "__main__":
    main()
