"""Walks a rule through the calendar."""

from datetime import date, timedelta
from typing import Iterator, Optional

from .dates import add_months, add_years
from .rule import Rule


def occurrences(rule: Rule, until: Optional[date] = None) -> Iterator[date]:
    """All dates of the rule in order, from its start to ``until`` (included), or without end."""
    current = rule.start
    while until is None or current <= until:
        yield current
        current = _following(rule, current)


def next_after(rule: Rule, day: date) -> date:
    """The first date of the rule after ``day``."""
    for occurrence in occurrences(rule):
        if occurrence > day:
            return occurrence
    raise AssertionError("a rule has no end")


def _following(rule: Rule, current: date) -> date:
    if rule.frequency == "daily":
        return current + timedelta(days=rule.every)
    if rule.frequency == "weekly":
        return current + timedelta(weeks=rule.every)
    if rule.frequency == "monthly":
        return add_months(current, rule.every)
    return add_years(current, rule.every)
