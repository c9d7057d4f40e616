/** What a model said about `recurring-dates`, turn by turn: the same mistake stood in two places. */
import { aboutIssue, bash, replace, view, type Scenario } from "../model/scenario.ts";
import { recurringDates as repository } from "../repositories/recurring-dates.ts";
import { answer, turn } from "./turns.ts";

export const recurringDates: Scenario = {
  name: repository.name,
  matches: aboutIssue(repository.title),
  classifier: [
    answer({
      category: "bug",
      summary:
        "A monthly rule that starts on the 31st stays on the 29th after February instead of coming back to the end of each month.",
      reason: "The library gives dates that contradict its README, and the issue shows how to see it.",
    }),
  ],
  planner: [
    turn(
      "I read how a rule is walked, and what the tests say about short months.",
      bash("git log --oneline | head -5; git ls-files"),
      view("recurring/occurrences.py"),
      view("recurring/dates.py"),
      view("tests/test_occurrences.py"),
    ),
    turn(
      "Each date is computed from the one before it, so a shortened day is lost for good. I check it with the issue's rule.",
      bash(
        `python3 -c "from itertools import islice; from recurring import Rule, occurrences; print([str(d) for d in islice(occurrences(Rule.parse('monthly from 2024-01-31')), 5)])"`,
      ),
    ),
    answer({
      cause:
        "occurrences() in recurring/occurrences.py feeds each date back into _following(). add_months() shortens the 31st to the 29th in February, and the next step starts from the 29th: the day of the rule's start is forgotten (seen: 2024-02-29, 2024-03-29).",
      steps: [
        "Add a failing test to tests/test_occurrences.py: monthly from 2024-01-31 gives 01-31, 02-29, 03-31, 04-30, 05-31.",
        "In recurring/occurrences.py, compute the n-th date from rule.start instead of from the date before.",
        "Add a line under Unreleased in CHANGES.md.",
      ],
      files: ["recurring/occurrences.py", "tests/test_occurrences.py", "CHANGES.md"],
      test: "tests/test_occurrences.py: the first five dates of `monthly from 2024-01-31`; run with `python3 -m pytest`.",
      risks: ["`every N` must go on counting from the start; the tests with every 2 must stay as they are."],
    }),
  ],
  coder: [
    [
      turn(
        "I read the code and see the problem with my own eyes.",
        view("recurring/occurrences.py"),
        bash("cat tests/test_occurrences.py; cat CHANGES.md"),
        bash(
          `python3 -c "from itertools import islice; from recurring import Rule, occurrences; print([str(d) for d in islice(occurrences(Rule.parse('monthly from 2024-01-31')), 5)])"`,
        ),
      ),
      turn(
        "Reproduced. The test first.",
        replace(
          "tests/test_occurrences.py",
          "def test_yearly():\n",
          `def test_monthly_comes_back_to_the_31st_after_a_short_month():
    assert first(5, "monthly from 2024-01-31") == [
        "2024-01-31",
        "2024-02-29",
        "2024-03-31",
        "2024-04-30",
        "2024-05-31",
    ]


def test_every_third_month_keeps_its_day():
    assert first(3, "every 3 monthly from 2024-08-31") == ["2024-08-31", "2024-11-30", "2025-02-28"]


def test_yearly():
`,
        ),
      ),
      turn("It must fail now.", bash("python3 -m pytest -q 2>&1 | tail -15")),
      turn(
        "It fails with the dates of the issue. The months are now counted from the start of the rule.",
        replace(
          "recurring/occurrences.py",
          `    current = rule.start
    while until is None or current <= until:
        yield current
        current = _following(rule, current)
`,
          `    current = rule.start
    steps = 0
    while until is None or current <= until:
        yield current
        steps += 1
        current = _following(rule, current, steps)
`,
        ),
        replace(
          "recurring/occurrences.py",
          "def _following(rule: Rule, current: date) -> date:\n",
          "def _following(rule: Rule, current: date, steps: int) -> date:\n",
        ),
        replace(
          "recurring/occurrences.py",
          "        return add_months(current, rule.every)\n",
          "        # From the start: a day that February shortened must not stay short.\n        return add_months(rule.start, steps * rule.every)\n",
        ),
        replace(
          "CHANGES.md",
          "## Unreleased\n",
          "## Unreleased\n\n* A monthly rule comes back to its day after a shorter month.\n",
        ),
      ),
      turn(
        "The whole suite, and what I leave behind.",
        bash("python3 -m pytest -q 2>&1 | tail -5"),
        bash("git status --short; git diff"),
      ),
      turn(
        `A monthly rule computed each date from the one before it, so the day that February shortened to the 29th was never restored.

recurring/occurrences.py now counts the months from the rule's start. Two new tests prove it: the dates of the issue, and every third month from the 31st. The first failed before (2024-03-29) and passes now; \`python3 -m pytest\` passes as a whole. CHANGES.md has a line.

Daily and weekly rules are untouched: their steps always have the same length.`,
      ),
    ],
    [
      turn(
        "True: a leap day is lost in the same way. I see it fail first.",
        bash(
          `python3 -c "from itertools import islice; from recurring import Rule, occurrences; print([str(d) for d in islice(occurrences(Rule.parse('yearly from 2024-02-29')), 5)])"`,
        ),
        view("recurring/occurrences.py"),
      ),
      turn(
        "A test beside the other yearly one.",
        replace(
          "tests/test_occurrences.py",
          "def test_until_is_included():\n",
          `def test_yearly_comes_back_to_the_leap_day():
    assert first(5, "yearly from 2024-02-29") == [
        "2024-02-29",
        "2025-02-28",
        "2026-02-28",
        "2027-02-28",
        "2028-02-29",
    ]


def test_until_is_included():
`,
        ),
        bash("python3 -m pytest -q 2>&1 | tail -5"),
      ),
      turn(
        "Every frequency is now counted from the start: one rule for all four, and nothing left that could forget it.",
        replace(
          "recurring/occurrences.py",
          `        steps += 1
        current = _following(rule, current, steps)
`,
          `        steps += 1
        current = _nth(rule, steps)
`,
        ),
        replace(
          "recurring/occurrences.py",
          `def _following(rule: Rule, current: date, steps: int) -> date:
    if rule.frequency == "daily":
        return current + timedelta(days=rule.every)
    if rule.frequency == "weekly":
        return current + timedelta(weeks=rule.every)
    if rule.frequency == "monthly":
        # From the start: a day that February shortened must not stay short.
        return add_months(rule.start, steps * rule.every)
    return add_years(current, rule.every)
`,
          `def _nth(rule: Rule, steps: int) -> date:
    """Counted from the start: a day that a short month cut off must come back after it."""
    distance = steps * rule.every
    if rule.frequency == "daily":
        return rule.start + timedelta(days=distance)
    if rule.frequency == "weekly":
        return rule.start + timedelta(weeks=distance)
    if rule.frequency == "monthly":
        return add_months(rule.start, distance)
    return add_years(rule.start, distance)
`,
        ),
        replace(
          "CHANGES.md",
          "* A monthly rule comes back to its day after a shorter month.\n",
          "* Monthly and yearly rules come back to their day after a shorter month.\n",
        ),
      ),
      turn("Everything again.", bash("python3 -m pytest -q 2>&1 | tail -5"), bash("git diff --stat")),
      turn(
        `Yearly rules had the same mistake: 29 February became the 28th for good. All four frequencies are now counted from the rule's start by one function, \`_nth\`, which replaces \`_following\`.

A new test has the leap day over five years; it failed before this round (2028-02-28). \`python3 -m pytest\` passes.`,
      ),
    ],
  ],
  reviewer: [
    [
      turn(
        "I run the suite, and try the other frequency that can meet a short month.",
        bash("python3 -m pytest -q 2>&1 | tail -5"),
        bash(
          `python3 -c "from itertools import islice; from recurring import Rule, occurrences; print([str(d) for d in islice(occurrences(Rule.parse('yearly from 2024-02-29')), 5)])"`,
        ),
        bash("grep -n 'steps' recurring/occurrences.py"),
      ),
      answer({
        verdict: "request-changes",
        summary:
          "The reported case is solved at its cause and proved by a test that fails without the change. Yearly rules forget their day in the same way.",
        findings: [
          {
            path: "recurring/occurrences.py",
            line: 28,
            severity: "should-fix",
            finding:
              "Only the monthly branch counts from the start. The yearly one still steps from the date before: `yearly from 2024-02-29` gives 2028-02-28 (tried), though 2028 has a leap day. Count all branches from rule.start, and add a test.",
          },
        ],
      }),
    ],
    [
      turn(
        "I look whether the finding of the first round is dealt with, and whether weekly and daily rules stayed the same.",
        bash("python3 -m pytest -q 2>&1 | tail -5"),
        bash(
          `python3 -c "from itertools import islice; from recurring import Rule, occurrences; print([[str(d) for d in islice(occurrences(Rule.parse(t)), 5)] for t in ('yearly from 2024-02-29', 'every 2 weekly from 2024-05-06', 'every 10 daily from 2024-02-20')])"`,
        ),
      ),
      answer({
        verdict: "approve",
        summary:
          "All frequencies are counted from the start by one function, with tests for the month and for the leap day that failed before. The suite passes and nothing else is touched.",
        findings: [],
      }),
    ],
  ],
};
