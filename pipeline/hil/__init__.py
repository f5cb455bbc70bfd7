"""Hardware in the loop: packs of firmware, and the lab that measures them."""
