"""What people look at: the terminal's tables and the pictures."""

from forecast.report.terminal import print_summary, verdict_lines

__all__ = ["print_summary", "verdict_lines"]
