"""A demonstration installation: one account per role, the sample trial opened; marked as such, never a real one."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from trialimg.core.access import Actor, Role
from trialimg.core.digest import digest_of
from trialimg.core.errors import AccessError, TrialimgError
from trialimg.protocol.load import read_protocol
from trialimg.services.authority import USER
from trialimg.services.case_images import CaseImages
from trialimg.services.cases import ReceivedCase, receive_cases
from trialimg.services.finished import FinishedRun
from trialimg.services.journal import Records
from trialimg.services.people import Grant, Person, add_user, grant_role
from trialimg.services.ports import Identity, ImageSource, Progress
from trialimg.services.prompted import KeptMasks
from trialimg.services.reading_assignment import assign_trial
from trialimg.services.reading_receipt import cases_of_run
from trialimg.services.records import Place
from trialimg.services.sign_in import Proof, change_password, sign_in, sign_out
from trialimg.services.training import ACCOUNTABILITY, record_training
from trialimg.services.trials import Change, open_trial, protocol_of
from trialimg.services.trials_sites import SiteChange, Source, SourceKind, put_site

__all__ = ["PEOPLE", "DemoAccount", "Demonstration", "Material", "bring_in", "prepare"]

CodeAt = Callable[[str, dt.datetime], str]
"""The one-time code of a seed at a moment, as the person's authenticator shows it."""

_PROOF = "made for the demonstration; nobody real"
_EARLIER = dt.timedelta(seconds=30)

PEOPLE: Mapping[str, tuple[str, Role]] = {
    "administrator": ("Demo Administrator", Role.ADMINISTRATOR),
    "analyst": ("Demo Analyst", Role.ANALYST),
    "radiologist": ("Demo Radiologist A", Role.RADIOLOGIST),
    "radiologist-2": ("Demo Radiologist B", Role.RADIOLOGIST),
    "adjudicator": ("Demo Adjudicator", Role.ADJUDICATOR),
    "sponsor": ("Demo Sponsor", Role.SPONSOR),
    "inspector": ("Demo Inspector", Role.INSPECTOR),
}
"""Key of an account to the printed name and the role."""


@dataclass(frozen=True)
class DemoAccount:
    """How to sign in as one of the made-up people."""

    user: str
    role: str
    password: str = field(repr=False)
    seed: str = field(repr=False)
    """Base 32, as authenticators take it."""


@dataclass(frozen=True)
class Demonstration:
    """What has been prepared."""

    trial: str
    accounts: Mapping[str, DemoAccount]
    analyst: Actor
    """Signed in, to bring the cases in."""
    token: str = field(repr=False)

    def save(self, path: Path) -> None:
        """Keep the accounts in a file that only its owner may read."""
        path.touch(mode=0o600)
        path.write_text(json.dumps({key: asdict(account) for key, account in self.accounts.items()}, indent=1))


def prepare(records: Records, identity: Identity, protocol: str, *, code_at: CodeAt) -> Demonstration:
    """Make the accounts, open the trial of a protocol file and train its readers, all by the ways that real ones go.

    Raises
    ------
    TrialimgError
        If the installation has users already: a demonstration never mixes with real records.
    """
    with records.store.reading() as transaction:
        if transaction.count(USER, Place()):
            raise TrialimgError("this installation has users already; a demonstration needs an empty one (--home)")
    maker = _Maker(records, identity, code_at)
    accounts: dict[str, DemoAccount] = {}
    administrator: Actor | None = None
    for key in PEOPLE:
        accounts[key] = maker.account(key, administrator)
        if administrator is None:
            administrator, _ = maker.signed_in(accounts[key], Role.ADMINISTRATOR)
    analyst, token = maker.signed_in(accounts["analyst"], Role.ANALYST)
    opened = open_trial(records, analyst, protocol, Change("demonstration", _today(records)))
    with records.store.reading() as transaction:
        charter = protocol_of(transaction, opened.id).body["version"]
    _activate_sites(records, analyst, opened.id)
    for key, (_, role) in PEOPLE.items():
        if role in (Role.RADIOLOGIST, Role.ADJUDICATOR):
            said = "demonstration: how the screens are used"
            record_training(records, analyst, accounts[key].user, trial=opened.id, charter_version=charter, what=said)
    return Demonstration(opened.id, accounts, analyst, token)


