"""Published claims, measured: what each needs besides a run."""
