"""A driver of its own: works off chains of cheap steps and prints their sum. Tests kill it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))


class Silent:
    """Shows nothing."""

    def __getattr__(self, name):
        return lambda *_, **__: None


def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def main(where, count, length, seconds):
    from fault_steps import chains

    from vdf_bench.core.errors import UserError
    from vdf_bench.execute.executor import Resources
    from vdf_bench.execute.schedule import execute
    from vdf_bench.store import Store

    plan, last = chains(int(count), int(length), float(seconds))
    store = Store(where)
    say("driving")
    try:
        tally = execute(plan, store, Resources(2, preload=("fault_steps",)), dict.fromkeys(plan.steps, 1.0), Silent())
    except UserError as error:
        say(error)
        sys.exit(2)
    say(int(store.get(last).arrays["sum"]), len(tally.computed))


if __name__ == "__main__":
    main(*sys.argv[1:])
