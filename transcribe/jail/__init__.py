"""
The bounded child process in which foreign bytes are read by large libraries.

A `Jail` keeps one small server process that has imported the task's libraries and nothing else, with an empty
environment. For each job the server forks a child, which costs milliseconds, and hands it descriptors that are
already open. The child gives up its privileges, its limits are set, it may open nothing, and it is killed with
its process group when its time is up. A child that dies takes no one with it.

The strength of the sandbox depends on the platform; `level` gives it.
"""

from transcribe.jail.bounds import Bounds, Level, Outcome, Task, Words, allow_cpu
from transcribe.jail.caller import Jail, level

__all__ = ["Bounds", "Jail", "Level", "Outcome", "Task", "Words", "allow_cpu", "level"]
