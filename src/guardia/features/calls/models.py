"""Phone calls, what was recorded in them, and the line's sign of life.

`Call.id` is the id of the journal that the line writes on disk before anything is decided, so that a call that is
handed in twice meets its own row. While a call lives its row is a picture of it, drawn anew at each step; what is
handed in from the journal afterwards is the truth. A caller belongs to no company until a PIN or a code says whose, so
these rows are the vendor's; a company's people reach them only through a case of theirs.
"""

from django.db import models
from django.db.models import Q

from guardia.kernel.ids import uuid7


class Call(models.Model):
    id = models.UUIDField(primary_key=True, editable=False)
    direction = models.CharField(max_length=4)
    """`in`: somebody called the line; `page`: the line called an engineer about a case's alarm."""
    caller = models.CharField(max_length=80)
    """Of `in` the number that the caller showed, a hint and no proof; of `page` empty."""
    language = models.CharField(max_length=5, default="")
    started_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    """Of `page` when the engineer's phone was picked up."""
    ended_at = models.DateTimeField(null=True)
    """Null while it lives."""
    handed_in_at = models.DateTimeField(null=True)
    company_id = models.UUIDField(null=True)
    person_id = models.UUIDField(null=True)
    """Who called, or of `page` who was called."""
    person_name = models.CharField(max_length=120, default="")
    case_id = models.UUIDField(null=True)
    known_by = models.CharField(max_length=8, default="")
    """How the caller was known: `pin`, `code`, or empty."""
    step = models.CharField(max_length=24, default="")
    """What happens: `greeting`, `identifying`, `choosing`, `recording`, `waiting`, `ringing`, `talking`, `paging`."""
    step_detail = models.CharField(max_length=120, default="")
    """The place in the queue, or who is rung or talked to."""
    outcome = models.CharField(max_length=24, default="")
    """How it ended: the dialogue's word, or `interrupted` where the line was killed."""
    connected_name = models.CharField(max_length=120, default="")
    """The engineer who spoke with the caller."""
    waited_s = models.PositiveIntegerField(null=True)
    log = models.JSONField(default=list)
    """`[{at, what, …}]`, never a PIN or a code."""
    seen_at = models.DateTimeField()
    """When the line last drew the row."""

    class Meta:
        indexes = [
            models.Index(fields=["-started_at", "-id"], name="call_arrival"),
            models.Index(fields=["started_at"], condition=Q(ended_at=None), name="call_live"),
            models.Index(fields=["case_id", "started_at"], condition=Q(case_id__isnull=False), name="call_of_case"),
        ]


class Recording(models.Model):
    """Sound that was recorded after the spoken notice. The sealed sound lies in the call's journal until it is erased.

    A message of somebody unknown has no case: it waits for staff until it is settled.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="recordings")
    number = models.PositiveSmallIntegerField()
    """Its number within the call."""
    kind = models.CharField(max_length=12)
    """`description`, `message` or `conversation`."""
    started_at = models.DateTimeField()
    seconds = models.FloatField()
    voiced_s = models.FloatField()
    company_id = models.UUIDField(null=True)
    case_id = models.UUIDField(null=True)
    event_seq = models.PositiveIntegerField(null=True)
    """The event of the case that tells of it."""
    waits_for_staff = models.BooleanField(default=False)
    settled_at = models.DateTimeField(null=True)
    settled_by_name = models.CharField(max_length=120, default="")
    settled_why = models.CharField(max_length=300, default="")
    erased_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="recording_number_is_unique_in_its_call", fields=["call", "number"])
        ]
        indexes = [
            models.Index(fields=["case_id"], condition=Q(case_id__isnull=False), name="recording_of_case"),
            models.Index(
                fields=["started_at"], condition=Q(waits_for_staff=True, settled_at=None), name="recording_waits"
            ),
            models.Index(fields=["started_at"], condition=Q(erased_at=None), name="recording_kept"),
        ]


class LineBeat(models.Model):
    """A line that is, or was, at work; written every few seconds."""

    name = models.CharField(primary_key=True, max_length=80)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    calls = models.PositiveIntegerField(default=0)
    """Legs that live."""
    trunk = models.CharField(max_length=12, default="")
    """`none` (no trunk is set), `registered`, `trying` or `refused`."""
    facts = models.JSONField(default=dict)
