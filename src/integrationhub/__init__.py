"""Integration Hub: legacy files and messages to one reconciled canonical debt model, and phased case transfer."""
