"""Compute every case's projections again from its events, and say where the stored ones differ."""

from collections.abc import Iterator

from guardia.features.cases import operations, queries
from guardia.journeys import case_log
from guardia.kernel.transactions import journey


def rebuild_projections(*, repair: bool) -> Iterator[tuple[str, list[str]]]:
    """Yield (case number, columns that differ) for every case; `repair` saves the computed ones."""
    for case in queries.all_cases().iterator(chunk_size=500):
        with journey():
            locked = operations.lock_case(case)
            events = queries.facts_of(locked)
            columns, vector = case_log.projected(locked, events), case_log.words_of(locked, events)
            if not operations.has_words(locked, vector):
                columns.append("words")
            if columns and repair:
                operations.save_projection(locked, columns, vector)
        yield locked.number, columns
