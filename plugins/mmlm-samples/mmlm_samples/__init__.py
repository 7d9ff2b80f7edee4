"""Sample data for mmlm."""
