"""What ``vdf-bench bench`` measures: the harness itself, and how far it would carry."""
