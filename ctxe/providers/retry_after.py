"""Reading the wait that a provider asks for: in seconds, milliseconds, as a date, or in Google's form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from typing import Any


def asked_wait(headers: Mapping[str, str], body: Any, now: float) -> float | None:
    """Seconds to wait by retry-after-ms, retry-after (seconds or a date) or Google's retryDelay; None for none of them.

    A date is compared with the answer's Date header, so that a wrong local clock does no harm. A past date gives 0.
    """
    if (milliseconds := _number(headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    retry_after = headers.get("retry-after", "")
    if (seconds := _number(retry_after)) is not None:
        return seconds
    if (wanted_at := _date(retry_after)) is not None:
        sent_at = _date(headers.get("date", ""))
        return max(0.0, wanted_at - (now if sent_at is None else sent_at))
    delay = re.search(r"'retryDelay': '([\d.]+)s'", str(body)[:4000])
    return float(delay.group(1)) if delay else None


def _number(text: str | None) -> float | None:
    return float(text) if text and re.fullmatch(r"\s*\d+(\.\d+)?\s*", text) else None


def _date(text: str) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
