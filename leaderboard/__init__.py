"""Where submissions and their ranking live; no submission is taken yet."""
