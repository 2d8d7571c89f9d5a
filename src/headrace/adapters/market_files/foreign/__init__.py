"""Markets that others recorded, in their own formats, as lines of ours; one file per format."""
