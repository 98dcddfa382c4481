"""`trialimg trial upload`: studies of one subject are brought into a trial."""

from __future__ import annotations

import datetime as dt
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trialimg.cli.gathered import gathered
from trialimg.cli.output import json_option, print_json
from trialimg.cli.progress import progress_bars
from trialimg.cli.sign_in import Desk, signed_in
from trialimg.core.access import Action, Role

if TYPE_CHECKING:
    from trialimg.services.upload_handover import Arrangement
    from trialimg.services.uploads import Intake, Received

__all__ = ["upload"]


@dataclass(frozen=True)
class _Sender:
    desk: Desk
    intake: Intake
    upload: str

    def send(self, paths: list[Path]) -> Iterator[tuple[Path, Received]]:
        """Every file below the paths, and what became of it."""
        from trialimg.services.uploads import receive_file, upload_of

        found = upload_of(self.desk.records, self.desk.actor, self.upload, action=Action.UPLOAD_IMAGES)
        folder = self.intake.of(found)
        files = sorted(file for path in paths for file in ([path] if path.is_file() else path.rglob("*")))
        files = [file for file in files if file.is_file() and not file.is_symlink()]
        folder.require_room(sum(file.stat().st_size for file in files))
        with progress_bars() as tell:
            for number, file in enumerate(files):
                copy = folder.incoming / f"{number}"
                shutil.copyfile(file, copy)
                for one in receive_file(
                    self.desk.records, self.desk.actor, self.intake, self.upload, path=copy, name=str(file)
                ):
                    yield file, one
                tell("files", number + 1, len(files))


@dataclass(frozen=True)
class _Sent:
    """What is sent, and of whom."""

    trial: str
    paths: tuple[Path, ...]
    site: str
    subject: str
    resume: str

    def name(self, desk: Desk) -> str:
        """Of the upload: one that is gone on with, or a new one."""
        from trialimg.services.uploads import UploadOrder, begin_upload

        if not self.resume and not (self.site and self.subject):
            raise click.UsageError("name the --site and the --subject, or an upload to --resume")
        order = UploadOrder(self.trial, self.site, self.subject)
        return self.resume or begin_upload(desk.records, desk.actor, order).id


@dataclass(frozen=True)
class _Matched:
    """How series become visits."""

    visit: str
    reference_date: dt.datetime | None
    leave_out: tuple[str, ...]
    looked_at: bool

    @property
    def day_1(self) -> dt.date | None:
        return self.reference_date.date() if self.reference_date else None


@click.command("upload")
@gathered(
    "sent", _Sent,
    click.argument("trial"),
    click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path)),
    click.option("--site", default="", help="Code of the site that sends."),
    click.option(
        "--subject", default="", help="Blinded code of the subject; the files' Patient ID is this code, or empty."
    ),
    click.option("--resume", default="", metavar="TRIAL/U0001", help="Go on with an upload that was begun."),
)  # fmt: skip
@gathered(
    "matched", _Matched,
    click.option("--visit", default="", help="Visit of all series; default: by the window that holds their date."),
    click.option("--reference-date", type=click.DateTime(["%Y-%m-%d"]), help="Day 1 of a subject without a case yet."),
    click.option("--leave-out", multiple=True, metavar="UID", help="Series that is not handed over."),
    click.option("--looked-at", is_flag=True, help="I looked at the images: no text in them tells who the subject is."),
)  # fmt: skip
@signed_in(Role.ANALYST)
@json_option
@click.pass_context
def upload(context: click.Context, desk: Desk, sent: _Sent, matched: _Matched, as_json: bool) -> None:
    """Bring DICOM files (PATHS: files, folders, ZIP archives) of a subject into TRIAL.

    Each file is taken or refused with its reason. With --looked-at the series are handed over to the subject's case;
    without, they wait, and --resume goes on. Exit code 1: some file was refused, or the upload waits.
    """
    from trialimg.bootstrap import intake
    from trialimg.services.upload_handover import Matching, arranged, hand_over

    house = intake(Path(context.params["home"]).expanduser())
    name = sent.name(desk)
    received = [one for _, one in _Sender(desk, house, name).send(list(sent.paths))]
    arrangement = arranged(desk.records, desk.actor, house, name, reference=matched.day_1)
    state = "receiving"
    if matched.looked_at:
        visits = _visits(arrangement, matched.visit, matched.leave_out)
        matching = Matching(visits, has_looked=True, reference_date=matched.day_1)
        with progress_bars() as tell:
            kept = hand_over(desk.records, desk.actor, house, name, matching=matching, progress=tell)
        state = kept.place.state
    _tell(name, state, received, arrangement, as_json)
    if state == "receiving" or any(not one.receipt.is_accepted for one in received):
        context.exit(1)


def _visits(arrangement: Arrangement, visit: str, leave_out: tuple[str, ...]) -> dict[str, str]:
    """Series to visit; one whose visit cannot be told is a usage error."""
    wanted = [one.series_uid for one in arrangement.usable if one.series_uid not in leave_out]
    visits = {uid: visit or arrangement.proposed.get(uid, "") for uid in wanted}
    if unknown := [uid for uid, name in visits.items() if not name]:
        raise click.UsageError(f"say the --visit of series {', '.join(unknown)}, or leave them out")
    return visits


def _tell(name: str, state: str, received: list[Received], arrangement: Arrangement, as_json: bool) -> None:
    refused = [one for one in received if not one.receipt.is_accepted]
    if as_json:
        series = [
            {"uid": one.series_uid, "modality": one.modality, "date": one.acquisition_date, "slices": one.slices,
             "visit": arrangement.proposed.get(one.series_uid, "")}
            for one in arrangement.series
        ]  # fmt: skip
        counts = Counter(code for one in refused for code in one.receipt.codes)
        print_json(
            {"upload": name, "state": state, "files": len(received), "refused": dict(sorted(counts.items())),
             "series": series, "findings": list(arrangement.findings)}
        )  # fmt: skip
        return
    for one in refused:
        click.echo(f"refused  {one.name}: {'; '.join(fault.message for fault in one.faults)}")
    for found in arrangement.series:
        where = arrangement.proposed.get(found.series_uid, "-")
        words = (found.series_uid, found.modality, found.acquisition_date, found.slices, where)
        click.echo(f"series   {'  '.join(map(str, words))}")
    for finding in arrangement.findings:
        click.echo(f"finding  {finding.where}: {finding.message} [{finding.code}]")
    click.echo(f"{name}: {state}, {len(received) - len(refused)} file(s) taken, {len(refused)} refused")
