"""Speed of hemc: pytest-benchmark files, and the measurements behind docs/benchmarks.md."""
