"""Fits the weights of the planner: cases from public histories, the signals of their files, and a softmax fit."""
