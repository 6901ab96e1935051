"""Records are written once, and what happens to them is appended."""

import json

import pytest

from vdf_bench.core.errors import UserError
from vdf_bench.leaderboard.records import FOLDER, Event, add_event, add_record, path_of, read_record, read_records
from vdf_bench.leaderboard.suites import SUITES


def test_a_record_comes_back_as_it_was(draw, tmp_path):
    record = draw("a", 0.25)
    assert read_record(add_record(record, tmp_path)) == record
    assert read_records(tmp_path) == [record]
    assert add_record(record, tmp_path) == path_of(record, tmp_path)


def test_no_record_is_rewritten(draw, tmp_path):
    add_record(draw("a", 0.25), tmp_path)
    with pytest.raises(UserError, match="raise --entry-version"):
        add_record(draw("a", 0.75), tmp_path)


def test_where_the_machine_gave_up_another_try_is_taken(draw, good, tmp_path):
    from vdf_bench.leaderboard.check import opened
    from vdf_bench.leaderboard.ranking import rows
    from vdf_bench.leaderboard.verify import failed

    with opened(good) as (case, _):
        gave_up = failed(case, "its process ended with\nexit code 9")
    smoke = SUITES["vdf-bench-v1-smoke"]
    assert {row.why for row in rows([gave_up], smoke)} == {"infrastructure failure"}
    path = add_record(gave_up, tmp_path)
    later = draw("striped", 0.5, suite=smoke)
    assert add_record(later, tmp_path) == path and read_record(path) == later


def test_events_are_appended_with_their_reasons(draw, tmp_path):
    path = add_record(draw("a", 0.25), tmp_path)
    add_event(path, Event(status="contested", date="2026-01-01", reason="first"))
    record = add_event(path, Event(status="listed", date="2026-01-02", reason="settled"))
    assert [event.reason for event in record.events] == ["first", "settled"] and record.status == "listed"
    assert record.model_copy(update={"events": []}) == draw("a", 0.25)


@pytest.mark.parametrize(
    "spoil", [lambda t: t[:-20], lambda t: t.replace('"tier"', '"tear"'), lambda t: t.replace("0.25", "7")]
)
def test_damaged_records_are_one_line(draw, tmp_path, spoil):
    path = add_record(draw("a", 0.25), tmp_path)
    path.write_text(spoil(path.read_text()))
    with pytest.raises(UserError, match="is not a record"):
        read_records(tmp_path)


def test_a_record_in_anothers_place_is_noticed(draw, tmp_path):
    path = add_record(draw("a", 0.25), tmp_path)
    path.rename(path.with_name("b-v1.json"))
    with pytest.raises(UserError, match="move it"):
        read_records(tmp_path)


def test_the_boards_own_records_are_sound():
    known = {suite.sha256 for suite in SUITES.values()}
    for record in read_records():
        assert record.suite.sha256 in known, f"{record.id} is of a suite that was changed after it was published"
        assert all((FOLDER / picture).is_file() for picture in record.pictures.values())
        assert json.loads(record.dump())["entry"]["name"] == record.entry.name
