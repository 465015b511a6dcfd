"""Running a command: bounded in time and output, ended with us, and within walls where nobody approved it."""
