"""Changes to people, tokens and machines."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection

from guardia.features.accounts.models import ApiToken, Company, EnrolmentCode, Machine, Person, PhonePin, WrongPin
from guardia.features.accounts.rules.tokens import CODE_LIFE, TOKEN_LIFE, digest, make_code, make_token
from guardia.kernel.transactions import operation
from guardia.kernel.vocabulary import Lane, Role


@operation
def add_company(name: str, now: datetime, *, is_vendor: bool = False) -> Company:
    """Add a company, or return the one of that name."""
    return Company.objects.get_or_create(name=name, defaults={"created_at": now, "is_vendor": is_vendor})[0]


@operation
def add_person(
    email: str,
    name: str,
    password: str,
    now: datetime,
    *,
    company: Company | None = None,
    roles: tuple[Role, ...] = (),
    is_company_admin: bool = False,
    language: str = "en",
) -> Person:
    """Add a person, or return the one with that email."""
    person = Person.objects.filter(email__iexact=email).first()
    if person:
        return person
    person = Person(
        email=email.lower(),
        name=name,
        company=company,
        roles=[role.value for role in roles],
        is_company_admin=is_company_admin,
        language=language,
        created_at=now,
    )
    person.set_password(password)
    person.save()
    return person


@operation
def issue_token(person_id: UUID, company_id: UUID, name: str, now: datetime, kind: str = "gt") -> tuple[ApiToken, str]:
    """Issue an API token (`gt`: a contact's, `gs`: one of staff) and return it: it cannot be shown again."""
    token = make_token(kind)
    row = ApiToken.objects.create(
        company_id=company_id,
        person_id=person_id,
        name=name,
        digest=digest(token),
        created_at=now,
        expires_at=now + TOKEN_LIFE,
    )
    return row, token


@operation
def revoke_token(token: ApiToken, now: datetime) -> None:
    """Let a token in no more; a second time changes nothing."""
    if token.revoked_at is None:
        token.revoked_at = now
        token.save(update_fields=["revoked_at"])


@operation
def issue_code(company_id: UUID, machine_name: str, person_id: UUID, now: datetime) -> str:
    """Issue a one-time enrolment code and return it."""
    code = make_code()
    EnrolmentCode.objects.create(
        company_id=company_id,
        machine_name=machine_name,
        digest=digest(code),
        created_by_id=person_id,
        created_at=now,
        expires_at=now + CODE_LIFE,
    )
    return code


@operation
def enrol(code: EnrolmentCode, name: str, public_key: bytes, lane: Lane, now: datetime) -> tuple[Machine, str]:
    """Use up a code (locked by the caller) and return the machine and its token."""
    token = make_token("gm")
    machine = Machine.objects.create(
        company_id=code.company_id,
        name=code.machine_name or name,
        public_key=public_key,
        digest=digest(token),
        lane=lane.value,
        enrolled_at=now,
    )
    code.used_at = now
    code.save(update_fields=["used_at"])
    return machine, token


@operation
def revoke(machine: Machine, now: datetime) -> None:
    """Let a machine in no more; a second time changes nothing."""
    if machine.revoked_at is None:
        machine.revoked_at = now
        machine.save(update_fields=["revoked_at"])


@operation
def saw_machine(machine: Machine, now: datetime, release_number: int | None = None) -> None:
    """Keep when a machine was last heard of, and the release that it said it has."""
    machine.seen_at = now
    machine.release_number = release_number or machine.release_number
    machine.save(update_fields=["seen_at", "release_number"])


@operation
def set_languages(person_id: UUID, languages: Sequence[str]) -> None:
    """Let a member of staff answer customers in these languages."""
    Person.objects.filter(id=person_id, company=None).update(languages=list(languages))


@operation
def set_phone(person_id: UUID, phone: str) -> None:
    """Let the line call a member of staff at this number or address; an empty one: not at all."""
    Person.objects.filter(id=person_id, company=None).update(phone=phone)


# -- the phone line --


@operation
def lock_pins() -> None:
    """Let PINs be made one after the other until the transaction ends: two people of one contract never share one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('phone pins', 0))")


@operation
def keep_pin(person_id: UUID, company_id: UUID, pin_digest: str, now: datetime) -> None:
    """Keep a person's PIN in the place of an earlier one."""
    kept = {"company_id": company_id, "digest": pin_digest, "made_at": now}
    PhonePin.objects.of_company(company_id).update_or_create(person_id=person_id, defaults=kept)


@operation
def drop_pin(person_id: UUID, company_id: UUID) -> bool:
    """Let a person's PIN count no more; return whether there was one."""
    dropped, _by_table = PhonePin.objects.of_company(company_id).filter(person_id=person_id).delete()
    return dropped > 0


@operation
def lock_tries(what: str, caller: str) -> None:
    """Let tries at the same thing, or of the same caller, wait for each other: counted and kept without a gap."""
    names = sorted({f"phone try\x1f{what}", *([f"phone caller\x1f{caller}"] if caller else [])})
    with connection.cursor() as cursor:
        for name in names:  # in one order, so that two never wait for each other in a circle
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


@operation
def add_wrong_try(what: str, caller: str, now: datetime) -> None:
    """Keep a wrong try."""
    WrongPin.objects.create(what=what, caller=caller, tried_at=now)


@operation
def forget_wrong_tries(before: datetime) -> int:
    """Remove wrong tries that count no more; return how many."""
    return WrongPin.objects.filter(tried_at__lt=before).delete()[0]
