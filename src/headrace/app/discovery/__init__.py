"""Discovery as it is configured: which factory a venue has, where its pools are kept, and what a run takes of them."""
