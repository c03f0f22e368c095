"""Who is who. `…_for(actor)` checks access; `find_…_by_token` is the way in for programs."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from guardia.features.accounts.models import ApiToken, Company, EnrolmentCode, Machine, Person, PhonePin, WrongPin
from guardia.features.accounts.rules.tokens import digest, normal_code
from guardia.kernel.errors import Invalid, NotFound
from guardia.kernel.vocabulary import Actor, ActorKind, Role


def actor_of(person: Person) -> Actor:
    """Return the person as an actor."""
    return Actor(
        kind=ActorKind.PERSON,
        id=str(person.id),
        name=person.name,
        company_id=person.company_id,
        roles=frozenset(Role(role) for role in person.roles),
        is_company_admin=person.is_company_admin,
        language=person.language,
    )


def machine_actor(machine: Machine) -> Actor:
    """Return a customer's machine as an actor of its company."""
    return Actor(ActorKind.MACHINE, str(machine.id), machine.name, company_id=machine.company_id)


def get_company(company_id: UUID) -> Company:
    """Return a company that is known to exist."""
    return Company.objects.get(id=company_id)


def find_company(company_id: UUID) -> Company | None:
    """Return a customer's company, or None."""
    return customer_companies().filter(id=company_id).first()


def customer_companies() -> QuerySet[Company]:
    """Return the customers' companies by name."""
    return Company.objects.filter(is_vendor=False).order_by("name")


def people_of(company_id: UUID) -> QuerySet[Person]:
    """Return the active people of a company by name."""
    return Person.objects.filter(company_id=company_id, is_active=True).order_by("name")


def find_person_of(company_id: UUID, person_id: UUID, *, also_gone: bool = False) -> Person | None:
    """Return a person of a company, or None; `also_gone`: one who has left too."""
    rows = Person.objects.filter(company_id=company_id, id=person_id)
    return (rows if also_gone else rows.filter(is_active=True)).first()


def present_staff() -> QuerySet[Person]:
    """Return the vendor's present staff, by name."""
    return Person.objects.filter(company=None, is_active=True).order_by("name", "id")


def get_member_of_staff(person_id: UUID) -> Person:
    """Return one of the vendor's present staff; raise Invalid for everybody else."""
    person = present_staff().filter(id=person_id).first()
    if person is None:
        sentence = _("Choose one of the vendor's present staff.")
        raise Invalid("not_of_staff", sentence, {"person": sentence})
    return person


def languages_of(person_id: UUID) -> tuple[str, ...]:
    """Return the languages in which a member of staff answers customers."""
    return tuple(Person.objects.filter(id=person_id).values_list("languages", flat=True).first() or ())


def vendor_company() -> Company:
    """Return the vendor's own company: owner of the malware corpus and of staff attachments."""
    return Company.objects.get(is_vendor=True)


def people_by_id(ids: Iterable[UUID]) -> dict[UUID, Person]:
    """Return people by id, unknown ones left out."""
    return {person.id: person for person in Person.objects.filter(id__in=list(ids))}


def staff_with(role: Role) -> QuerySet[Person]:
    """Return the vendor's present staff who have a role, by name."""
    return Person.objects.filter(company=None, is_active=True, roles__contains=[role.value]).order_by("name", "id")


def active_people_by_id(ids: Iterable[UUID]) -> dict[UUID, Person]:
    """Return people by id who may still sign in."""
    return {person.id: person for person in Person.objects.filter(id__in=list(ids), is_active=True)}


def find_actor_by_token(token: str, now: datetime) -> Actor | None:
    """Return the contact behind an API token that is neither revoked nor over, or None."""
    row = (
        ApiToken.objects.across_companies("the token itself names the company")
        .select_related("person")
        .filter(digest=digest(token), revoked_at=None, expires_at__gt=now, person__is_active=True)
        .first()
    )
    return actor_of(row.person) if row else None


def find_machine_by_token(token: str) -> Machine | None:
    """Return the machine behind a token, unless it was revoked."""
    rows = Machine.objects.across_companies("the token itself names the company")
    return rows.filter(digest=digest(token), revoked_at=None).first()


def find_open_code(code: str, now: datetime, *, lock: bool = False) -> EnrolmentCode | None:
    """Return the enrolment code that is neither used nor over, or None; `lock` keeps others from using it."""
    rows = EnrolmentCode.objects.across_companies("the code itself names the company")
    rows = rows.select_for_update() if lock else rows
    return rows.filter(digest=digest(normal_code(code)), used_at=None, expires_at__gt=now).first()


def codes_for(actor: Actor, now: datetime) -> QuerySet[EnrolmentCode]:
    """Return codes of the actor's company that can still be used."""
    return EnrolmentCode.objects.visible_to(actor).filter(used_at=None, expires_at__gt=now).order_by("expires_at")


def machines_for(actor: Actor) -> QuerySet[Machine]:
    """Return machines that the actor may see."""
    return Machine.objects.visible_to(actor).order_by("name", "enrolled_at")


def get_machine_for(actor: Actor, machine_id: UUID) -> Machine:
    """Return one machine that the actor may see; raise NotFound."""
    machine = machines_for(actor).filter(id=machine_id).first()
    if machine is None:
        raise NotFound("machine_unknown", _("There is no such machine in this company."))
    return machine


def subscribers() -> QuerySet[Machine]:
    """Return every machine that is not revoked, for the release tree's list of subscribers."""
    rows = Machine.objects.across_companies("the release tree serves every subscriber")
    return rows.filter(revoked_at=None).order_by("id")


def find_person_by_email(email: str) -> Person | None:
    """Return the person with an email, or None."""
    return Person.objects.filter(email__iexact=email).first()


def people_by_email(emails: Iterable[str]) -> dict[str, Person]:
    """Return the people who may still sign in, by their email in small letters."""
    rows = Person.objects.select_related("company").filter(email__in=list(emails), is_active=True)
    return {person.email.lower(): person for person in rows}


def own_tokens(actor: Actor) -> QuerySet[ApiToken]:
    """Return the actor's own tokens, newest first."""
    return ApiToken.objects.visible_to(actor).filter(person_id=actor.id).order_by("-created_at")


def get_own_token(actor: Actor, token_id: UUID) -> ApiToken:
    """Return one of the actor's own tokens; raise NotFound."""
    token = own_tokens(actor).filter(id=token_id).first()
    if token is None:
        raise NotFound("token_unknown", _("There is no such token."))
    return token


# -- the phone line --


def pin_made_at(person_id: UUID, company_id: UUID) -> datetime | None:
    """Return when a person's PIN was made, or None."""
    rows = PhonePin.objects.of_company(company_id).filter(person_id=person_id)
    return rows.values_list("made_at", flat=True).first()


def pins_of_companies(companies: Iterable[UUID]) -> QuerySet[PhonePin]:
    """Return the PINs of these companies' present people, with person and company."""
    rows = PhonePin.objects.across_companies("whoever phones is known by a contract's number and a PIN, and not before")
    present = rows.filter(company_id__in=list(companies), person__is_active=True, person__company_id=F("company_id"))
    return present.select_related("person__company").order_by("person_id")


def wrong_tries(what: str, caller: str, since: datetime) -> tuple[int, int]:
    """Return how many wrong tries there were since an instant: at a thing, and of the number that a caller shows."""
    rows = WrongPin.objects.filter(tried_at__gt=since)
    return rows.filter(what=what).count(), rows.filter(caller=caller).count() if caller else 0
