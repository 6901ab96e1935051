"""Packages of the wheel: the four plug-in folders stand at the top of the repository, yet install inside vdf_bench."""

from setuptools import find_packages, setup

PLUGINS = ("defenses", "victims", "purifiers", "leaderboard")

setup(
    packages=[
        *find_packages(include=["vdf_bench", "vdf_bench.*"]),
        *(f"vdf_bench.{name}" for top in PLUGINS for name in find_packages(include=[top, f"{top}.*"])),
    ],
    package_dir={"vdf_bench": "vdf_bench", **{f"vdf_bench.{top}": top for top in PLUGINS}},
)
