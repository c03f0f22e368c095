"""`python -m labkit.worker`: the lab worker without its installed command."""

import sys

from labkit.worker.cli import main

if __name__ == "__main__":
    sys.exit(main())
