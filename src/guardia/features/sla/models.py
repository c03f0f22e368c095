"""What is promised for a case and watched over: calendar versions, watched clocks, what they set off, escalations.

A calendar version is made once and never changed; a case keeps the one of its submission (RC-12) until it is moved by
an explicit act (`CalendarMove`). `ClockWatch` stores the next instant at which a clock of a case has something to say;
the ticker claims it. `ClockFiring` is the claim's proof: append-only, one for each case, clock, mark and version.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from guardia.kernel.ids import uuid7
from guardia.kernel.tenancy import CompanyRow


class CalendarVersion(models.Model):
    """`rules` as the clock's specification writes a calendar. `labels` says, by date, why it is closed or open;
    `source` keeps what the editor was given (country, region), so that the next version starts from it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=80)
    version = models.PositiveIntegerField()
    rules = models.JSONField()
    tzdata = models.CharField(max_length=10)
    created_at = models.DateTimeField()
    labels = models.JSONField(db_default={})
    source = models.JSONField(db_default={})
    note = models.CharField(max_length=300, db_default="")
    made_by = models.JSONField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(name="calendar_version_is_unique", fields=["name", "version"])]


class CalendarMove(models.Model):
    """Open cases on their way to a calendar version; after a crash it goes on behind `cursor`, the last case done."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    to_version = models.ForeignKey(CalendarVersion, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=300)
    actor = models.JSONField()
    created_at = models.DateTimeField()
    total = models.PositiveIntegerField()
    would_breach = models.PositiveIntegerField()
    cursor = models.UUIDField(null=True)
    moved = models.PositiveIntegerField(default=0)
    breached = models.PositiveIntegerField(default=0)
    finished_at = models.DateTimeField(null=True)


class ClockWatch(CompanyRow):
    """One clock of one case. `marks` are the instants still to come, `[[mark, instant], ...]` in order; `next_at` and
    `next_mark` are the first of them, null once there is none. `version` counts the changes of `due_at`.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="+")
    clock = models.CharField(max_length=12)
    version = models.PositiveIntegerField(default=1)
    severity = models.PositiveSmallIntegerField()
    tier = models.PositiveSmallIntegerField()
    due_at = models.DateTimeField(null=True)
    marks = models.JSONField(default=list)
    next_at = models.DateTimeField(null=True)
    next_mark = models.CharField(max_length=12, default="")
    failures = models.PositiveSmallIntegerField(db_default=0)
    """How often in a row the ticker could not say what is due; meanwhile `next_at` waits longer each time."""
    last_error = models.CharField(max_length=300, db_default="")

    class Meta(CompanyRow.Meta):
        constraints = [models.UniqueConstraint(name="a_clock_is_watched_once", fields=["case", "clock"])]
        indexes = [
            models.Index(
                fields=["severity", "tier", "next_at"], name="clock_due_first", condition=Q(next_at__isnull=False)
            ),
            models.Index(fields=["id"], name="clock_poisoned", condition=Q(failures__gt=0)),
        ]


