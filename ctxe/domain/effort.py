"""How hard a model that reasons may be asked to think; apart from the models, so that settings can name it cheaply."""

from typing import Literal

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
"""Least first: every level that OpenAI's or Anthropic's API knows (reasoning.effort, output_config.effort); no model
takes all of them."""
