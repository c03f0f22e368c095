"""The lab worker: fetches jobs from the server's lab gate, does them apart from everything else, hands in the findings.

It has no database and no keys of its own: each lease carries the sealed sample's data key, and the worker keeps
neither. Every job is done by a child process with limits, in a private folder that is wiped afterwards.
"""

from labkit.worker.cli import main

__all__ = ["main"]
