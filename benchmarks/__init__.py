"""What `ledger_assets` costs, as ratios measured in one run: ``python -m benchmarks``. Nothing here is a test."""
