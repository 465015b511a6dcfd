"""How hard a reasoning model may be asked to think; a module of its own, so that settings can import it cheaply."""

from typing import Literal

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
"""From least to most: every level that OpenAI's or Anthropic's API knows (reasoning.effort, output_config.effort); no
model takes all of them.
"""
