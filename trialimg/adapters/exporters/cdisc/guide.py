"""The reviewer's guide: what is delivered, how it was made, and what a reviewer will ask, as Markdown and as HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from trialimg.services.cdisc.conformance import RULES, Finding
from trialimg.services.cdisc.course import Study
from trialimg.services.cdisc.description import COMMENTS, used_list
from trialimg.services.cdisc.tables import Table
from trialimg.services.cdisc.terms import ADAM_TERMS, SDTM_TERMS

__all__ = ["guide_html", "guide_markdown"]

_EXPECTED = (
    ("CORE-000915, CORE-000914", "count --LOBXFL by test alone: two targets, or two readers, always fire"),
    ("CORE-000739", "asks for EX, which an imaging vendor does not deliver"),
    ("CORE-000168, CORE-000270", "ask for SV and TV, which are the sponsor's"),
)


@dataclass(frozen=True)
class _Section:
    title: str
    lines: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def _sections(study: Study, tables: Sequence[Table], findings: Sequence[Finding]) -> Iterator[_Section]:
    yield _Section(
        "What this is",
        (
            f"Tumour datasets of {study.code} ({study.title}), made by {study.software or 'trialimg'}.",
            f"Made from the results with digest {study.source_digest or 'not given'}.",
            "SDTMIG 3.4, ADaMIG 1.3, ADaM for time-to-event 1.0, Define-XML 2.1.",
            f"Controlled terminology: SDTM {SDTM_TERMS} and ADaM {ADAM_TERMS}.",
        ),
    )
    described = tuple((t.name, t.spec.label, t.spec.structure, str(len(t.rows))) for t in tables)
    yield _Section("Datasets", (), ("dataset", "label", "structure", "records"), described)
    yield _Section("Who assessed", tuple(_assessors(study)))
    yield _Section("How to read the records", tuple(_conventions(study)))
    if not study.demographics:
        yield _Section("What is not known", (COMMENTS["UNKNOWN"], COMMENTS["STUDYSTART"]))
    extensions = tuple(sorted(_extensions(tables)))
    if extensions:
        yield _Section("Terms of our own", (), ("dataset", "variable", "value"), extensions)
    shown = tuple((f.rule, f.severity, f.dataset, str(f.record or ""), f.value, f.message) for f in findings)
    said = f"{len(RULES)} checks found {len(findings) or 'nothing'}{' finding(s)' if findings else ''}."
    yield _Section("Conformance", (said,), ("rule", "severity", "dataset", "record", "value", "what"), shown)
    why = "The CDISC CORE engine was not run. Of its rules, these fire on tumour data that is as it should be:"
    yield _Section("Findings to expect elsewhere", (why,), ("rule", "why"), _EXPECTED)


def _assessors(study: Study) -> Iterator[str]:
    roles = sorted({read.by.role for course in study.courses for read in course.reads})
    yield f"Evaluator INDEPENDENT ASSESSOR; roles {', '.join(roles) or 'none'}. Names of readers are in no dataset."
    if not study.is_signed:
        yield (
            "These are the run's own records: measured by the software where readers marked lesions, judged by the "
            "criterion, and signed by nobody."
        )
    if study.has_several_readers:
        yield (
            "Every record of the accepted read has --ACPTFL = Y. Where an adjudicator endorsed a read, the "
            "adjudicator's own records rest on its measurements and are not flagged; ADJSEL and ADJREAS in SUPPRS say "
            "which read and why. The analysis datasets use accepted records only."
        )
    else:
        yield "One read per subject: there is nothing to accept, and --ACPTFL is left out."


def _conventions(study: Study) -> Iterator[str]:
    yield COMMENTS["LINK"]
    yield COMMENTS["READDATE"]
    yield (
        "A lesion that was seen, but too small to measure, has TRORRES TOO SMALL TO MEASURE, the number that stands "
        f"for it ({study.too_small_mm} mm) and TSTMFL in SUPPTR. A target that is gone has 0 mm. One that could not be "
        "evaluated is NOT DONE with its reason, has no number, and there is no sum at that visit."
    )
    yield "RSDRVFL is Y: responses follow from the measurements by the criterion; RULEID in SUPPRS names the rule."
    yield "LESPARTS in SUPPTR: the diameter is the sum of the parts of a lesion that was not labelled part by part."
    yield "CNSR above 0 is the reason of censoring; the code list of ADTTE.CNSR in Define-XML names each."


def _extensions(tables: Sequence[Table]) -> Iterator[tuple[str, str, str]]:
    for table in tables:
        for variable in table.variables:
            if table.name == "TR" and variable.name == "TRSTRESC":
                continue
            used = used_list(table, variable)
            for term in used.terms if used is not None and used.is_published else ():
                is_indicator = variable.name == "RSSTRESC" and term.value in ("Y", "N")
                if term.is_extension and not is_indicator and term.code == "" and variable.name != "RDOMAIN":
                    yield table.name, variable.name, term.value


def guide_markdown(study: Study, tables: Sequence[Table], findings: Sequence[Finding]) -> str:
    """The guide as Markdown."""
    parts = [f"# Reviewer's guide: {study.code}\n"]
    for section in _sections(study, tables, findings):
        parts.append(f"## {section.title}\n")
        parts += [f"{line}\n" for line in section.lines]
        if section.rows:
            lines = [section.header, tuple("---" for _ in section.header), *section.rows]
            parts.append("\n".join("| " + " | ".join(_bare(cell) for cell in line) + " |" for line in lines) + "\n")
    return "\n".join(parts)


def _bare(cell: str) -> str:
    return cell.replace("|", "\\|").replace("\n", " ")


def guide_html(study: Study, tables: Sequence[Table], findings: Sequence[Finding]) -> str:
    """The guide as one HTML page that asks no other server for anything."""
    parts = []
    for section in _sections(study, tables, findings):
        parts.append(f"<h2>{escape(section.title)}</h2>")
        parts += [f"<p>{escape(line)}</p>" for line in section.lines]
        if section.rows:
            head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in section.header)
            body = "".join(
                "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in section.rows
            )
            parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")
    title = f"Reviewer&#39;s guide: {escape(study.code)}"
    return _PAGE.format(title=title, body="\n".join(parts))


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>body{{font:15px/1.5 sans-serif;max-width:64em;margin:2em auto;padding:0 1em;color:#1a1a1a}}
h1,h2{{line-height:1.2}}table{{border-collapse:collapse;width:100%}}
th,td{{text-align:left;vertical-align:top;padding:.3em .6em;border-bottom:1px solid #ccc}}</style></head>
<body><h1>{title}</h1>
{body}
</body></html>
"""
