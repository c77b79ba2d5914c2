"""Messages taken: read, judged in batches against what the store has, and kept with everything that follows."""
