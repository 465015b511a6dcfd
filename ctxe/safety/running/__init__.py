"""Running a command: bounded in time and output, ended when ctxe ends, and sandboxed unless a person approved it."""
