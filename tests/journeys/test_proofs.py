"""The proof closes the case only where everything fits; each attack has its sentence, and is kept."""

import base64
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.support.at_once import at_once, raised, returned
from tests.support.cast import Cast
from tests.support.lab_bench import Bench
from tests.support.machines import SigningMachine, verdicts

from guardia.features.cases.models import Case, CaseEvent
from guardia.features.cases.queries import get_case_for
from guardia.features.releases.models import Proof
from guardia.features.releases.queries import proofs_for
from guardia.journeys.approve_draft import approve_release
from guardia.journeys.enrol_machine import create_code, enrol_machine, revoke_machine
from guardia.journeys.move_case import close_case
from guardia.journeys.prove_correction import CHALLENGE_LIFE, Judged
from guardia.kernel.errors import NotFound, Refused
from sigdist.records.canonical import canonical_bytes

pytestmark = pytest.mark.django_db


class Corrected:
    """A case whose correction is release 2, shown on the accelerated lane, and its company's machine."""

    def __init__(self, cast: Cast) -> None:
        self.cast, self.bench = cast, Bench(cast)
        self.number = self.bench.reported()
        self.bench.released(self.number)
        self.machine = SigningMachine(cast)

    def case(self) -> Case:
        return get_case_for(self.cast.engineer, self.number)

    def demand_refused(self, judged: Judged, sentence: str, *, kept: int = 1) -> None:
        assert (judged.accepted, sentence in judged.reason) == (False, True), judged.reason
        assert self.case().closed_at is None
        proofs = Proof.objects.across_companies("a test reads")
        assert proofs.filter(accepted=True).count() == 0
        assert proofs.filter(accepted=False, reason=judged.reason).count() == kept


@pytest.fixture
def corrected(cast: Cast) -> Corrected:
    return Corrected(cast)


def events(event_type: str) -> int:
    return CaseEvent.objects.across_companies("a test counts").filter(type=event_type).count()


def test_a_good_proof_closes_the_case_and_is_kept(corrected: Corrected) -> None:
    judged = corrected.machine.prove(corrected.number, 2)
    assert judged == Judged(accepted=True, reason="", case_state="closed")
    case = corrected.case()
    assert (case.state, case.closed_how) == ("closed", "machine_proved")
    proof = proofs_for(corrected.cast.plus, case.id).get()
    assert (proof.accepted, proof.release_number) == (True, 2)
    corrected.machine.key.public_key().verify(bytes(proof.signature), bytes(proof.statement))
    assert corrected.machine.row.release_number == 2


def test_a_replayed_proof_counts_once(corrected: Corrected) -> None:
    statement = corrected.machine.statement(corrected.machine.challenge(corrected.number), 2)
    assert corrected.machine.send(statement).accepted
    for _ in range(3):
        again = corrected.machine.send(statement)
        assert not again.accepted
        assert "used before" in again.reason
    assert Proof.objects.across_companies("a test counts").count() == 1
    assert events("closed") == 1


def test_the_nonce_of_a_refused_proof_is_used_up_too(corrected: Corrected) -> None:
    issued = corrected.machine.challenge(corrected.number)
    corrected.demand_refused(
        corrected.machine.send(corrected.machine.statement(issued, 2, "not_detected")), "Still failing on the machine"
    )
    corrected.demand_refused(corrected.machine.send(corrected.machine.statement(issued, 2)), "used before")


def test_a_proof_signed_by_another_key_is_refused(corrected: Corrected) -> None:
    statement = corrected.machine.statement(corrected.machine.challenge(corrected.number), 2)
    signature = Ed25519PrivateKey.generate().sign(statement)
    corrected.demand_refused(corrected.machine.send(statement, signature), "not this machine's")


def test_a_statement_changed_after_signing_is_refused(corrected: Corrected) -> None:
    issued = corrected.machine.challenge(corrected.number)
    signed = corrected.machine.statement(issued, 2, "not_detected")
    changed = corrected.machine.statement(issued, 2)
    judged = corrected.machine.send(changed, corrected.machine.key.sign(signed))
    corrected.demand_refused(judged, "not this machine's")


