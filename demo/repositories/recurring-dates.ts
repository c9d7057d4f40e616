/** The other demo: dates that come again, in Python, with a calendar that forgets where it began. */
import type { DemoRepository } from "./index.ts";

const mirela = { name: "Mirela Popescu", email: "mirela@example.org" };
const owen = { name: "Owen Hughes", email: "owen@example.org" };

export const recurringDates: DemoRepository = {
  name: "recurring-dates",
  owner: "demo-tools",
  description: "Dates that come again",
  needs: "python",
  author: "rentalkit-dev",
  title: "Monthly on the 31st ends up on the 29th for good",
  labels: ["bug", "enhancement", "question"],
  body: `### What happens

We bill rents on the last day of the month. Contract starts 2024-01-31:

\`\`\`
>>> from itertools import islice
>>> from recurring import Rule, occurrences
>>> [str(d) for d in islice(occurrences(Rule.parse("monthly from 2024-01-31")), 5)]
['2024-01-31', '2024-02-29', '2024-03-29', '2024-04-29', '2024-05-29']
\`\`\`

February is right, but **after February it never comes back to the 31st**. A tenant noticed before we did, not great...

### What I expected

2024-01-31, 2024-02-29, 2024-03-31, 2024-04-30, 2024-05-31

The README says "in a month without a 31st, its last day", I read that as *only* in that month.

recurring-dates 1.2.0, Python 3.11 (same on 3.9). \`add_months(date(2024, 1, 31), 2)\` on its own gives 2024-03-31, so the date
arithmetic seems fine?
`,
  commits: [
    {
      message: "Daily, weekly and monthly rules",
      author: mirela,
      date: "2024-03-03T11:20:45+02:00",
      files: [".gitignore", "recurring/dates.py", "recurring/rule.py", "tests/test_dates.py", "tests/test_rule.py"],
      contents: {
        "pyproject.toml": project("1.0.0"),
        "README.md": "# recurring-dates\n\nDates that come again: daily, weekly, monthly.\n",
        "recurring/__init__.py": `"""Dates that come again."""\n\nfrom .dates import add_months, add_years, last_day\nfrom .rule import Rule\n\n__all__ = ["Rule", "add_months", "add_years", "last_day"]\n`,
      },
    },
    {
      message: "Walk through the occurrences of a rule, also yearly",
      author: owen,
      date: "2024-05-18T08:51:07+01:00",
      files: ["recurring/occurrences.py", "recurring/__init__.py", "tests/test_occurrences.py"],
      contents: {
        "pyproject.toml": project("1.1.0"),
        "CHANGES.md": "# Changes\n\n## Unreleased\n\n## 1.1.0\n\n* Yearly rules.\n* `every N`.\n",
      },
    },
    {
      message: "Release 1.2.0: next_after, for reminders",
      author: mirela,
      date: "2024-09-29T17:05:30+03:00",
      files: ["pyproject.toml", "README.md", "CHANGES.md"],
    },
  ],
};

function project(version: string): string {
  return `[project]
name = "recurring-dates"
version = "${version}"
description = "Dates that come again"
readme = "README.md"
requires-python = ">=3.9"

[build-system]
requires = ["setuptools>=61"]
build-backend = "setuptools.build_meta"

[tool.pytest.ini_options]
testpaths = ["tests"]
pythonpath = ["."]
`;
}
