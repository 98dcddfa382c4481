"""A small installation with people of every role, cases at every stage, a data cut, an invoice and a finished run."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.fakes import central_review as review
from tests.fakes.imaging import BrightSegmenter
from tests.fakes.people import FakeIdentity, period
from tests.fakes.records import SetClock
from trialimg.bootstrap import kept_masks, kept_series, records
from trialimg.core.access import Actor, Role
from trialimg.core.digest import digest_of
from trialimg.services import adjudication, billing, cases, demonstration, reading, reading_assignment, reading_results
from trialimg.services.case_images import CaseImages
from trialimg.services.journal import Records
from trialimg.services.model_answers import AnswerPlace, answered, decided
from trialimg.services.ports import Identity
from trialimg.services.reading_entry import Axes
from trialimg.services.sign_in import Proof, sign_in
from trialimg.services.store_checkpoints import sign_checkpoint
from trialimg.services.trials_data_cut import CutOrder, cut_data

TRIAL = review.TRIAL
READERS = ("radiologist", "radiologist-2")
VISITS = ("BL", "W06", "W12")
PLAN: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "C0001": (("40", "24", "18"), ("41", "25", "19")),
    "C0002": (("30", "31", "42"), ("30", "30", "41")),
    "C0003": (("50", "40", "34"), ("50", "46", "44")),
    "C0004": (("25", "26", "24"), ("24", "24", "23")),
    "C0005": (("36", "20", ""), ("36", "21", "")),
    "C0006": (("22", "21", "15"), ("22", "20", "17")),
}
"""Case to the long axis of its one target by visit, by each reader; they differ in C0003 and C0006."""
SETTLED = ("C0003",)
HALF_READ, UNREAD, NOT_GIVEN_OUT = "C0007", "C0008", "C0009"

PROTOCOL = f"""{review.VALID.partition("price_plan:")[0]}price_plan:
  currency: CNY
  version: "1"
  items:
    - {{item: case, unit: case, price: 2000, description: Central review of one subject}}
    - {{item: adjudication, unit: adjudication, price: 300, description: Adjudication}}
  tax: {{category: S, rate_pct: 6}}
  payment_days: 30
  seller:
    entity: CRO1
    party: {{name: Example Imaging Ltd, country: CN, city: Shanghai, tax_id: CN913100000000000000}}
  payers:
    - {{id: sponsor, party: {{name: Example Pharma Ltd, country: CN, city: Beijing, tax_id: CN911100000000000000}}}}
  shares:
    - {{role: reader, pct: 40}}
    - {{role: site, pct: 10}}
    - {{role: platform, pct: 50, payee: platform}}
