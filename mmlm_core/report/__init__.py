"""The page that shows a run: one file of HTML that needs nothing else."""

from mmlm_core.report.page import write_report

__all__ = ["write_report"]
