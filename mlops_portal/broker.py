"""Redis as broker, with workers that outlive its restart.

When the connection is lost in the middle of a task, kombu's channel fails twice: it
tries to give the message back through the lost connection, and acknowledges it on the
closed channel when the task ends. Both stop the whole worker. Neither is needed here:
rows are the truth, the sweeper repeats lost messages, and a claimed row makes a message
that comes twice harmless.
"""

from typing import Any

from kombu.transport import redis


class SteadyChannel(redis.Channel):
    """A channel that forgets its messages when it is closed."""

    do_restore = False

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        """Acknowledge, if there is still somebody to tell."""
        if not self.closed:
            super().basic_ack(delivery_tag, multiple=multiple)  # type: ignore[no-untyped-call]

    def basic_reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Reject, if there is still somebody to tell."""
        if not self.closed:
            super().basic_reject(delivery_tag, requeue=requeue)  # type: ignore[no-untyped-call]


class SteadyRedis(redis.Transport):
    """Kombu's Redis transport on steady channels."""

    Channel: Any = SteadyChannel
