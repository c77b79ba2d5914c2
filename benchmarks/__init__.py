"""Speed as ratios measured in one run: `python -m benchmarks [NAME…]`. Run from the checkout, never installed."""
