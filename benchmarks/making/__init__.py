"""The making of the demo's corpus; not in the wheel."""
