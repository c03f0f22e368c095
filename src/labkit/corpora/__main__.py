"""Builds the clean corpus: `python -m labkit.corpora --to FOLDER [--limit N] SOURCE...`. Prints a JSON summary.

Exit codes: 0 done (or already there), 1 refused or failed, 2 misuse.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from tqdm import tqdm

from labkit.corpora.building import build_corpus
from labkit.corpora.manifest import CorpusBroken


def main() -> int:
    """Build the corpus and print what it holds as JSON. 0: done; 1: cannot; 2: misuse."""
    parser = argparse.ArgumentParser(prog="python -m labkit.corpora", description="Build the clean corpus.")
    parser.add_argument("--to", required=True, type=Path, help="the corpus folder")
    parser.add_argument("--limit", type=int, default=20_000, help="how many files at most (default 20000)")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.add_argument("sources", nargs="+", type=Path, help="folders of clean files; later ones top up")
    options = parser.parse_args()

    with tqdm(total=options.limit, desc="clean corpus", unit="file", disable=options.quiet) as bar:
        try:
            manifest = build_corpus(
                options.sources,
                options.to,
                options.limit,
                lambda done, _total: _advance(done - bar.n, bar.update),
            )
        except (CorpusBroken, OSError) as error:
            sys.stderr.write(f"clean corpus: {error}\n")
            return 1
    facts = {"files": len(manifest.entries), "bytes": manifest.size, "digest": manifest.digest}
    sys.stdout.write(json.dumps({**facts, "counts": manifest.counts()}) + "\n")
    return 0


def _advance(step: float, update: Callable[[float], object]) -> None:
    update(step)


if __name__ == "__main__":
    sys.exit(main())
