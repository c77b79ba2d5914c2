"""Files and messages of benefit, payment and event feeds: cut into units, judged, and kept with all that follows."""
