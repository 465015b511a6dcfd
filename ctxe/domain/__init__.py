"""The nouns of ctxe: frozen values and protocols, standard library only, no input or output."""
