"""What a run of the tests says about those that it left out."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = "pytester"


def test_skips_are_counted_by_their_reason(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(Path(__file__).with_name("skip_summary.py").read_text(encoding="utf-8"))
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("number", range(3))
        def test_of_data(number):
            pytest.skip("no data sets")

        @pytest.mark.skipif(True, reason="no accelerator")
        def test_of_a_kernel():
            pass

        def test_that_runs():
            pass
        """
    )
    result = pytester.runpytest_inprocess()
    result.stdout.fnmatch_lines(["*skipped tests: 4*", "    3  no data sets", "    1  no accelerator"])
