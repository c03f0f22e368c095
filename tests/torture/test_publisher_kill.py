"""A publisher is killed at every point, and another one comes: the same single end, nothing twice, nothing lost."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Count
from tests.support import processes
from tests.support.at_once import at_once, raised, returned
from tests.support.cast import Cast
from tests.support.lab_bench import Bench
from tests.torture.publish_process import POINTS

from guardia.adapters.release_tree import SignedTree
from guardia.features.cases.models import CaseEvent
from guardia.features.cases.queries import get_case_for
from guardia.features.releases.models import Evidence, LanePointer, Publication
from guardia.journeys.publish_release import publish_pending, run_standard_batch
from guardia.kernel import outside
from guardia.kernel.outbox.models import OutboxMessage
from guardia.kernel.vocabulary import Lane
from sigdist import repository

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
SCRIPT = str(Path(__file__).with_name("publish_process.py"))


class Waiting:
    """Two cases of one release that is approved and not published, on a signed tree with the baseline."""

    def __init__(self, cast: Cast, var: Path) -> None:
        self.cast, self.var = cast, var
        self.tree: SignedTree = processes.release_tree(var)
        self.tree.found(cast.now, development=True)
        base = outside.outside().tree.published[Lane.ACCELERATED]  # type: ignore[attr-defined]
        for lane in Lane:
            self.tree.publish(lane, base, cast.now)
        self.bench = Bench(cast)
        self.number = self.bench.reported()
        self.draft = self.bench.released(self.number, publish=False)

    def publisher(self, point: str) -> subprocess.Popen[str]:
        """Start a process that publishes and dies at `point`."""
        return processes.start_command([sys.executable, SCRIPT, self.cast.now.isoformat(), point], self.var)

    def demand_published_once(self) -> None:
        pointer = LanePointer.objects.get(lane="accelerated")
        head = repository.head(self.tree.tree, "accelerated")
        assert head is not None
        assert (pointer.release_id, head.release, head.digest) == (2, 2, self.draft.build_digest)
        assert Publication.objects.get(lane="accelerated", release_id=2).published_at == self.cast.now
        evidence = Evidence.objects.get(release_id=2)
        statement = repository.verify_evidence(evidence.envelope, self.tree._ring.public_key(repository.EVIDENCE_KEY))
        assert statement["predicate"]["release"]["build_digest"] == self.draft.build_digest
        told = CaseEvent.objects.across_companies("a test reads").filter(type="released")
        assert [(event.case.number, event.payload["release"]) for event in told] == [(self.number, 2)]
        assert get_case_for(self.cast.engineer, self.number).fixed_in == 2
        twice = OutboxMessage.objects.values("dedupe_key").annotate(n=Count("id")).filter(n__gt=1)
        assert not twice.exists()


@pytest.fixture
def waiting(cast: Cast, tmp_path: Path) -> Waiting:
    return Waiting(cast, tmp_path)


@pytest.mark.parametrize("point", [point for point in POINTS if point != "never"])
def test_a_publisher_killed_at_any_point_is_made_good_by_the_next(waiting: Waiting, point: str) -> None:
    processes.finish_killed(waiting.publisher(point))
    assert LanePointer.objects.get(lane="accelerated").release_id == 1
    assert Publication.objects.get(lane="accelerated", release_id=2).published_at is None
    assert not Evidence.objects.filter(release_id=2).exists()
    with outside.replaced(tree=waiting.tree):
        assert publish_pending(waiting.cast.now) == [f"accelerated {waiting.draft.build_label}"]
        assert publish_pending(waiting.cast.now) == []
    waiting.demand_published_once()


def test_two_publishing_processes_at_once_publish_once(waiting: Waiting) -> None:
    publishers = [waiting.publisher("never") for _ in range(3)]
    said = [processes.finish(publisher).strip() for publisher in publishers]
    assert sorted(said) == ["", "", f"accelerated {waiting.draft.build_label}"]
    waiting.demand_published_once()


def test_a_batch_asked_for_by_many_at_once_moves_the_standard_lane_once(waiting: Waiting) -> None:
    cast = waiting.cast
    with outside.replaced(tree=waiting.tree):
        publish_pending(cast.now)
        batches = at_once([lambda: run_standard_batch(cast.releaser, cast.now, "now") for _ in range(8)])
        assert not raised(batches)
        published: list[Any] = at_once([lambda: publish_pending(cast.now) for _ in range(4)])
    assert sorted(label for done in returned(published) for label in done) == [f"standard {waiting.draft.build_label}"]
    assert Publication.objects.filter(lane="standard", release_id=2).count() == 1
    assert waiting.tree.shown(Lane.STANDARD) == LanePointer.objects.get(lane="standard").release_id == 2
    waiting.demand_published_once()
