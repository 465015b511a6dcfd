"""Formats numbers for people: sizes, durations, money, shares and bars, the same everywhere."""

from __future__ import annotations

from datetime import UTC, datetime


def size(count: float) -> str:
    """A count in at most five characters: 950, 12.4k, 200k, 1.05M."""
    if abs(count) < 1_000:
        return f"{count:.0f}"
    for unit, name in ((1e3, "k"), (1e6, "M"), (1e9, "G")):
        value = count / unit
        if abs(value) < 999.5 or name == "G":
            digits = 2 if name != "k" and abs(value) < 9.995 else 1
            text = f"{value:.{0 if abs(value) >= 99.95 else digits}f}"
            return (text.rstrip("0").rstrip(".") if "." in text else text) + name
    raise AssertionError("unreachable: every count has a unit")


def data(bytes_: int) -> str:
    """Bytes with their unit in powers of 1000: 950 B, 12.4 kB, 3.1 MB."""
    text = size(bytes_)
    return f"{text[:-1]} {text[-1]}B" if text[-1].isalpha() else f"{text} B"


def seconds(value: float) -> str:
    """A duration: 40ms, 1.2s, 48s, 3m05s, 2h10m."""
    if value < 0.0995:
        return f"{value * 1000:.0f}ms"
    if value < 9.95:
        return f"{value:.1f}s"
    whole = round(value)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02d}m"


def money(dollars: float) -> str:
    """US dollars with four decimals below one dollar and two above; $0 only for exactly zero."""
    if dollars == 0:
        return "$0"
    if 0 < dollars < 0.00005:
        return "<$0.0001"
    return f"${dollars:.4f}" if dollars < 1 else f"${dollars:,.2f}"


def percent(part: float, whole: float) -> str:
    """A share in whole per cent. A small share is <1%, one just below the whole 99%; a share of zero is 0%."""
    if whole <= 0 or part <= 0:
        return "0%"
    share = 100 * part / whole
    if share < 1:
        return "<1%"
    return f"{min(share, 99) if part < whole else share:.0f}%"


def bar(part: float, whole: float, columns: int, unicode: bool = True) -> tuple[str, str]:
    """A bar of exactly ``columns`` as its filled and its empty piece. Every amount above zero fills a column.

    Only a part that is at least the whole fills all columns, if there are two or more.
    """
    full, empty = ("█", "░") if unicode else ("#", ".")
    if part <= 0 or whole <= 0:
        filled = 0
    elif part >= whole:
        filled = columns
    else:
        filled = max(1, min(columns - 1, round(columns * part / whole))) if columns > 1 else columns
    return full * filled, empty * (columns - filled)


def plural(count: int, noun: str, many: str = "") -> str:
    """``1 file``, ``2 files``; ``many`` is the plural of a noun that does not just take an s."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def age(then: float, now: float) -> str:
    """How long ago: now, 5m, 3h, 2d, 6w, then the date (UTC). Both are unix seconds; the future is now."""
    gone = max(0.0, now - then)
    if gone < 60:
        return "now"
    for unit, name, limit in (
        (60, "m", 3600),
        (3600, "h", 86_400),
        (86_400, "d", 14 * 86_400),
        (604_800, "w", 60 * 86_400),
    ):
        if gone < limit:
            return f"{gone // unit:.0f}{name}"
    return datetime.fromtimestamp(then, UTC).strftime("%Y-%m-%d")
