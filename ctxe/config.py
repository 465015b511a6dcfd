"""Settings: defaults, the user's file, the project's, the environment and flags, merged into one frozen Config."""
