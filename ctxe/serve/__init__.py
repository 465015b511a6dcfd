"""ctxe for other programs."""
