"""The post office: messages to the runner wait in the outbox until they are sent, each at most once.

`tell` puts a message into the outbox under a key; the same key again changes nothing. `deliver` sends what waits, by
mail and, where it is switched on, as a push message; what cannot be sent waits for the next night. `standing` says
what has not reached the runner.

A message is marked "sending" before its content leaves and "sent" once the server has taken it. One that is found in
"sending" after a crash may have arrived or not: it becomes "unsure" and is never sent again. The next message is then
a notice that says so and quotes it. So there is at most one copy of each message, and none is lost.
"""

from hamload.post.delivering import Outcome, deliver, withdraw
from hamload.post.heartbeat import Signal, beat
from hamload.post.ledger import VERSION, Standing
from hamload.post.letter import Attachment, Kind
from hamload.post.telling import forget, in_words, is_told, ledger_path, standing, tell, told, try_line

__all__ = [
    "VERSION",
    "Attachment",
    "Kind",
    "Outcome",
    "Signal",
    "Standing",
    "beat",
    "deliver",
    "forget",
    "in_words",
    "is_told",
    "ledger_path",
    "standing",
    "tell",
    "told",
    "try_line",
    "withdraw",
]
