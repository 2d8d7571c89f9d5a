"""`headrace doctor`: looks at everything a live run stands on, and says what to do about what is wrong."""

from headrace.app.cli.doctor.command import doctor

__all__ = ["doctor"]
