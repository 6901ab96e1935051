"""Executors: they run a plan's steps against a store, and differ in where."""
