from hypothesis import given, settings
from hypothesis import strategies as st
from tests.labkit.conftest import noise

from labkit.analysers.sequences import LONGEST, LOOKED_AT, SHORTEST, candidates, is_substantial

FAMILY = b"LAB-HARMLESS-FAMILY-0042"


def test_what_several_samples_share_is_found_wherever_it_lies() -> None:
    samples = [noise(str(at), 500 * at) + FAMILY + noise(f"after {at}", 700) for at in range(1, 5)]
    found = candidates(samples)
    assert FAMILY in found[0].content
    assert "all 4 samples" in found[0].why
    assert samples[0][found[0].offset :].startswith(found[0].content)


def test_samples_that_share_nothing_give_no_candidate() -> None:
    assert candidates([noise("a", 4000), noise("b", 4000)]) == []


def test_samples_that_share_only_padding_give_no_candidate() -> None:
    assert candidates([noise("a", 400) + bytes(900), noise("b", 400) + bytes(900)]) == []


def test_of_a_single_sample_what_repeats_comes_first() -> None:
    sample = noise("x", 3000) + (FAMILY + noise("gap", 40)) * 3 + b"a readable sentence, though" + noise("y", 100)
    assert "repeats" in candidates([sample])[0].why


def test_words_come_before_dense_bytes() -> None:
    assert candidates([noise("x", 3000) + FAMILY + noise("y", 3000)])[0].content.find(FAMILY) >= 0


def test_a_shared_run_in_a_large_sample_is_found() -> None:
    small = noise("s", 1000) + FAMILY + noise("t", 1000)
    large = noise("l", 3 * 2**20) + FAMILY
    assert any(FAMILY in candidate.content for candidate in candidates([small, large]))


def test_nothing_comes_of_nothing() -> None:
    assert candidates([]) == candidates([b""]) == candidates([b"short"]) == candidates([bytes(5000)]) == []


def test_thin_content_is_refused() -> None:
    for thin in (bytes(40), b"ab" * 20, b"=" * 30 + b"title1", b"short"):
        assert not is_substantial(thin)
    assert is_substantial(FAMILY)


@settings(max_examples=40, deadline=None)
@given(samples=st.lists(st.binary(max_size=400), min_size=1, max_size=4))
def test_every_candidate_lies_in_every_sample(samples: list[bytes]) -> None:
    for candidate in candidates(samples):
        assert SHORTEST <= len(candidate.content) <= LONGEST
        assert is_substantial(candidate.content)
        assert all(candidate.content in sample for sample in samples)


def test_a_large_sample_is_looked_at_in_blocks() -> None:
    found = candidates([noise("big", 4 * LOOKED_AT)])
    assert max(candidate.offset for candidate in found) > 3 * LOOKED_AT
