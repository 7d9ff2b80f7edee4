"""A plugin with one correct component of each kind, and faults that its options switch on, each a line or two."""
