"""Programs written by language models: read before they run, and run where they can do no harm."""

from mindseye.models.sandbox.allowed import SandboxError, check
from mindseye.models.sandbox.sandbox import Sandbox

__all__ = ["Sandbox", "SandboxError", "check"]
