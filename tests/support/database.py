"""Loaded before Django's settings (`-p tests.support.database`): an embedded PostgreSQL for the tests, and folders of
their own for keys, quarantine and releases. Each xdist worker has its own database and folders on the same server.
"""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "src"))

_scratch = Path(tempfile.mkdtemp(prefix="guardia-test-"))
atexit.register(shutil.rmtree, _scratch, ignore_errors=True)
os.environ["GUARDIA_ENV"] = "development"
os.environ["GUARDIA_VAR"] = str(_scratch / "var")
os.environ["GUARDIA_PRIVATE"] = str(_scratch / "private")
os.environ["GUARDIA_UPLOAD_LIMIT_MB"] = "4"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guardia.config.settings")

if not os.environ.get("DATABASE_URL"):
    from guardia.adapters.embedded_postgres import EmbeddedPostgres

    _server = EmbeddedPostgres(PROJECT / "var" / "test" / "postgres", "guardia").__enter__()
    atexit.register(_server.__exit__, None, None, None)
    os.environ["GUARDIA_EMBEDDED_URL"] = _server.url
