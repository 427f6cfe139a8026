"""The drawings of docs/hardware.md, made by ``python host_tools/drawings``."""
