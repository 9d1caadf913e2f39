"""moto's server, which keeps a queue's RedriveAllowPolicy as AWS does: moto itself takes it and forgets it."""

from moto.server import main
from moto.sqs.models import Queue

Queue.BASE_ATTRIBUTES.append("RedriveAllowPolicy")
Queue.redrive_allow_policy = None

main()
