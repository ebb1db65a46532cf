"""The streamer: one process that sends the sealed trail to other systems."""

from threading import Thread
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.audit.streaming.delivery import Pace, deliver_next, follow, tell_failure
from apps.audit.streaming.lag import late_streams, stream_lags
from apps.audit.streaming.senders import NotDelivered
from apps.audit.streaming.targets import BadTarget, Target, configured_targets


class Command(BaseCommand):
    help = "Send the sealed audit trail to the targets of AUDIT_STREAMS."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--once", action="store_true", help="send what there is to each, then end"
        )
        parser.add_argument(
            "--status", action="store_true", help="say how far each is; fails when late"
        )
        parser.add_argument(
            "--seconds", type=float, default=1.0, help="pause when all is sent"
        )
        parser.add_argument(
            "--longest-pause",
            type=float,
            default=300.0,
            help="seconds between two tries of a target that fails, at most",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            targets = configured_targets()
        except BadTarget as error:
            raise CommandError(str(error)) from error
        if not targets:
            raise CommandError("AUDIT_STREAMS names no target.")
        if options["status"]:
            self._status()
        elif options["once"]:
            self._once(targets)
        else:
            self._for_ever(targets, Pace(options["seconds"], options["longest_pause"]))

    def _status(self) -> None:
        for lag in stream_lags():
            self.stdout.write(str(lag))
        if late := late_streams():
            raise CommandError(late)

    def _once(self, targets: list[Target]) -> None:
        failed = []
        for target in targets:
            try:
                while deliver_next(target):
                    pass
            except NotDelivered as error:
                tell_failure(target, str(error))
                failed.append(f"{target.name}: {error}")
        if failed:
            raise CommandError(" ".join(failed))

    def _for_ever(self, targets: list[Target], pace: Pace) -> None:
        for target in targets:
            self.stdout.write(f"Streaming to {target.name} as {target.rendering}")
        streams = [
            Thread(target=follow, args=(target, pace), daemon=True)
            for target in targets
        ]
        for stream in streams:
            stream.start()
        for stream in streams:
            stream.join()
