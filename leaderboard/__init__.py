"""The leaderboard: submissions of strangers, what they are held to, and how they rank (``docs/leaderboard.md``).

A submission holds protected clips or the name of a method, never a score that counts. ``suite.py`` says what everybody
is measured on, ``manifest.py`` what a submission says of itself, ``rules/`` what it must not be, ``verify.py`` computes
it again, ``records.py`` keeps what came of it, ``ranking.py`` orders that and ``site/`` shows it.
"""
