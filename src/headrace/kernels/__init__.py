"""Array arithmetic that finds and sizes, in floats; beside each shape its plain-integer twin that decides."""
