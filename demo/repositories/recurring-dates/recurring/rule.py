"""What comes again, and how often."""

import re
from dataclasses import dataclass
from datetime import date

FREQUENCIES = ("daily", "weekly", "monthly", "yearly")

_TEXT = re.compile(r"(?:every\s+(\d+)\s+)?(\w+)\s+from\s+(\d{4}-\d{2}-\d{2})", re.IGNORECASE)


@dataclass(frozen=True)
class Rule:
    frequency: str
    start: date
    every: int = 1

    def __post_init__(self) -> None:
        if self.frequency not in FREQUENCIES:
            raise ValueError(f"frequency must be one of {', '.join(FREQUENCIES)}: {self.frequency!r}")
        if self.every < 1:
            raise ValueError(f"every must be 1 or more: {self.every}")

    @classmethod
    def parse(cls, text: str) -> "Rule":
        """Reads ``every 2 weekly from 2024-05-06``."""
        match = _TEXT.fullmatch(text.strip())
        if not match:
            raise ValueError(f"not a rule: {text!r}")
        every, frequency, start = match.groups()
        return cls(frequency.lower(), date.fromisoformat(start), int(every or 1))