def test_a_proof_damaged_on_its_way_does_not_spoil_the_whole_one(corrected: Corrected) -> None:
    statement = corrected.machine.statement(corrected.machine.challenge(corrected.number), 2)
    signature = corrected.machine.key.sign(statement)
    assert not corrected.machine.send(statement[:-1], signature).accepted
    assert corrected.machine.send(statement, signature).accepted
    assert corrected.case().state == "closed"


@pytest.mark.parametrize("signature", [b"", b"short", b"s" * 64, b"s" * 65])
def test_a_signature_that_is_none_is_refused(corrected: Corrected, signature: bytes) -> None:
    statement = corrected.machine.statement(corrected.machine.challenge(corrected.number), 2)
    judged = corrected.machine.send(statement, signature or b"\x00")
    corrected.demand_refused(judged, "not this machine's")


def test_another_machine_of_the_company_cannot_answer_with_my_nonce(corrected: Corrected) -> None:
    other = SigningMachine(corrected.cast, name="taller-08")
    issued = corrected.machine.challenge(corrected.number)
    corrected.demand_refused(other.send(other.statement(issued, 2)), "not issued to this machine")


def test_a_proof_that_names_another_machine_is_refused(corrected: Corrected) -> None:
    other = SigningMachine(corrected.cast, name="taller-08")
    issued = corrected.machine.challenge(corrected.number)
    statement = corrected.machine.statement(issued, 2, agent_id=str(other.row.id))
    corrected.demand_refused(corrected.machine.send(statement), "names another machine")


def test_a_foreign_company_gets_no_nonce_and_cannot_use_one(corrected: Corrected) -> None:
    foreign = SigningMachine(corrected.cast, "standard_admin")
    with pytest.raises(NotFound):
        foreign.challenge(corrected.number)
    issued = corrected.machine.challenge(corrected.number)
    corrected.demand_refused(foreign.send(foreign.statement(issued, 2)), "not issued to this machine")


def test_a_nonce_that_nobody_issued_is_refused(corrected: Corrected) -> None:
    issued = corrected.machine.challenge(corrected.number)
    judged = corrected.machine.send(corrected.machine.statement(issued, 2, nonce="made up"))
    corrected.demand_refused(judged, "not issued to this machine")


def test_a_nonce_is_good_for_fifteen_minutes(corrected: Corrected) -> None:
    issued = corrected.machine.challenge(corrected.number)
    late = corrected.cast.now + CHALLENGE_LIFE + timedelta(seconds=1)
    corrected.demand_refused(
        corrected.machine.send(corrected.machine.statement(issued, 2), now=late), "older than 15 minutes"
    )
    fresh = corrected.machine.challenge(corrected.number, late)
    in_time = late + CHALLENGE_LIFE
    assert corrected.machine.send(corrected.machine.statement(fresh, 2), now=in_time).accepted


def test_the_nonce_of_another_case_is_refused(corrected: Corrected) -> None:
    other = corrected.bench.reported(content=b"another sample " * 9)
    issued = corrected.machine.challenge(other)
    judged = corrected.machine.send(corrected.machine.statement(issued, 2, case=corrected.number))
    corrected.demand_refused(judged, "issued for another case")


@pytest.mark.parametrize(
    "changes",
    [{"state_root": "0" * 64}, {"label": "20990101.1"}, {"release": 3}, {"release": 2**31 - 1}],
)
def test_a_database_that_is_no_release_of_the_log_is_refused(corrected: Corrected, changes: dict[str, Any]) -> None:
    corrected.demand_refused(corrected.machine.prove(corrected.number, 2, **changes), "no release of this log")


@pytest.mark.parametrize("release", [0, -1, 2**31, 2**63, 10**30])
def test_a_release_that_is_no_number_of_the_line_is_refused(corrected: Corrected, release: int) -> None:
    judged = corrected.machine.prove(corrected.number, 2, release=release)
    corrected.demand_refused(judged, "no number of a release")


def test_an_older_release_is_refused(corrected: Corrected) -> None:
    corrected.demand_refused(corrected.machine.prove(corrected.number, 1), "the correction is in")


