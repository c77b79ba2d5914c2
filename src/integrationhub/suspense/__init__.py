"""Suspense as people work it: money whose debt was not found, looked at, given where it belongs, taken back."""
