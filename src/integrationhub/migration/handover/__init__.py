"""What the new service hands over, and takes back: return files, their answers, the crosswalk (handover.md)."""
