"""How fast one worker takes events, and how far behind it is while they arrive."""
