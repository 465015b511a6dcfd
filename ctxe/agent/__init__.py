"""The agent loop, its limits, the dispatch of tool calls and the session log."""
