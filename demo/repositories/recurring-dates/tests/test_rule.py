from datetime import date

import pytest

from recurring import Rule


def test_a_rule_is_read_from_text():
    assert Rule.parse("weekly from 2024-05-06") == Rule("weekly", date(2024, 5, 6))
    assert Rule.parse("every 3 Monthly from 2024-01-31") == Rule("monthly", date(2024, 1, 31), 3)


@pytest.mark.parametrize("text", ["", "monthly", "hourly from 2024-01-01", "every 0 daily from 2024-01-01"])
def test_what_is_not_a_rule_is_refused(text):
    with pytest.raises(ValueError):
        Rule.parse(text)