class ClockFiring(CompanyRow):
    """A mark that was passed: 50, 75, 90 (percent of the target), breach, unassigned or called. Append-only.

    `due_at` is the end of the clock then, or the mark's own instant where the clock has none.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="+")
    clock = models.CharField(max_length=12)
    mark = models.CharField(max_length=12)
    version = models.PositiveIntegerField()
    due_at = models.DateTimeField()
    fired_at = models.DateTimeField()
    late_by = models.DurationField()

    class Meta(CompanyRow.Meta):
        constraints = [
            models.UniqueConstraint(
                name="a_mark_is_passed_once_in_a_version", fields=["case", "clock", "mark", "version"]
            ),
        ]


class EscalationPolicy(models.Model):
    """Who is told what when, as data: `steps` as `rules/escalation.py` reads them. Plans name them by `code`.

    Each version is kept whole in the audit trail.
    """

    code = models.SlugField(primary_key=True, max_length=20)
    name = models.CharField(max_length=60)
    steps = models.JSONField()
    changed_at = models.DateTimeField()
    version = models.PositiveIntegerField(db_default=1)
    changed_by = models.JSONField(null=True)


class EscalationStep(CompanyRow):
    """A step that a firing set off for later: to come (`at`), taken (`fired_at`, `people`), or stopped (`stopped_at`).

    Steps that are due at once have no row: the event `escalated` in the case's log tells of them. What the policy said
    then stands in it, so that a later edit changes nothing that is under way.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="+")
    firing = models.ForeignKey(ClockFiring, on_delete=models.PROTECT, related_name="+")
    step = models.PositiveSmallIntegerField()
    round = models.PositiveSmallIntegerField(default=0)
    to = models.CharField(max_length=20)
    by = ArrayField(models.CharField(max_length=10))
    at = models.DateTimeField()
    fired_at = models.DateTimeField(null=True)
    people = models.JSONField(default=list)
    stopped_at = models.DateTimeField(null=True)
    stopped_why = models.CharField(max_length=40, default="")
    repeat = models.DurationField(null=True)
    at_most = models.PositiveSmallIntegerField(db_default=1)
    failures = models.PositiveSmallIntegerField(db_default=0)
    last_error = models.CharField(max_length=300, db_default="")

    class Meta(CompanyRow.Meta):
        constraints = [models.UniqueConstraint(name="a_step_is_taken_once_a_round", fields=["firing", "step", "round"])]
        indexes = [
            models.Index(fields=["at"], name="escalation_due", condition=Q(fired_at=None, stopped_at=None)),
            models.Index(fields=["case"], name="escalation_of_case", condition=Q(fired_at=None, stopped_at=None)),
        ]


class StaffNotice(CompanyRow):
    """What the console tells one member of staff about a case, until it is read."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    person_id = models.UUIDField()
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=30)
    facts = models.JSONField(default=dict)
    dedupe_key = models.CharField(max_length=200, unique=True)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta(CompanyRow.Meta):
        indexes = [
            models.Index(fields=["person_id", "-created_at"], name="notice_unread", condition=Q(read_at=None)),
        ]


class PhonePage(CompanyRow):
    """An alarm of a case that is to be read to an engineer by phone until somebody acknowledges it.

    `next_at` is null once it is over. A worker that calls holds it until `leased_until`; where it was killed another
    takes it up after that. `tried` is append-only: `[{at, person, name, outcome}]`.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    dedupe_key = models.CharField(max_length=200, unique=True)
    """The firing, the step and its round: a step is paged once."""
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="+")
    firing = models.ForeignKey(ClockFiring, on_delete=models.PROTECT, related_name="+")
    clock = models.CharField(max_length=12)
    mark = models.CharField(max_length=12)
    severity = models.PositiveSmallIntegerField()
    people = models.JSONField(default=list)
    """Ids of whom to call, in their order; then whoever is on duty, then the duty manager."""
    tried = models.JSONField(default=list)
    created_at = models.DateTimeField()
    next_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=16, default="")
    """`acknowledged`, `stopped` (acknowledged elsewhere, answered or closed) or `nobody`."""
    acknowledged_by_id = models.UUIDField(null=True)

    class Meta(CompanyRow.Meta):
        constraints = [
            models.CheckConstraint(
                name="phone_page_is_over_or_waits",
                condition=Q(ended_at=None, next_at__isnull=False) | Q(ended_at__isnull=False, next_at=None),
            )
        ]
        indexes = [
            models.Index(fields=["severity", "next_at"], name="phone_page_due", condition=Q(next_at__isnull=False)),
            models.Index(fields=["case", "created_at"], name="phone_page_of_case"),
        ]


class TickerBeat(models.Model):
    """A ticker that is, or was, at work; written every few seconds."""

    name = models.CharField(primary_key=True, max_length=80)
    started_at = models.DateTimeField()
    ticked_at = models.DateTimeField()
    tick_s = models.FloatField()
    fired = models.PositiveBigIntegerField(default=0)
