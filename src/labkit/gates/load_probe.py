"""Loads a build in one engine and scans the self-test set, twice; prints seconds, peak memory and what was not scanned.

Run as `python -m labkit.gates.load_probe ENGINE FOLDER FILE...` by the load gate. Exit codes: 0 done, 1 refused.
"""

import json
import resource
import sys
import time
from pathlib import Path

from engines import DatabaseRefused, EngineMissing, Verdict, open_engine


def main() -> int:
    """Load and scan in a process of its own, whose memory can be measured; print the measures as JSON."""
    name, folder, *files = sys.argv[1:]
    rounds: list[dict[Path, Verdict]] = []
    seconds = []
    try:
        engine = open_engine(name)
        for _ in range(2):
            start = time.monotonic()
            database = engine.load(Path(folder))
            seconds.append(time.monotonic() - start)
            rounds.append(dict(database.scan([Path(file) for file in files])))
    except (DatabaseRefused, EngineMissing) as error:
        sys.stderr.write(" ".join(str(error).split()) + "\n")
        return 1
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    reasons = [f"{path.name} ({verdict.reason})" for path, verdict in rounds[0].items() if verdict.reason]
    facts = {
        "seconds": round(max(seconds), 3),
        "mib": round(peak / 1024, 1),
        "not_scanned": reasons,
        "same": rounds[0] == rounds[1],
    }
    sys.stdout.write(json.dumps(facts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
