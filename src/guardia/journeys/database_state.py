"""The database at a release: the fold of the record log, and its exact build.

States are kept by number and state root, since the log never changes; each fold is compared with the root that the
log names, so that a damaged log is noticed before anything is built from it.
"""

from collections import OrderedDict

from guardia.features.releases import queries
from guardia.kernel.errors import Refused
from guardia.kernel.outside import outside
from sigdist.records import Build, OperationRefused, State, apply, build, operations_from_json

EMPTY_LABEL = "0"
_KEPT = 16
_states: OrderedDict[tuple[int, str], State] = OrderedDict()


def state_at(number: int) -> State:
    """Return the records of a release; 0 is the empty database before the baseline."""
    if number == 0:
        return State.empty()
    roots = dict(queries.log().filter(number__lte=number).values_list("number", "state_root"))
    kept = max((at for at, root in _states if roots.get(at) == root), default=0)
    state = _states[(kept, roots[kept])] if kept else State.empty()
    for release in queries.log().filter(number__gt=kept, number__lte=number):
        state = apply(state, operations_from_json(release.operations), at_release=state_at)
        if state.state_root != release.state_root:
            raise Refused("log_damaged", f"release {release.number} adds up to another state root than the log names")
        _keep(release.number, state)
    return state


def _keep(number: int, state: State) -> None:
    _states[(number, state.state_root)] = state
    while len(_states) > _KEPT:
        _states.popitem(last=False)


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