"""


@dataclass
class House:
    """What a dashboard is opened over."""

    home: Path
    records: Records
    identity: Identity
    accounts: Mapping[str, demonstration.DemoAccount]
    code_at: demonstration.CodeAt
    actors: dict[str, Actor]
    """By key of the account, signed in."""

    def actor(self, key: str) -> Actor:
        """Somebody at their desk; signed in where they were not."""
        if key not in self.actors:
            account = self.accounts[key]
            signed = sign_in(self.records, account.user, self.proof(key), role=Role(account.role))
            self.actors[key] = signed.actor
        return self.actors[key]

    def proof(self, key: str) -> Proof:
        """Password and the code of a later half minute than any that was used."""
        clock = self.records.clock
        assert isinstance(clock, SetClock)
        clock.moment += dt.timedelta(seconds=31)
        account = self.accounts[key]
        return Proof(account.password, self.code_at(account.seed, clock.moment), self.identity)

    def aliases(self, key: str) -> dict[str, str]:
        """Case to what a reader calls it; repeats are left out."""
        found = reading_results.review_status(self.records, self.actor("analyst"), TRIAL)
        user = self.accounts[key].user
        return {
            one["case"]: read["alias"]
            for one in found
            for read in one["reads"]
            if read["reader"] == user and not read["repeat"]
        }

    def read(self, key: str, code: str, sizes: Sequence[str]) -> None:
        """A case read from the first visit to the signature."""
        actor, alias = self.actor(key), self.aliases(key)[code]
        reading.open_case(self.records, actor, TRIAL, alias)
        for step, size in zip(VISITS, sizes, strict=True):
            lesion = self.answer(actor, alias, step, size) if key == READERS[0] and size else review.target(size)
            entry = review.entry(size, step=step, lesions=[lesion])
            reading.save_draft(self.records, actor, TRIAL, alias, step=step, entry=entry)
            reading.lock_timepoint(self.records, actor, TRIAL, alias, step=step)
        reading.lock_read(self.records, actor, TRIAL, alias)
        reading.sign_read(self.records, actor, self.proof(key), trial=TRIAL, alias=alias)

    def answer(self, actor: Actor, alias: str, step: str, size: str) -> dict[str, Any]:
        """A lesion measured by a line that the software answered; what it proposes is 1 mm short in every fourth."""
        place = AnswerPlace(TRIAL, alias, step, "T01", "liver")
        long_mm = float(size)
        is_changed = int(size) % 4 == 0
        points = [[0.0, 0.0, 0.0], [long_mm - is_changed, 0.0, 0.0]]
        axes = Axes(
            "2.25.1", points, None, digest_of([alias, step]), f"{long_mm**3 / 2000:.3f}", f"{40 + long_mm / 10:.1f}"
        )
        answered(self.records, actor, place, segmenter=BrightSegmenter(), geometry=GEOMETRY, work=lambda: axes)
        decided(self.records, actor, place, taken=True)
        evidence: dict[str, Any] = {"series_uid": "2.25.1", "long_axis_lps_mm": [[0, 0, 0], [size, 0, 0]]}
        return review.target(size, evidence=evidence if is_changed else {**evidence, "digest": axes.digest})


GEOMETRY = {"modality": "CT", "pixel_spacing": [0.8, 0.8], "positions": [[0, 0, 0], [0, 0, 5]]}


def furnished(
    home: Path,
    *,
    identity: Identity | None = None,
    code_at: demonstration.CodeAt = lambda _, moment: str(period(moment)),
    begins: dt.datetime = dt.datetime(2026, 1, 10, 8, tzinfo=dt.UTC),
) -> House:
    """The installation; its clock goes a second with every look, from when it begins."""
    home.mkdir(parents=True, exist_ok=True)
    kept = replace(records(home), clock=SetClock(begins))
    made = demonstration.prepare(kept, identity or FakeIdentity(), PROTOCOL, code_at=code_at)
    if identity is not None:
        made.save(home / "demo-accounts.json")
    house = House(home, kept, identity or FakeIdentity(), made.accounts, code_at, {"analyst": made.analyst})
    review.active_site(kept, made.analyst)
    _receive(house, [*PLAN, HALF_READ, UNREAD])
    reading_assignment.assign_trial(kept, made.analyst, TRIAL)
    for code, sizes in PLAN.items():
        for key, own in zip(READERS, sizes, strict=True):
            house.read(key, code, own)
    house.read(READERS[0], HALF_READ, ("20", "19", "18"))
    reading_assignment.assign_trial(kept, made.analyst, TRIAL)
    for code in SETTLED:
        choice = adjudication.Choice(house.aliases("adjudicator")[code], "A", review.BECAUSE)
        adjudication.adjudicate(kept, house.actor("adjudicator"), house.proof("adjudicator"), TRIAL, choice=choice)
    _receive(house, [NOT_GIVEN_OUT])
    _close(house)
    write_run(home / "runs" / TRIAL)
    return house


def installation_of(house: House) -> Any:
    """The house as the dashboard knows it."""
    from apps.trialimg_dashboard.installation import Installation
    from apps.trialimg_dashboard.pixels import PixelTokens

    images = CaseImages(house.records, kept_series(house.home))
    return Installation(house.home, house.records, house.identity, images, kept_masks(house.home), PixelTokens())


def write_run(folder: Path) -> None:
    """What `trialimg run` leaves, as far as pages look at it."""
    folder.mkdir(parents=True)
    subjects = [_subject(code, first) for code, (first, _) in PLAN.items()]
    results = {
        "trial": TRIAL,
        "title": "A trial",
        "criterion": "recist11",
        "protocol": {
            "response": {"rules": {"pr_decrease": "0.30", "pd_increase": "0.20"}},
            "statistics": {"confidence": "0.95", "rate_interval": "clopper_pearson"},
        },
        "provenance": {"software": "trialimg"},
        "subjects": subjects,
        "findings": [
            {"code": code, "severity": "warning", "where": f"S-{case}", "message": text, "subject": f"S-{case}",
             "timepoint": "W06"}
            for code, case, text in (
                ("missed_visit", "C0002", "visit W18 was not received"),
                ("thick_slices", "C0004", "slices of 7 mm, the protocol allows 5 mm"),
            )
        ],
        "cohort": {
            "objective_response": [["all", None], ["A", None], ["B", None]],
            "progression_free": [
                [arm, {"time_days": [0.0, 42.0, 84.0], "survival": [1.0, *shares], "n_risk": [3, 3, 2],
                       "n_censored": [0, 0, 2]}]
                for arm, shares in (("A", (1.0, 1.0)), ("B", (1.0, 0.667)))
            ],
            "log_rank": None,
        },
    }  # fmt: skip
    files = {
        "results.json": json.dumps(results).encode(),
        "report.html": b"<h1>Report of T-1</h1><p>ARM-COMPARISON</p>",
        "endpoints.csv": b"subject,arm,best_overall\r\nS-C0001,A,PR\r\n",
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    manifest = {
        "outputs": {name: digest_of(data) for name, data in files.items()},
        "protocol_digest": "sha256:0",
        "software": "trialimg",
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))


def _subject(code: str, sizes: Sequence[str]) -> dict[str, Any]:
    start = review.DATES["BL"]
    timepoints: list[dict[str, Any]] = []
    for step, size in zip(VISITS, sizes, strict=True):
        sums = {"sum_mm": size or "0", "baseline_mm": sizes[0], "nadir_mm": sizes[0]}
        judged = {"sums": sums, "overall": _word(float(size or 0), float(sizes[0]))} if step != "BL" else None
        visit = {"id": step, "date": review.DATES[step].isoformat(), "order": len(timepoints)}
        day = (review.DATES[step] - start).days + 1
        lesions = [_lesion(code, size)] if size else []
        base = sizes[0] if step == "BL" else None
        looked = {"timepoint": visit, "assessment": judged, "day": day, "lesions": lesions, "baseline_sum_mm": base}
        timepoints.append(looked)
    changes = [100 * (float(size or 0) - float(sizes[0])) / float(sizes[0]) for size in sizes[1:]]
    best = min(changes)
    return {
        "subject": {
            "id": f"S-{code}",
            "site": "01",
            "arm": "A",
            "reference_date": start.isoformat(),
            "death_date": None,
            "last_contact_date": None,
            "new_therapy_date": None,
        },
        "timepoints": timepoints,
        "findings": [],
        "endpoints": {
            "best": {"response": _word(100 + best, 100)},
            "burden": {"best_change_pct": str(round(best, 2))},
            "progression_date": None,
            "progression_free_survival": {
                "days": 50 + int(code[-1]) * 17 % 40,
                "event": _word(float(sizes[-1] or 0), float(sizes[0])) != "SD",
            },
            "responder": best <= -30,
            "disease_control": best < 20,
            "duration_of_response": None,
        },
    }


def _lesion(code: str, size: str) -> dict[str, Any]:
    """A target with a few features; some say the same, one says nothing."""
    number, size_mm = int(code[-1]), float(size)
    features = {
        "original_shape_MeshVolume": size_mm**3 / 2,
        "original_shape_Maximum3DDiameter": size_mm,
        "original_firstorder_Mean": 40 + number * 7 % 11,
        "original_firstorder_Entropy": 3 + number * 5 % 7 / 10,
        "original_glcm_Contrast": 10 + (number * 3 + int(size)) % 8,
        "log-sigma-3-0-mm-3D_glcm_Contrast": 1.0,
    }
    observation = {"lesion": {"id": f"S-{code}/T01", "label": "T01", "organ": "liver"}, "diameter_mm": size}
    return {"observation": observation, "role": "target", "features": features}


def _word(now: float, before: float) -> str:
    if not now:
        return "CR"
    return "PR" if now <= 0.7 * before else ("PD" if now >= 1.2 * before else "SD")


def _receive(house: House, codes: Sequence[str]) -> None:
    received = [review.received_case(code, VISITS) for code in codes]
    cases.receive_cases(house.records, house.actor("analyst"), TRIAL, received)


def _close(house: House) -> None:
    """A data cut, an invoice, a signed checkpoint."""
    from trialimg.bootstrap import storage
    from trialimg.core.access import Action

    order = CutOrder(TRIAL, "IA1", "first interim analysis")
    cut_data(house.records, house.actor("analyst"), house.proof("analyst"), order)
    administrator = house.actor("administrator")
    day = house.records.clock.now().date()
    billing.issue(house.records, administrator, TRIAL, day)
    with house.records.change(administrator, Action.MANAGE_STORE) as journal:
        sign_checkpoint(journal, storage(house.records, house.home).ring)
