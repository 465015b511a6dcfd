"""Settings from defaults, the user's file, the project's, the environment and flags, merged into one frozen Config."""

from ctxe.config.keys import defaults, every_setting, parse, require
from ctxe.config.load import (
    PROJECT_FILE,
    LoadedConfig,
    cache_folder,
    load,
    read_environment,
    search_outside,
    unheard,
    user_file,
    user_folder,
)
from ctxe.config.values import Config
from ctxe.config.write import drop, example, save

__all__ = [
    "PROJECT_FILE",
    "Config",
    "LoadedConfig",
    "cache_folder",
    "defaults",
    "drop",
    "every_setting",
    "example",
    "load",
    "parse",
    "read_environment",
    "require",
    "save",
    "search_outside",
    "unheard",
    "user_file",
    "user_folder",
]
