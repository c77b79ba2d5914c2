"""The quarantine as people work it: looked at, corrected, resubmitted, discarded, by hand or by rule."""
