from hypothesis import given
from hypothesis import strategies as st

from serbench.runner import extraction


@given(st.integers(1, 200_000), st.integers(1, 64))
def test_files_are_dealt_to_all_workers_in_a_bounded_number_of_jobs(count, workers):
    chunks = extraction._chunks(range(count), workers)
    assert [chunk.start for chunk in chunks[1:]] == [chunk.stop for chunk in chunks[:-1]]
    assert (chunks[0].start, chunks[-1].stop) == (0, count)
    # Each job looks into the shards of those before it: their number must not grow with the corpus.
    assert len(chunks) <= extraction.MOST_JOBS
    sizes = {len(chunk) for chunk in chunks[:-1]}
    assert len(sizes) <= 1 and len(chunks[-1]) <= max(sizes, default=count)
    if count <= extraction.CHUNK * workers:
        assert 2 * len(chunks) >= min(count, workers)
