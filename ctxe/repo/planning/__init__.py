"""Planning the files a task needs: reading the task, mixing signals, filling a budget with lines a change touches."""
