"""Data files that ship with ctxe: vocabularies, the model catalog, planner weights, skills."""
