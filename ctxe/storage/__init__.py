"""The one way to touch disk: atomic replacement, durable appends, locks, cached counts, vocabularies."""
