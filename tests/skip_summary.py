"""The last lines of a run of the tests: what was left out, and why."""

from __future__ import annotations

from collections import Counter

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Count the skipped tests by their reasons: a machine without the data sets must not pass in silence."""
    reports = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in reports)
    if reasons:
        terminalreporter.section(f"skipped tests: {len(reports)}")
    for reason, count in reasons.most_common():
        terminalreporter.line(f"{count:5}  {reason}")