def _activate_sites(records: Records, analyst: Actor, trial: str) -> None:
    with records.store.reading() as transaction:
        sites = read_protocol(protocol_of(transaction, trial).body["text"]).sites
    for number, site in enumerate(sites, start=1):
        machine = Source(SourceKind.AE_TITLE, f"DEMO_SITE_{number}")
        change = SiteChange(trial, site, "active", f"Demo site {site}", _today(records), (machine,), "demonstration")
        put_site(records, analyst, change)


@dataclass(frozen=True)
class Material:
    """What the demonstration shows."""

    run: FinishedRun
    """A finished run over the studies, whose measurements become the software's proposals."""
    studies: Path
    """Folder of the DICOM files."""
    source: ImageSource
    work: Iterable[bytes]
    """Everything that the run kept; the masks that its proposals name are among it."""


def bring_in(
    records: Records,
    demonstration: Demonstration,
    material: Material,
    *,
    images: CaseImages,
    masks: KeptMasks,
    progress: Progress | None = None,
) -> int:
    """Receive the cases of a run with their images and masks, and give them to the readers; how many there are."""
    found = cases_of_run(material.run)
    receive_cases(records, demonstration.analyst, demonstration.trial, found.cases)
    named = set(_evidence(found.cases))
    for kept in material.work:
        if digest_of(kept) in named:
            masks.keep_packed(kept)
    images.encode(demonstration.trial, material.source, material.studies, progress=progress)
    assign_trial(records, demonstration.analyst, demonstration.trial)
    sign_out(records, demonstration.token)
    return len(found.cases)


def _evidence(cases: Iterable[ReceivedCase]) -> Iterator[str]:
    """Digests of the masks that proposals rest on."""
    for case in cases:
        for entry in case.proposal.entries.values() if case.proposal else ():
            yield from (one["evidence"]["digest"] for one in entry["lesions"] if "digest" in one["evidence"])


@dataclass(frozen=True)
class _Maker:
    records: Records
    identity: Identity
    code_at: CodeAt

    def account(self, key: str, administrator: Actor | None) -> DemoAccount:
        """A person with a role in every trial, a password of their own and an authenticator."""
        printed, role = PEOPLE[key]
        user = f"demo-{key}"
        maker = administrator or Actor(user, Role.ADMINISTRATOR)
        once = add_user(self.records, maker, Person(user, printed, _PROOF), self.identity)
        if administrator is not None:
            grant_role(self.records, administrator, user, Grant(role, "*"), reason="demonstration")
        password = f"demo {self.identity.new_token()[:16]}"
        address = change_password(self.records, user, Proof(once, "", self.identity), password)
        seed = (address or "").partition("secret=")[2].partition("&")[0]
        account = DemoAccount(user, role.value, password, seed)
        if administrator is not None and role is not Role.ANALYST:
            _, token = self.signed_in(account, role)
            sign_out(self.records, token)
        return account

    def signed_in(self, account: DemoAccount, role: Role) -> tuple[Actor, str]:
        """Signed in with the code of half a minute ago, so that the present one is still to be used."""
        try:
            return self._sign_in(account, role)
        except AccessError:  # half a minute ago was another period by the time it was looked at
            return self._sign_in(account, role)

    def _sign_in(self, account: DemoAccount, role: Role) -> tuple[Actor, str]:
        code = self.code_at(account.seed, self.records.clock.now() - _EARLIER)
        proof = Proof(account.password, code, self.identity)
        opened = sign_in(self.records, account.user, proof, role=role, accepts=ACCOUNTABILITY.version)
        return opened.actor, opened.token


def _today(records: Records) -> dt.date:
    return records.clock.now().astimezone(dt.UTC).date()
