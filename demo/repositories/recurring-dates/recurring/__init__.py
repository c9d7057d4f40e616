"""Dates that come again."""

from .dates import add_months, add_years, last_day
from .occurrences import next_after, occurrences
from .rule import Rule

__all__ = ["Rule", "add_months", "add_years", "last_day", "next_after", "occurrences"]
