"""Reading how long a provider asks to wait: in seconds, milliseconds, as a date, or in Google's form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from typing import Any


def asked_wait(headers: Mapping[str, str], body: Any, now: float) -> float | None:
    """Seconds to wait by retry-after-ms, retry-after (seconds or a date) or Google's retryDelay; None for none of them.

    A date is compared with the answer's Date header, so that a wrong local clock does no harm. A past date gives 0.
    """
    if (ms := _number(headers.get("retry-after-ms"))) is not None:
        return ms / 1000
    after = headers.get("retry-after", "")
    if (seconds := _number(after)) is not None:
        return seconds
    if (then := _date(after)) is not None:
        here = _date(headers.get("date", ""))
        return max(0.0, then - (now if here is None else here))
    delay = re.search(r"'retryDelay': '([\d.]+)s'", str(body)[:4000])
    return float(delay.group(1)) if delay else None


def _number(text: str | None) -> float | None:
    return float(text) if text and re.fullmatch(r"\s*\d+(\.\d+)?\s*", text) else None


def _date(text: str) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        when = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
