"""Months, working days and the month in which a corrected submission counts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.adapters.offices.calendar import WorkingCalendar
from mailbot.app.errors import OperatorFault
from mailbot.core.rules.periods import counting_month, day_of, month_of, working_days_after

SHANGHAI = timezone(timedelta(hours=8))


def weekdays(day: date) -> bool:
    return day.weekday() < 5


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("moment", "month"),
    [
        (at("2026-08-01 00:00"), date(2026, 8, 1)),
        (at("2026-07-31 23:59:59"), date(2026, 7, 1)),
        (datetime(2026, 7, 31, 15, 59, 59, tzinfo=UTC), date(2026, 7, 1)),
        (datetime(2026, 7, 31, 16, 0, tzinfo=UTC), date(2026, 8, 1)),
        (datetime(2025, 12, 31, 16, 0, tzinfo=UTC), date(2026, 1, 1)),
        (datetime(2026, 8, 1, 2, 0, tzinfo=timezone(timedelta(hours=14))), date(2026, 7, 1)),
    ],
)
def test_a_month_is_the_office_s_month_whatever_zone_the_moment_has(
    moment: datetime, month: date
) -> None:
    assert month_of(moment) == month


def test_a_moment_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        month_of(datetime(2026, 8, 1))
    with pytest.raises(ValueError, match="naive"):
        day_of(datetime(2026, 8, 1))


@pytest.mark.parametrize(
    ("start", "n", "expected"),
    [
        (date(2026, 8, 3), 0, date(2026, 8, 3)),
        (date(2026, 8, 3), 1, date(2026, 8, 4)),
        (date(2026, 8, 7), 1, date(2026, 8, 10)),  # Friday: Monday
        (date(2026, 8, 8), 1, date(2026, 8, 10)),  # Saturday: Monday
        (date(2026, 8, 9), 3, date(2026, 8, 12)),
    ],
)
def test_the_start_itself_never_counts(start: date, n: int, expected: date) -> None:
    assert working_days_after(start, n, weekdays) == expected


def test_holidays_and_make_up_days_are_the_calendar_s() -> None:
    calendar = WorkingCalendar(None)
    # National Day 2025 with Mid-Autumn: 1 to 8 October off, Saturday 11 October worked.
    assert working_days_after(date(2025, 9, 30), 1, calendar.is_working_day) == date(2025, 10, 9)
    assert working_days_after(date(2025, 9, 30), 3, calendar.is_working_day) == date(2025, 10, 11)


def test_a_calendar_without_working_days_is_an_error_and_no_endless_loop() -> None:
    with pytest.raises(ValueError, match="no working day"):
        working_days_after(date(2026, 8, 3), 1, lambda _: False)
    with pytest.raises(ValueError, match="-1"):
        working_days_after(date(2026, 8, 3), -1, weekdays)


@given(st.dates(date(2004, 1, 1), date(2030, 12, 31)), st.integers(1, 40))
def test_exactly_n_working_days_lie_between(start: date, n: int) -> None:
    calendar = WorkingCalendar(None)
    end = working_days_after(start, n, calendar.is_working_day)
    days = [start + timedelta(days=i) for i in range(1, (end - start).days + 1)]
    assert sum(map(calendar.is_working_day, days)) == n
    assert calendar.is_working_day(end)


FIRST = at("2026-07-30 17:55")  # a Thursday


@pytest.mark.parametrize(
    ("corrected", "month"),
    [
        ("2026-07-30 18:20", date(2026, 7, 1)),
        ("2026-08-03 09:00", date(2026, 7, 1)),  # second working day
        ("2026-08-04 23:59", date(2026, 7, 1)),  # the third, to its last minute
        ("2026-08-05 00:00", date(2026, 8, 1)),
        ("2026-09-01 08:00", date(2026, 9, 1)),
        ("2026-07-30 17:00", date(2026, 7, 1)),  # arrived out of order
    ],
)
def test_a_correction_in_time_keeps_the_month_of_the_first_mail(
    corrected: str, month: date
) -> None:
    assert counting_month(FIRST, at(corrected), 3, weekdays) == month


def test_with_no_days_allowed_only_the_same_day_keeps_the_month() -> None:
    last = at("2026-07-31 10:00")
    assert counting_month(last, at("2026-07-31 20:00"), 0, weekdays) == date(2026, 7, 1)
    assert counting_month(last, at("2026-08-01 08:00"), 0, weekdays) == date(2026, 8, 1)


def test_spring_festival_does_not_use_up_the_days() -> None:
    calendar = WorkingCalendar(None)
    # 2025: 28 January to 4 February off; 26 January and 8 February worked.
    first = at("2025-01-27 10:00")
    counted = counting_month(first, at("2025-02-07 17:00"), 3, calendar.is_working_day)
    assert counted == date(2025, 1, 1)
    late = counting_month(first, at("2025-02-08 09:00"), 3, calendar.is_working_day)
    assert late == date(2025, 2, 1)


# --- the calendar -----------------------------------------------------------------------------


def overrides(tmp_path, text: str, encoding: str = "utf-8"):
    path = tmp_path / "holidays.toml"
    path.write_bytes(text.encode(encoding))
    return path


def test_the_office_s_file_overrules_the_schedule(tmp_path) -> None:
    path = overrides(
        tmp_path,
        '[[day]]\ndate = 2026-07-20\nkind = "holiday"\nname = "那达慕"\n'
        '[[day]]\ndate = 2026-07-25\nkind = "workday"\nname = "补班"\n',
        "gb18030",
    )
    calendar = WorkingCalendar(path)
    assert not calendar.is_working_day(date(2026, 7, 20))
    assert calendar.is_working_day(date(2026, 7, 25))
    assert calendar.is_working_day(date(2026, 7, 21))


def test_beyond_the_known_years_weekdays_stand_in_with_overrides(tmp_path) -> None:
    end = WorkingCalendar(None).covered_until
    after = date(end.year + 1, 3, 1)
    monday = after - timedelta(days=after.weekday())
    path = overrides(tmp_path, f'[[day]]\ndate = {monday}\nkind = "holiday"\nname = "放假"\n')
    calendar = WorkingCalendar(path)
    assert not calendar.is_working_day(monday)
    assert calendar.is_working_day(monday + timedelta(days=1))
    assert not calendar.is_working_day(monday + timedelta(days=5))
    assert calendar.is_working_day(date(1990, 1, 1))


def test_the_end_of_coverage_is_announced_eight_weeks_ahead(tmp_path) -> None:
    calendar = WorkingCalendar(None)
    end = calendar.covered_until
    assert (end.month, end.day) == (12, 31)
    assert calendar.warnings(end - timedelta(weeks=8)) == []
    (ahead,) = calendar.warnings(end - timedelta(weeks=8) + timedelta(days=1))
    assert "即将" in ahead
    assert end.isoformat() in ahead
    (past,) = calendar.warnings(end + timedelta(days=1))
    assert "已经" in past


def test_a_year_the_office_entered_in_full_ends_the_warning(tmp_path) -> None:
    end = WorkingCalendar(None).covered_until
    year = end.year + 1
    day = f'[[day]]\ndate = {year}-01-01\nkind = "holiday"\nname = "元旦"\n'
    calendar = WorkingCalendar(overrides(tmp_path, f"complete_until = {year}-12-31\n{day}"))
    assert calendar.warnings(end) == []
    assert calendar.warnings(date(year, 12, 1))
    assert str(tmp_path) in calendar.warnings(date(year, 12, 1))[0]


def test_a_year_said_to_be_complete_without_any_holiday_is_not_believed(tmp_path) -> None:
    year = WorkingCalendar(None).covered_until.year + 1
    for day in ("", f'[[day]]\ndate = {year}-01-01\nkind = "holiday"\nname = "元旦"\n'):
        path = overrides(tmp_path, f"complete_until = {year + 1}-12-31\n{day}")
        with pytest.raises(OperatorFault) as caught:
            WorkingCalendar(path)
        (fault,) = caught.value.faults
        assert f"没有 {year + 1 if day else year} 年的放假日" in fault.found
        assert "complete_until" in fault.where


def test_an_older_statement_of_completeness_does_not_shorten_coverage(tmp_path) -> None:
    calendar = WorkingCalendar(overrides(tmp_path, "complete_until = 2020-12-31\n"))
    assert calendar.covered_until == WorkingCalendar(None).covered_until


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[day]]\ndate = "2026-07-20"\nkind = "holiday"\nname = "节"\n', ["不加引号", "第 2 行"]),
        ('[[day]]\ndate = 2026-07-20\nkind = "holidy"\nname = "节"\n', ["holidy", "holiday"]),
        ('[[day]]\ndate = 2026-07-20\nkind = "holiday"\n', ["缺少 name"]),
        ('[[day]]\ndate = 2026-07-20\nkind = "假日"\nnmae = "节"\n', ["假日", "nmae", "name"]),
        (
            '[[day]]\ndate = 2026-07-20\nkind = "holiday"\nname = "节"\n' * 2,
            ["2026-07-20 写了两次", "第 6 行"],
        ),
        ("[[day]]\ndate ＝ 2026-07-20\n", ["＝", "第 2 行"]),
        ("days = 3\n", ["days"]),
    ],
)
def test_a_faulty_override_file_is_refused_plainly(tmp_path, text: str, said: list[str]) -> None:
    with pytest.raises(OperatorFault) as caught:
        WorkingCalendar(overrides(tmp_path, text))
    for words in said:
        assert words in str(caught.value)


def test_a_missing_override_file_is_said_and_not_ignored(tmp_path) -> None:
    with pytest.raises(OperatorFault, match="没有这个文件"):
        WorkingCalendar(tmp_path / "holidays.toml")


def test_the_shipped_override_file_is_sound() -> None:
    from mailbot.adapters.system import shipped

    WorkingCalendar(shipped("config") / "holidays.toml")
