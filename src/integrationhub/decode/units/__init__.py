"""Decoders and readers of benefit, payment and event feeds, one a module, by the contract of `sdk.units`."""
