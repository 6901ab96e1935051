"""Checks that a plug-in keeps the contract of its kind, for its author's own test suite.

Each function takes a component, as a class (then with its defaults) or as an instance, runs it on small clips of the
package's own scenes, and returns a :class:`Report` of the properties that hold. The first one that does not raises an
AssertionError that names it, says what was found, and what to do::

    from vdf_bench.testing import check_defense
    from my_package.defense import Mine


    def test_contract():
        check_defense(Mine)

A check takes seconds where a component is of cost ``seconds``. Iterative methods are checked as well with few
iterations: ``check_defense(Mine.configured({"steps": 4}))``.
"""

from vdf_bench.testing.clips import check_clips
from vdf_bench.testing.component import check_component
from vdf_bench.testing.defense import check_defense
from vdf_bench.testing.judge import check_judge
from vdf_bench.testing.landmarker import check_landmarker
from vdf_bench.testing.parser import check_parser
from vdf_bench.testing.purifier import check_purifier
from vdf_bench.testing.recogniser import check_recogniser
from vdf_bench.testing.report import Report
from vdf_bench.testing.victim import check_victim

__all__ = [
    "Report",
    "check_clips",
    "check_component",
    "check_defense",
    "check_judge",
    "check_landmarker",
    "check_parser",
    "check_purifier",
    "check_recogniser",
    "check_victim",
]
