"""The index of this project, the plan that is made with it, and what a user adds to both."""
