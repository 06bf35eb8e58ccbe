"""Tables that a load writes: the baseline, the buffer, its counts and metadata."""
