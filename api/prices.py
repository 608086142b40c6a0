"""What tokens are worth: the estimate of what an account has taken."""

from __future__ import annotations

from typing import Any, NamedTuple

MILLION = 1e6


class Prices(NamedTuple):
    """What a million tokens cost."""

    input: float = 3.0
    output: float = 15.0
    currency: str = "USD"

    def spend(self, input_tokens: int, output_tokens: int) -> float:
        """What so many tokens cost."""
        return (input_tokens * self.input + output_tokens * self.output) / MILLION

    def priority(self, risk: Any, input_tokens: Any, output_tokens: Any) -> Any:
        """Risk times what so many tokens cost: of numbers, or of a table's columns, to the same last bit."""
        return risk * (input_tokens * self.input + output_tokens * self.output) / MILLION


DEFAULT_PRICES = Prices()
