"""Many end users behind one account: an application.

Fires on (against): many different end-user ids, each with several requests.
Does not fire on: ids used once each, which anyone can make up.
Known evasion: invented end users that come back. So its weight is bounded, and it never clears an account alone.
Source: provider guidance on safety_identifier / metadata.user_id.
"""

import numpy as np
import polars as pl

from detector.signals.base import Signal
from detector.view import View

RETURNING = 2  # requests from which an end user counts as one who came back


def _value(view: View) -> np.ndarray:
    returning = view.kind("end_user").filter(pl.col("n") >= RETURNING).group_by("acct").len()
    return np.log2(1 + view.aligned(returning, "len"))


SIGNAL = Signal(
    name="end_users",
    title="Many returning end users",
    direction="against",
    unit="returning end users",
    display=lambda x: 2**x - 1,
    value=_value,
    text=lambda x, n: f"{2**x - 1:.0f} end users come back behind this account.",
    shows=lambda r: r.times("end_user") >= RETURNING,
    beside="end_user",
)
