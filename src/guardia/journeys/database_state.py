"""The database at a release: the fold of the record log, and its exact build. The log never changes, so it is kept."""

from functools import lru_cache

from guardia.features.releases import queries
from guardia.kernel.errors import Refused
from guardia.kernel.outside import outside
from sigdist.records import Build, OperationRefused, State, apply, build, operations_from_json

EMPTY_LABEL = "0"


@lru_cache(maxsize=64)
def state_at(number: int) -> State:
    """Return the records of a release; 0 is the empty database before the baseline."""
    if number == 0:
        return State.empty()
    release = queries.get_release(number)
    return apply(state_at(number - 1), operations_from_json(release.operations), at_release=state_at)


def build_at(number: int) -> Build:
    """Return the exact build of a release, its files kept for the lab."""
    label = queries.get_release(number).label if number else EMPTY_LABEL
    made = build(state_at(number), number, label)
    outside().builds.keep(made.files)
    return made


def next_state(base: int, operations: object) -> State:
    """Return the state after `operations` (as JSON) on release `base`; raise Refused naming what is wrong and where."""
    try:
        return apply(state_at(base), operations_from_json(operations), at_release=state_at)
    except OperationRefused as error:
        raise Refused("operation_refused", str(error)) from error
