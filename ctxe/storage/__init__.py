"""The one way to use the disk: atomic replacement, durable appends, locks, cached counts, vocabularies."""
