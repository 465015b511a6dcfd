"""Which files a task needs: the task read, signals asked and mixed, a budget filled with lines a change touches."""
