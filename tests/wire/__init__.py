"""A model server on loopback that speaks the real wire formats, for tests that start real clients."""
