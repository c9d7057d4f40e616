from datetime import date

import pytest

from recurring import add_months, add_years, last_day


@pytest.mark.parametrize(
    "day, months, expected",
    [
        (date(2024, 1, 15), 1, date(2024, 2, 15)),
        (date(2024, 11, 15), 3, date(2025, 2, 15)),
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2023, 1, 31), 1, date(2023, 2, 28)),
        (date(2024, 12, 31), 0, date(2024, 12, 31)),
    ],
)
def test_add_months(day, months, expected):
    assert add_months(day, months) == expected


def test_a_leap_day_falls_back_to_the_28th():
    assert add_years(date(2024, 2, 29), 1) == date(2025, 2, 28)
    assert add_years(date(2024, 2, 29), 4) == date(2028, 2, 29)


def test_last_day():
    assert [last_day(2024, month) for month in (1, 2, 4)] == [31, 29, 30]
