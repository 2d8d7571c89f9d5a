"""One YAML file becomes one frozen tree; whatever is unknown, doubtful or missing is refused with its place."""
