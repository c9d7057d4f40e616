"""Arithmetic with months and years, where the days do not come out even."""

import calendar
from datetime import date


def last_day(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def add_months(day: date, months: int) -> date:
    """The same day of a later month, or its last day where the month is too short."""
    index = day.year * 12 + (day.month - 1) + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, last_day(year, month + 1)))


def add_years(day: date, years: int) -> date:
    """The same day of a later year; 29 February becomes the 28th where there is none."""
    return add_months(day, 12 * years)