def test_a_newer_release_of_the_lane_is_good_too(corrected: Corrected) -> None:
    corrected.bench.released(corrected.bench.reported(content=b"another sample " * 9))
    assert corrected.machine.prove(corrected.number, 3).accepted


def test_a_release_that_the_lane_does_not_show_yet_is_refused(corrected: Corrected) -> None:
    draft = corrected.bench.gated(corrected.bench.reported(content=b"another sample " * 9))
    corrected.bench.review(draft)
    approve_release(corrected.cast.releaser, corrected.cast.now, draft.case_number, draft.number, draft.build_digest)
    corrected.demand_refused(corrected.machine.prove(corrected.number, 3), "does not show release")


def test_a_proof_from_the_other_lane_is_refused(corrected: Corrected) -> None:
    corrected.demand_refused(corrected.machine.prove(corrected.number, 2, lane="standard"), "does not show release")


def test_before_the_correction_is_released_nothing_is_proved(cast: Cast) -> None:
    number = Bench(cast).reported()
    judged = SigningMachine(cast).prove(number, 1)
    assert "has not reached this machine's lane" in judged.reason


def test_a_missing_or_foreign_sample_is_refused(corrected: Corrected) -> None:
    foreign = [{"sha256": uuid4().hex * 2, "verdicts": verdicts("detected")}]
    judged = corrected.machine.prove(corrected.number, 2, samples=foreign)
    corrected.demand_refused(judged, "1 of the case's are missing")
    issued = corrected.machine.challenge(corrected.number)
    own = [{"sha256": one["sha256"], "verdicts": verdicts("detected")} for one in issued.samples]
    judged = corrected.machine.send(corrected.machine.statement(issued, 2, samples=own + foreign))
    corrected.demand_refused(judged, "about other files")


@pytest.mark.parametrize("outcome", ["not_detected", "not_scanned"])
def test_a_wrong_verdict_in_one_engine_is_enough_to_refuse(corrected: Corrected, outcome: str) -> None:
    for engine in ("yara-x", "clamav"):
        issued = corrected.machine.challenge(corrected.number)
        said = {**verdicts("detected"), engine: verdicts(outcome)[engine]}
        samples = [{"sha256": one["sha256"], "verdicts": said} for one in issued.samples]
        judged = corrected.machine.send(corrected.machine.statement(issued, 2, samples=samples))
        assert "Still failing" in judged.reason


def test_a_proof_without_one_of_the_engines_is_refused(corrected: Corrected) -> None:
    issued = corrected.machine.challenge(corrected.number)
    said = {"yara-x": verdicts("detected")["yara-x"], "another": verdicts("detected")["yara-x"]}
    samples = [{"sha256": one["sha256"], "verdicts": said} for one in issued.samples]
    judged = corrected.machine.send(corrected.machine.statement(issued, 2, samples=samples))
    corrected.demand_refused(judged, "Still failing")


def test_a_false_positive_is_proved_by_no_engine_detecting_it(cast: Cast) -> None:
    bench = Bench(cast)
    number = bench.reported(claim="FP")
    bench.released(number)
    machine = SigningMachine(cast)
    assert "Still failing" in machine.prove(number, 2, "detected").reason
    assert machine.prove(number, 2, "not_detected").accepted


def test_a_closed_case_gets_no_nonce_and_takes_no_proof(corrected: Corrected) -> None:
    issued = corrected.machine.challenge(corrected.number)
    close_case(corrected.cast.plus, corrected.cast.now, corrected.number, "withdrawn", "Not needed any more.")
    with pytest.raises(Refused, match="closed already"):
        corrected.machine.challenge(corrected.number)
    judged = corrected.machine.send(corrected.machine.statement(issued, 2))
    assert (judged.accepted, judged.reason) == (False, "The case is closed already.")
    assert Proof.objects.across_companies("a test").get().reason == judged.reason
    assert corrected.case().closed_how == "withdrawn"


def test_a_removed_machine_is_known_no_more(corrected: Corrected) -> None:
    machine_id = corrected.machine.row.id
    revoke_machine(corrected.cast.plus_admin, corrected.cast.now, machine_id, "sold")
    with pytest.raises(AssertionError):
        _ = corrected.machine.row


