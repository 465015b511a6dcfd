"""Settings from defaults, the user's file, the project's, the environment and flags, merged into one frozen Config."""

from ctxe.config.keys import all_settings, defaults, parse_setting, require
from ctxe.config.load import (
    PROJECT_FILE,
    LoadedConfig,
    cache_folder,
    load,
    read_environment,
    search_outside,
    unknown_variables,
    user_file,
    user_folder,
)
from ctxe.config.values import Config
from ctxe.config.write import example_file, remove_setting, save_setting

__all__ = [
    "PROJECT_FILE",
    "Config",
    "LoadedConfig",
    "all_settings",
    "cache_folder",
    "defaults",
    "example_file",
    "load",
    "parse_setting",
    "read_environment",
    "remove_setting",
    "require",
    "save_setting",
    "search_outside",
    "unknown_variables",
    "user_file",
    "user_folder",
]
