"""The command line: the only rooms that import Hydra. One command a file."""
