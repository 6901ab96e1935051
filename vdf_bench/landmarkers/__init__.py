"""Landmarkers, a kind of plug-in: 68 points a frame, for captures and for judges."""