@pytest.mark.parametrize("field", ["case", "nonce", "agent_id", "lane", "label", "state_root", "scanned_at"])
def test_text_that_no_database_keeps_is_refused_with_a_sentence(corrected: Corrected, field: str) -> None:
    judged = corrected.machine.prove(corrected.number, 2, **{field: "a\x00b"})
    assert not judged.accepted
    assert judged.reason
    assert "\x00" not in judged.reason


@pytest.mark.parametrize("where", ["field", "engine", "name", "version"])
def test_hidden_bad_text_is_refused_with_a_sentence(corrected: Corrected, where: str) -> None:
    issued = corrected.machine.challenge(corrected.number)
    said = verdicts("detected")
    if where == "engine":
        said["a\x00b"] = said["yara-x"]
    elif where == "name":
        said["clamav"]["names"] = ["a\x00b"]
    elif where == "version":
        said["clamav"]["engine_version"] = "a\x00b"
    samples = [{"sha256": one["sha256"], "verdicts": said} for one in issued.samples]
    extra = {"a\x00b": "x"} if where == "field" else {}
    judged = corrected.machine.send(corrected.machine.statement(issued, 2, samples=samples, **extra))
    assert not judged.accepted
    assert "\x00" not in judged.reason


@pytest.mark.parametrize("statement", [b"", b"{}", b"[]", b"\xff\xfe", b"[" * 2000, b'{"type":"guardia-proof/1"}'])
def test_a_statement_that_is_no_proof_is_refused_and_kept_once(corrected: Corrected, statement: bytes) -> None:
    for _ in range(2):
        judged = corrected.machine.send(statement)
        corrected.demand_refused(judged, "the statement")


def test_only_canonical_bytes_count(corrected: Corrected) -> None:
    statement = corrected.machine.statement(corrected.machine.challenge(corrected.number), 2)
    spaced = statement.replace(b'":"', b'": "')
    corrected.demand_refused(corrected.machine.send(spaced), "not canonical")
    assert canonical_bytes({"b": 1, "a": 2}) == b'{"a":2,"b":1}'


@pytest.mark.django_db(transaction=True)
def test_a_proof_sent_many_times_at_once_closes_the_case_once(cast: Cast) -> None:
    corrected = Corrected(cast)
    statement = corrected.machine.statement(corrected.machine.challenge(corrected.number), 2)
    answers = at_once([lambda: corrected.machine.send(statement) for _ in range(16)])
    assert not raised(answers)
    assert [judged.accepted for judged in returned(answers)].count(True) == 1
    assert events("closed") == events("proved") == 1
    assert Proof.objects.across_companies("a test counts").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_bad_proof_sent_many_times_at_once_is_kept_once(cast: Cast) -> None:
    machine = SigningMachine(cast)
    answers = at_once([lambda: machine.send(b"no proof", b"s" * 64) for _ in range(16)])
    assert not raised(answers)
    assert Proof.objects.across_companies("a test counts").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_machines_that_prove_at_once_one_closes_the_case(cast: Cast) -> None:
    corrected = Corrected(cast)
    machines = [corrected.machine, *(SigningMachine(cast, name=f"taller-1{index}") for index in range(3))]
    statements = [machine.statement(machine.challenge(corrected.number), 2) for machine in machines]
    pairs = list(zip(machines, statements, strict=True))
    answers = at_once([partial(machine.send, statement) for machine, statement in pairs])
    assert not raised(answers)
    assert [judged.accepted for judged in returned(answers)].count(True) == 1
    assert events("closed") == 1
    assert Proof.objects.across_companies("a test counts").filter(reason="The case is closed already.").count() == 3


@pytest.mark.django_db(transaction=True)
def test_a_code_enrols_one_machine_however_many_use_it_at_once(cast: Cast) -> None:
    code = create_code(cast.plus_admin, cast.now, "taller-07")
    key = base64.b64encode(b"k" * 32).decode()
    answers = at_once([lambda: enrol_machine(code, "x", key, cast.now) for _ in range(10)])
    assert len(returned(answers)) == 1
    assert {getattr(error, "code", repr(error)) for error in raised(answers)} == {"code_unknown"}
