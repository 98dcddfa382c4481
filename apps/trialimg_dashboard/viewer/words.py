"""The viewer's own texts, by language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["LANGUAGES", "viewer_words"]

_ENGLISH: Mapping[str, Any] = {
    "images": "Images",
    "windowLevel": "W/L",
    "pan": "Pan",
    "zoom": "Zoom",
    "bidirectional": "Long and short axis",
    "length": "Length",
    "softTissue": "Soft tissue",
    "liver": "Liver",
    "lung": "Lung",
    "bone": "Bone",
    "brain": "Brain",
    "suv5": "SUV 0-5",
    "suv10": "SUV 0-10",
    "suv20": "SUV 0-20",
    "automatic": "Automatic",
    "link": "Link",
    "outlines": "Outlines",
    "invert": "Invert",
    "reset": "Reset view",
    "remove": "Delete drawing",
    "help": "Keys",
    "failed": "The images cannot be shown",
    "keys": [
        "wheel, ↑ ↓: scroll (Shift: this image only)",
        "1-5: window   W: window and level",
        "B: long and short axis   L: length   Delete: remove",
        "N, P: next, previous lesion",
        "Enter: accept   Esc: leave as it was",
        "O: outlines   I: invert   R: reset view",
    ],
}

_CHINESE: Mapping[str, Any] = {
    "images": "影像",
    "windowLevel": "窗宽/窗位",
    "pan": "平移",
    "zoom": "缩放",
    "bidirectional": "长径和短径",
    "length": "长度",
    "softTissue": "软组织",
    "liver": "肝",
    "lung": "肺",
    "bone": "骨",
    "brain": "脑",
    "suv5": "SUV 0-5",
    "suv10": "SUV 0-10",
    "suv20": "SUV 0-20",
    "automatic": "自动",
    "link": "联动",
    "outlines": "轮廓",
    "invert": "反色",
    "reset": "复位",
    "remove": "删除测量",
    "help": "快捷键",
    "failed": "影像无法显示",
    "keys": [
        "滚轮、↑ ↓：翻页（按住 Shift：仅此影像）",
        "1-5：窗设置   W：窗宽/窗位",
        "B：长径和短径   L：长度   Delete：删除",
        "N、P：下一个、上一个病灶",
        "Enter：接受   Esc：保持原样",
        "O：轮廓   I：反色   R：复位",
    ],
}

LANGUAGES: Mapping[str, Mapping[str, Any]] = {"en": _ENGLISH, "zh": _CHINESE}


def viewer_words(language: str) -> Mapping[str, Any]:
    """Every text that the viewer shows, in one language."""
    return LANGUAGES[language]
