"""Models behind endpoints: each adapter turns a Request into its API's body and its stream into deltas."""
