"""Sensor series: written in batches, read back in order, lost without harm."""

from pathlib import Path

from lbl.journal.samples import BATCH, SAMPLES, Samples, read_samples, series


def test_written_in_batches_and_read_in_order(tmp_path: Path) -> None:
    samples = Samples(tmp_path)
    for number in range(BATCH - 1):
        samples.add("temperature", number, 22.0 + number, "degC")
    assert not (tmp_path / SAMPLES).exists()
    samples.add("balance", 7, 1.5, "g")
    assert len(list(read_samples(tmp_path, "temperature"))) == BATCH - 1
    samples.add("balance", 2**62, 2.5)
    samples.close()
    assert list(read_samples(tmp_path, "balance")) == [(7, 1.5), (2**62, 2.5)]
    assert series(tmp_path) == {"temperature": "degC", "balance": "g"}
    again = Samples(tmp_path)
    again.add("balance", 9, 3.5)
    again.add("new", 9, 1.0, "W")
    again.close()
    again.close()
    assert [value for _, value in read_samples(tmp_path, "balance")] == [1.5, 2.5, 3.5]
    assert list(read_samples(tmp_path, "none")) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == [SAMPLES]


def test_losing_them_does_no_harm(tmp_path: Path) -> None:
    assert list(read_samples(tmp_path, "x")) == []
    assert series(tmp_path) == {}
    (tmp_path / SAMPLES).write_bytes(b"this is no database at all" * 100)
    assert list(read_samples(tmp_path, "x")) == []
    assert series(tmp_path) == {}
    samples = Samples(tmp_path)
    samples.add("x", 1, 2.0)
    samples.close()
    assert list(read_samples(tmp_path, "x")) == [(1, 2.0)]  # begun anew


def test_what_cannot_be_written_is_dropped_and_counted(tmp_path: Path) -> None:
    (tmp_path / SAMPLES).mkdir()
    samples = Samples(tmp_path)
    samples.add("x", 1, 2.0)
    samples.close()
    assert samples.dropped == 1
