"""Victims that ship: 3D-field talking-head systems, small enough for two CPU cores."""
