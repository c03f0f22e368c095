"""The story that `guardia tour` tells, step by step, with a check behind each."""

import hashlib
import html
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx

from guardia.doors.cli.web_person import StepFailed, WebPerson

PASSWORD = "guardia-development-only"  # noqa: S105  the sample data's own
WAIT_S = 180
POLL_S = 0.25
PEOPLE = {
    "plus_admin": "carmen.ruiz@astilleros.example",
    "plus": "lucia.ferrer@astilleros.example",
    "standard_admin": "pablo.nieto@ceramicas.example",
    "standard": "sara.vidal@ceramicas.example",
    "engineer": "marta.ibanez@guardia.example",
    "analyst": "tomas.vega@guardia.example",
    "reviewer": "paula.olmo@guardia.example",
    "releaser": "jon.prieto@guardia.example",
    "duty_manager": "elena.soto@guardia.example",
}
DETECTION = "Lab.Harmless.Family.0001"


class Watch(Protocol):
    """Notes that a step is done."""

    def done(self, name: str) -> None: ...


@dataclass
class Agent:
    """A customer's machine: the real `guardia-agent` on a folder of its own."""

    home: Path

    def run(self, *words: str, expect: tuple[int, ...] = (0,)) -> dict[str, Any]:
        """Run a command of the agent and return its JSON."""
        command = [
            str(Path(sys.executable).with_name("guardia-agent")),
            words[0],
            "--home",
            str(self.home),
            "--json",
            *words[1:],
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode not in expect:
            raise StepFailed(
                f"guardia-agent {words[0]}: exit {done.returncode}: {done.stderr.strip() or done.stdout.strip()}"
            )
        answer: dict[str, Any] = json.loads(done.stdout) if done.stdout.strip() else {}
        return answer

    @property
    def installed(self) -> Path:
        """The database in force."""
        return (self.home / "current").resolve()


class Story:
    """Everything that the tour does; `tell` runs it and returns what the report says of TUF."""

    def __init__(self, server: str, work: Path, watch: Watch) -> None:
        self.server, self.work, self.watch = server, work, watch
        self.people: dict[str, WebPerson] = {}
        self.agents: dict[str, Agent] = {}
        self.tokens: dict[str, str] = {}

    def tell(self) -> dict[str, Any]:
        """Run the whole tour."""
        self._arrive()
        self._enrol()
        for claim in ("FN", "FP"):
            self._one_claim(claim)
        return self._keep()

    # ---- people and machines ----

    def _arrive(self) -> None:
        for name, email in PEOPLE.items():
            self.people[name] = WebPerson(self.server, email, PASSWORD)
        self.watch.done(f"{len(PEOPLE)} people sign in")

    def _enrol(self) -> None:
        for side in ("plus", "standard"):
            admin = self.people[f"{side}_admin"]
            page = admin.read("/machines/")
            answer = admin.send(page, "/machines/codes/", {"name": f"tour-{side}"})
            code = re.search(r"[2-9A-HJ-NP-Z]{5}(?:-[2-9A-HJ-NP-Z]{5}){3}", answer.text)
            if code is None:
                raise StepFailed("the machines page shows no one-time code")
            agent = self.agents[side] = Agent(self.work / "homes" / side)
            agent.run("enrol", "--server", self.server, "--code", code.group(), "--name", f"tour-{side}")
            agent.run("update")
            self.watch.done(f"{side}: machine enrolled and updated")
        shutil.copytree(self.agents["plus"].installed, self.work / "before")
        self._see_wrong_verdicts()

    def _see_wrong_verdicts(self) -> None:
        for name, wrong in (("fn.bin", "not_detected"), ("fp.bin", "detected")):
            for side, agent in self.agents.items():
                self._demand_verdicts(agent, name, wrong, f"{side}, before")
        self.watch.done("both verdicts are wrong in both engines")

    def _demand_verdicts(self, agent: Agent, sample: str, wanted: str, when: str) -> None:
        answer = agent.run("scan", str(self.work / sample), expect=(0, 1))
        said = {verdict["engine"]: verdict["outcome"] for verdict in _verdicts(answer)}
        if set(said.values()) != {wanted} or len(said) < 2:  # noqa: PLR2004  two engines
            raise StepFailed(f"{when}: {sample} is {said}, wanted {wanted} in both engines")

    # ---- one claim, end to end ----

    def _one_claim(self, claim: str) -> None:
        sample = self.work / f"{claim.lower()}.bin"
        standard = self._report("standard", claim, sample)
        plus = self._report("plus", claim, sample)
        self.watch.done(f"{claim}: both companies report ({'portal' if claim == 'FN' else 'JSON API'})")
        self._demand_queue_order(plus, standard)
        self._triage(claim, plus)
        draft = self._draft(claim, plus)
        label = self._approve(claim, plus, draft)
        self._plus_closes(claim, plus, sample, label)
        self._standard_follows(claim, standard, sample, label)

    def _report(self, side: str, claim: str, sample: Path) -> str:
        return self._report_by_form(side, claim, sample) if claim == "FN" else self._report_by_api(side, claim, sample)

    def _facts(self, side: str, claim: str) -> dict[str, Any]:
        label = self.agents[side].run("status")["label"]
        return {
            "kind": "signature_change",
            "case_class": "premium" if side == "plus" else "standard",
            "severity": 2,
            "subject": "Tour: an infected file is called safe"
            if claim == "FN"
            else "Tour: a clean file is called infected",
            "description": "Reported by guardia tour.",
            "claim": claim,
            "product": "Tour 1.0",
            "engine": "ClamAV, YARA-X",
            "database_version": label,
            "detection_name": DETECTION if claim == "FP" else "",
        }

    def _report_by_form(self, side: str, claim: str, sample: Path) -> str:
        person = self.people[side]
        page = person.read("/cases/new/")
        facts = {**self._facts(side, claim), "severity": "2"}
        answer = person.send(page, "/cases/new/", facts, {"files": sample}, expect=(200, 409))
        if answer.status_code == httpx.codes.CONFLICT:  # no premium incidents left: the customer consents to standard
            answer = person.send(answer, "/cases/new/", {**facts, "consent_standard": "on"})
        found = re.search(r"/cases/(\d{8})/", str(answer.url))
        if found is None:
            raise StepFailed(f"the form did not lead to a case but to {answer.url}")
        return found.group(1)

    def _report_by_api(self, side: str, claim: str, sample: Path) -> str:
        if side not in self.tokens:
            person = self.people[side]
            answer = person.send(person.read("/tokens/"), "/tokens/new/", {"name": "tour"})
            found = re.search(r"gt_[A-Za-z0-9_-]{40,}", answer.text)
            if found is None:
                raise StepFailed("the tokens page shows no token")
            self.tokens[side] = found.group()
        with httpx.Client(
            base_url=f"{self.server}/api/v1", timeout=60, headers={"Authorization": f"Bearer {self.tokens[side]}"}
        ) as api:
            with sample.open("rb") as body:
                upload = api.post("/uploads", content=body, headers={"X-Filename": sample.name})
            upload.raise_for_status()
            if upload.json()["sha256"] != hashlib.sha256(sample.read_bytes()).hexdigest():
                raise StepFailed("the server received other bytes than were sent")
            key = hashlib.sha256(f"{self.work}{side}{claim}".encode()).hexdigest()
            body_json = {**self._facts(side, claim), "uploads": [upload.json()["id"]]}
            opened = api.post("/cases", json=body_json, headers={"Idempotency-Key": key})
            if opened.status_code == httpx.codes.CONFLICT:
                body_json["consent_standard"] = True
                opened = api.post("/cases", json=body_json, headers={"Idempotency-Key": f"{key[:40]}-consent"})
            if opened.status_code != httpx.codes.CREATED:
                raise StepFailed(f"POST /cases: {opened.status_code} {opened.text[:300]}")
            return str(opened.json()["number"])

    def _demand_queue_order(self, plus: str, standard: str) -> None:
        page = self.people["engineer"].read("/console/queue/").text
        if not 0 <= page.find(f"/{plus}/") < page.find(f"/{standard}/"):
            raise StepFailed("the Plus case does not stand before the Standard one, which arrived first")
        self.watch.done("the Plus case stands before the Standard one in the queue")

    def _wait(self, what: str, read: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            found = read()
            if found is not None:
                return found
            time.sleep(POLL_S)
        raise StepFailed(f"{what} did not come within {WAIT_S} s")

    def _triage(self, claim: str, number: str) -> None:
        analyst, path = self.people["analyst"], f"/console/lab/{number}/"

        def confirmed() -> bool | None:
            marked = re.search(r'data-precheck="([a-z_]+)"', analyst.read(path).text)
            return True if marked and marked.group(1) == "confirmed" else None

        self._wait("the confirmed precheck", confirmed)
        self.watch.done(f"{claim}: precheck confirms the claim")
        page = analyst.read(f"/console/cases/{number}/")
        analyst.send(page, f"/console/cases/{number}/take/", {"reason": "tour"})
        verdict = "fn_confirmed" if claim == "FN" else "fp_confirmed"
        analyst.send(
            analyst.read(path),
            f"/console/lab/{number}/determination/",
            {"verdict": verdict, "text": "Confirmed by both engines."},
        )
        self.watch.done(f"{claim}: the analyst takes the case and determines (qualified answer)")

    def _draft(self, claim: str, number: str) -> int:
        analyst, path = self.people["analyst"], f"/console/lab/{number}/"

        def proposed() -> httpx.Response | None:
            page = analyst.read(path)
            return page if 'name="proposal"' in page.text else None

        page = self._wait("a proposed correction", proposed)
        self.watch.done(f"{claim}: the lab proposes corrections")
        answer = analyst.send(page, f"/console/lab/{number}/drafts/", {"proposal": "0"})
        found = re.search(r"/drafts/(\d+)/", str(answer.url))
        if found is None:
            raise StepFailed(f"the proposal did not become a draft: {answer.url}")
        draft = int(found.group(1))
        self.watch.done(f"{claim}: draft {draft} saved")

        def gated() -> str | None:
            marked = re.search(r'data-draft-state="([a-z_]+)"', analyst.read(f"{path}drafts/{draft}/").text)
            return marked.group(1) if marked and marked.group(1) not in {"saved", "gating"} else None

        state = self._wait("the gates' end", gated)
        if state != "gated":
            raise StepFailed(f"the gates ended with {state}")
        self.watch.done(f"{claim}: six gates passed on exactly these bytes")
        return draft

    def _approve(self, claim: str, number: str, draft: int) -> str:
        path = f"/console/lab/{number}/drafts/{draft}/"
        self._demand_refused(number, draft)
        reviewer = self.people["reviewer"]
        reviewer.send(reviewer.read(path), f"{path}review/", {})
        releaser = self.people["releaser"]
        page = releaser.read(path)
        label = re.search(r'data-build-label="([0-9.]+)"', page.text)
        if label is None:
            raise StepFailed("the draft's page does not name its release")
        releaser.send(page, f"{path}approve/", {"confirm": label.group(1)})
        self.watch.done(f"{claim}: reviewed and released by two others, as {label.group(1)}")
        return label.group(1)

    def _demand_refused(self, number: str, draft: int) -> None:
        """The author may not be the reviewer: asked for by a hand-made form, it is refused."""
        author, path = self.people["analyst"], f"/console/lab/{number}/drafts/{draft}/"
        page = author.read(path)
        digest = re.search(r'data-build-digest="([0-9a-f]{64})"', page.text)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        if digest is None or token is None:
            raise StepFailed("the draft's page does not name its build")
        fields = {
            "csrfmiddlewaretoken": token.group(1),
            "form_token": hashlib.sha256(path.encode()).hexdigest(),
            "build_digest": digest.group(1),
        }
        answer = author.client.post(f"{path}review/", data=fields, headers={"Referer": f"{self.server}{path}"})
        if answer.status_code not in {403, 409}:
            raise StepFailed(f"the author could review the own draft: {answer.status_code}")

    def _plus_closes(self, claim: str, number: str, sample: Path, label: str) -> None:
        agent = self.agents["plus"]

        def updated() -> bool | None:
            agent.run("update")
            return True if agent.run("status")["label"] == label else None

        self._wait(f"release {label} on the accelerated lane", updated)
        self.watch.done(f"{claim}: the Plus machine has {label}")
        self._demand_verdicts(agent, sample.name, "detected" if claim == "FN" else "not_detected", "Plus, after")
        agent.run("verify", number, str(sample))
        self._demand_closed("plus", number)
        self.watch.done(f"{claim}: its proof closes the Plus case")

    def _demand_closed(self, side: str, number: str) -> None:
        page = self.people[side].read(f"/cases/{number}/").text
        if 'data-state="closed"' not in page:
            raise StepFailed(f"case {number} is not closed")
        evidence = self.people[side].read(f"/cases/{number}/evidence/").json()
        if "payload" not in evidence or not evidence.get("signatures"):
            raise StepFailed(f"case {number} has no signed evidence")

    def _standard_follows(self, claim: str, number: str, sample: Path, label: str) -> None:
        agent, analyst = self.agents["standard"], self.people["analyst"]
        agent.run("update")
        if agent.run("status")["label"] == label:
            raise StepFailed(f"the Standard machine has {label} before the batch")
        wrong = "not_detected" if claim == "FN" else "detected"
        self._demand_verdicts(agent, sample.name, wrong, "Standard, before the batch")
        self.watch.done(f"{claim}: the Standard machine does not have {label} before the batch")
        path = f"/console/lab/{number}/"
        analyst.send(analyst.read(path), f"{path}precheck/", {})

        def joinable() -> httpx.Response | None:
            page = analyst.read(path)
            is_done = 'data-precheck="confirmed"' in page.text and 'data-precheck-running="true"' not in page.text
            return page if is_done and f'data-join="{label}"' in page.text else None

        page = self._wait("the precheck that finds the accelerated release", joinable)
        taken = analyst.read(f"/console/cases/{number}/")
        analyst.send(taken, f"/console/cases/{number}/take/", {"reason": "tour"})
        analyst.send(page, f"{path}join/", {})
        self.watch.done(f"{claim}: the Standard case joins release {label}")
        releaser = self.people["releaser"]
        releaser.send(
            releaser.read("/console/releases/"), "/console/releases/standard-batch/", {"reason": "tour: next batch"}
        )

        def updated() -> bool | None:
            agent.run("update")
            return True if agent.run("status")["label"] == label else None

        self._wait(f"release {label} on the standard lane", updated)
        agent.run("verify", number, str(sample))
        self._demand_closed("standard", number)
        self.watch.done(f"{claim}: after the batch the Standard machine's proof closes its case")

    # ---- what is left ----

    def _keep(self) -> dict[str, Any]:
        agent = self.agents["plus"]
        shutil.copytree(agent.installed, self.work / "agent")
        enrolment = json.loads((agent.home / "enrolment.json").read_text(encoding="utf-8"))
        root = self.work / "root.json"
        shutil.copyfile(agent.home / "trust" / "accelerated" / "pinned.json", root)
        kept = self.work / "agent"
        targets = {path.relative_to(kept).as_posix(): str(path) for path in sorted(kept.rglob("*")) if path.is_file()}
        self.watch.done("what the machine has is kept")
        return {
            "root": str(root),
            "metadata_url": html.unescape(enrolment["metadata_url"]),
            "targets_url": html.unescape(enrolment["targets_url"]),
            "targets": targets,
        }


def _verdicts(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the verdicts of the agent's scan of one file, whatever the engine."""
    files = answer["files"]
    verdicts = files[0]["verdicts"]
    return list(verdicts.values()) if isinstance(verdicts, dict) else list(verdicts)
