"""Every socket that a plug-in can fill. Each method lists what it raises; adapters translate library errors once."""
