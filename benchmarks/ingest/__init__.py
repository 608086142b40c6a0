"""How fast events are stored durably."""
