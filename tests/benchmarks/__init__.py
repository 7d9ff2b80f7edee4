"""Ratios against peers, side by side in one run. Never asserted in tests; run by `make bench`."""
