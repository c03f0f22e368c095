"""What a publishing process of the torture tests runs: publish what is asked for, and kill itself at a named point."""

import os
import signal
import sys

import django

django.setup()

from datetime import datetime  # noqa: E402  Django first

from guardia.adapters.release_tree import SignedTree  # noqa: E402
from guardia.features.cases import operations as cases  # noqa: E402
from guardia.features.releases import operations  # noqa: E402
from guardia.journeys import publish_release  # noqa: E402
from sigdist import repository  # noqa: E402


def die() -> None:
    """End as if the power went."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_before(module: object, name: str) -> None:
    """Die when `module.name` is called."""
    setattr(module, name, lambda *_args, **_kwargs: die())


def die_after(module: object, name: str) -> None:
    """Die when `module.name` has done its work."""
    work = getattr(module, name)

    def worked(*args: object, **kwargs: object) -> None:
        work(*args, **kwargs)
        die()

    setattr(module, name, worked)


def die_at_step(step: str) -> None:
    """Die inside the tree's own publishing, after the step of that name."""
    publish = repository.publish

    def watched(*args: object, **kwargs: object) -> object:
        return publish(*args, **kwargs, checkpoint=lambda done: die() if done.startswith(step) else None)  # type: ignore[arg-type]

    repository.publish = watched  # type: ignore[assignment]


POINTS = {
    "never": lambda: None,
    "before the tree": lambda: die_before(SignedTree, "publish"),
    "1 checked": lambda: die_at_step("1 checked"),
    "2 object": lambda: die_at_step("2 object"),
    "3 role": lambda: die_at_step("3 role"),
    "4 snapshot": lambda: die_at_step("4 snapshot"),
    "5 timestamp": lambda: die_at_step("5 timestamp"),
    "after the tree": lambda: die_after(SignedTree, "publish"),
    "after the pointer": lambda: die_after(operations, "finish_publication"),
    "after the evidence": lambda: die_after(operations, "keep_evidence"),
    "while a case is told": lambda: die_after(cases, "append_event"),
    "before the commit": lambda: die_after(publish_release, "announce"),
}

if __name__ == "__main__":
    POINTS[sys.argv[2]]()
    for done in publish_release.publish_pending(datetime.fromisoformat(sys.argv[1])):
        print(done)  # noqa: T201  read by the test
