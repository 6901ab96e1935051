"""Executors: they run a plan's steps against a store, and differ in where.

``schedule`` decides what runs next, ``executor`` is what it asks of an executor, ``local`` and ``ray`` are two,
``placement`` tells what a step asks of a cluster, ``child`` and ``worker`` are the two ends of the process that every
step has to itself.
"""
