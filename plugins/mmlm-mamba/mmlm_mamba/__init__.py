"""The state space backbone of mmlm."""
