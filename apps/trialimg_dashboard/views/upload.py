"""What has come of an upload, and the forms that begin it, hand it over and give it up."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from apps.trialimg_dashboard.desk import Desk, done
from apps.trialimg_dashboard.uploader import uploader
from apps.trialimg_dashboard.views.acting import act, wanted
from trialimg.bootstrap import intake
from trialimg.services.records import RecordVersion
from trialimg.services.upload_handover import Arrangement, Matching, arranged, hand_over
from trialimg.services.uploads import UploadOrder, abandon_upload, begin_upload, open_uploads, sites_that_send

__all__ = [
    "beginning",
    "chosen",
    "field",
    "giving_up",
    "handing_over",
    "present_arrangement",
    "present_uploads",
    "received",
    "series",
]

_FIELD = ("drop", "files", "folder", "sending", "taken", "refused", "failed")
_UPLOAD, _ARRANGED = "upload", "arranged_upload"


def present_uploads(at: Desk) -> Sequence[RecordVersion] | None:
    """Uploads under way, whoever began them."""
    return done(lambda: open_uploads(at.records, at.actor, at.trial))


def beginning(at: Desk) -> None:
    """Begin for a subject of an active site."""
    sites = done(lambda: sites_that_send(at.records, at.actor, at.trial)) or ()
    if not sites:
        st.warning(at.t("upload.no_site"))
        return

    def fields() -> UploadOrder:
        site = st.selectbox(at.t("quality.site"), sites)
        subject = st.text_input(at.t("upload.subject"), help=at.t("upload.subject_help"), max_chars=64)
        return UploadOrder(at.trial, site, subject.strip())

    asked = wanted(at, "upload.begin", fields, has_reason=False)
    if asked is not None:
        act(at, lambda: _begun(at, asked.fields))


def chosen(at: Desk, uploads: Sequence[RecordVersion]) -> RecordVersion | None:
    """The upload that is gone on with: the one just begun, else the one that is picked."""
    if not uploads:
        return None
    names = [one.id for one in uploads]
    present = st.session_state.get(_UPLOAD, "")
    shown = {one.id: _named(at, one) for one in uploads}
    index = names.index(present) if present in names else len(names) - 1
    picked = st.selectbox(at.t("upload.under_way"), names, index=index, format_func=lambda name: shown[name])
    return uploads[names.index(picked)]


def field(at: Desk, upload: RecordVersion) -> None:
    """Where files are dropped."""
    uploader(f"/uploads/{upload.id}", {word: at.t(f"upload.field.{word}") for word in _FIELD}, key=f"field-{upload.id}")
    st.caption(at.t("upload.rules"))


def present_arrangement(at: Desk, upload: RecordVersion) -> Arrangement | None:
    """What the upload holds now; worked out again only when a file has come."""
    house = intake(at.house.home)
    known_by = (upload.id, len(house.of(upload).receipts()), at.actor.user)
    kept: tuple[object, Arrangement] | None = st.session_state.get(_ARRANGED)
    if kept is not None and kept[0] == known_by:
        return kept[1]
    found = done(lambda: arranged(at.records, at.actor, house, upload.id))
    if found is not None:
        st.session_state[_ARRANGED] = (known_by, found)
    return found


def received(at: Desk, arrangement: Arrangement) -> None:
    """How many files were taken, and why others were not."""
    taken = sum(one.is_accepted for one in arrangement.receipts)
    first, second = st.columns([1, 4])
    first.metric(at.t("upload.taken"), taken)
    counts = Counter(code for one in arrangement.receipts for code in one.codes)
    if counts:
        columns = [at.t("upload.refused_because"), at.t("upload.count")]
        second.dataframe(pd.DataFrame(counts.most_common(), columns=columns), hide_index=True)


def series(at: Desk, arrangement: Arrangement) -> None:
    """The series that the files make, and what is wrong with them."""
    if not arrangement.series:
        return
    usable = {one.series_uid for one in arrangement.usable}
    rows = [
        (
            one.modality,
            one.acquisition_date,
            one.description,
            one.slices,
            one.slice_thickness_mm,
            arrangement.proposed.get(one.series_uid, ""),
            at.t("acting.yes") if one.series_uid in usable else at.t("upload.unusable"),
            one.series_uid,
        )
        for one in arrangement.series
    ]
    columns = ("modality", "date", "description", "slices", "thickness", "proposed", "usable", "series")
    st.subheader(at.t("upload.all_series"))
    st.dataframe(pd.DataFrame(rows, columns=[at.t(f"upload.{name}") for name in columns]), hide_index=True)
    if arrangement.findings:
        found = [
            (one.code, at.t(f"quality.severity.{one.severity.value}"), one.where, one.message)
            for one in arrangement.findings
        ]
        heads = [at.t(f"quality.{name}") for name in ("code", "severity", "where", "message")]
        st.caption(at.t("upload.findings"))
        st.dataframe(pd.DataFrame(found, columns=heads), hide_index=True)


def handing_over(at: Desk, upload: RecordVersion, arrangement: Arrangement) -> None:
    """Each series given to a visit, and the whole to the subject's case."""
    if not arrangement.usable:
        return
    asked = wanted(at, "upload.hand_over", lambda: _matching(at, arrangement), has_reason=False)
    if asked is None:
        return
    matching, bar = asked.fields, st.progress(0.0, at.t("upload.encoding"))

    def tell(_what: str, number: int, of: int) -> None:
        bar.progress(number / of, at.t("upload.encoding"))

    house = intake(at.house.home)
    act(
        at,
        lambda: hand_over(at.records, at.actor, house, upload.id, matching=matching, progress=tell),
        lambda _kept: at.t("upload.handed_over", case=arrangement.case or str(upload.body["subject"])),
    )


def giving_up(at: Desk, upload: RecordVersion) -> None:
    """Delete what has come."""
    asked = wanted(at, "upload.give_up", lambda: st.caption(at.t("upload.give_up_help")))
    if asked is not None:
        house = intake(at.house.home)
        act(at, lambda: abandon_upload(at.records, at.actor, house, upload.id, reason=asked.reason))


def _matching(at: Desk, arrangement: Arrangement) -> Matching:
    visits = {}
    for one in arrangement.usable:
        proposed = arrangement.proposed.get(one.series_uid, "")
        names = ["", *arrangement.visits, f"UNS-{one.acquisition_date}"]
        visits[one.series_uid] = st.selectbox(
            f"{one.modality} · {one.acquisition_date} · {one.description or one.series_uid}",
            names,
            index=names.index(proposed) if proposed in names else 0,
            format_func=lambda name: name or at.t("upload.left_out"),
            key=f"visit-{one.series_uid}",
        )
    day: dt.date | None = None
    if not arrangement.case:
        day = st.date_input(at.t("upload.reference_date"), value=None, help=at.t("upload.reference_date_help"))
    has_looked = st.checkbox(at.t("upload.looked"))
    return Matching(visits, has_looked=has_looked, reference_date=day)


def _begun(at: Desk, order: UploadOrder) -> RecordVersion:
    made = begin_upload(at.records, at.actor, order)
    st.session_state[_UPLOAD] = made.id
    return made


def _named(at: Desk, upload: RecordVersion) -> str:
    body = upload.body
    return f"{upload.id} · {at.t('cohort.subject')} {body['subject']} · {at.t('quality.site')} {body['site']}"
