"""The judges, one a module: the checks of a feed as its document lists them, in that order."""
