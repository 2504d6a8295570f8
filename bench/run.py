"""The benchmark: each figure beside its limit of the same minute, as JSON lines on stdout and in bench/results/.

    python bench/run.py [--system NAME ...] [--quick | --full | --size SIZE] [--results DIR] [CASE ...]
    python bench/report.py bench/results/*.jsonl

Without a CASE all run; without a system, affwire. `--list` names the cases.
"""

if __name__ == "__main__":  # processes that are started by this one load it again: it must stay light
    from command import main

    raise SystemExit(main())
