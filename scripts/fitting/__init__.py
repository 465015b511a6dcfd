"""How the weights of the planner are learnt: cases out of public histories, what the signals say of them, a fit."""
