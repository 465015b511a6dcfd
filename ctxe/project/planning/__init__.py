"""The index of this project, the plans made from it, and what a user adds to both."""
