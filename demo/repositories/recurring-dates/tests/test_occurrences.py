from datetime import date
from itertools import islice

from recurring import Rule, next_after, occurrences


def first(count, text):
    return [day.isoformat() for day in islice(occurrences(Rule.parse(text)), count)]


def test_daily():
    assert first(3, "daily from 2024-02-28") == ["2024-02-28", "2024-02-29", "2024-03-01"]


def test_every_second_week():
    assert first(3, "every 2 weekly from 2024-05-06") == ["2024-05-06", "2024-05-20", "2024-06-03"]


def test_monthly():
    assert first(3, "monthly from 2024-01-15") == ["2024-01-15", "2024-02-15", "2024-03-15"]


def test_monthly_uses_the_last_day_of_a_short_month():
    assert first(2, "monthly from 2024-01-31") == ["2024-01-31", "2024-02-29"]


def test_yearly():
    assert first(3, "yearly from 2023-07-01") == ["2023-07-01", "2024-07-01", "2025-07-01"]


def test_until_is_included():
    rule = Rule.parse("weekly from 2024-05-06")
    assert list(occurrences(rule, until=date(2024, 5, 13))) == [date(2024, 5, 6), date(2024, 5, 13)]


def test_next_after():
    rule = Rule.parse("monthly from 2024-01-15")
    assert next_after(rule, date(2024, 1, 15)) == date(2024, 2, 15)
    assert next_after(rule, date(2023, 6, 1)) == date(2024, 1, 15)
