"""
The bounded child process in which foreign bytes are read by large libraries.

A `Sandbox` keeps one small server process that has imported the task's libraries and nothing else, with an empty
environment. For each job the server forks a child, which costs milliseconds, and hands it descriptors that are
already open. The child gives up its privileges, its limits are set, it may open nothing, and it is killed with
its process group when its time is up. A child that dies takes no one with it.

The strength of the sandbox depends on the platform; `level` gives it.
"""

from transcribe.sandbox.client import Sandbox, level
from transcribe.sandbox.limits import Bounds, Level, Outcome, Task, Words, allow_cpu

__all__ = ["Bounds", "Level", "Outcome", "Sandbox", "Task", "Words", "allow_cpu", "level"]
