"""How fast verdicts are answered."""
