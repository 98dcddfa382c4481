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
    "linkedBy": {
        "lesion": "Side by side where the lesion was measured",
        "registration": "Side by side by registration of the body",
        "height": "Side by side by the height of the table: the visits are not registered",
    },
    "outlines": "Outlines",
    "invert": "Invert",
    "reset": "Reset view",
    "remove": "Delete drawing",
    "help": "Keys",
    "failed": "The images cannot be shown",
    "contourAdd": "Add to outline",
    "contourCut": "Cut from outline",
    "fusion": "PET fusion",
    "nothingToFuse": "No PET of this visit lies in the frame of reference of a CT that is shown",
    "strength": "Strength of the colours",
    "multiplanar": "Multiplanar",
    "unevenStack": "The slices are not evenly apart: other planes would mislead",
    "axial": "axial",
    "coronal": "coronal",
    "sagittal": "sagittal",
    "keys": [
        "wheel, ↑ ↓: scroll (Shift: this image only)",
        "1-5: window   W: window and level",
        "B: long and short axis   L: length   Delete: remove",
        "A: add to the outline   X: cut from it   Ctrl+Z: take back",
        "F: PET fusion   M: multiplanar",
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
    "linkedBy": {
        "lesion": "按病灶测量位置并列",
        "registration": "按体部配准并列",
        "height": "按床位高度并列：访视未配准",
    },
    "outlines": "轮廓",
    "invert": "反色",
    "reset": "复位",
    "remove": "删除测量",
    "help": "快捷键",
    "failed": "影像无法显示",
    "contourAdd": "扩大轮廓",
    "contourCut": "切除轮廓",
    "fusion": "PET 融合",
    "nothingToFuse": "该访视没有与所示 CT 同一参考坐标系的 PET",
    "strength": "颜色强度",
    "multiplanar": "多平面",
    "unevenStack": "层间距不均匀：其他平面会误导",
    "axial": "轴位",
    "coronal": "冠状位",
    "sagittal": "矢状位",
    "keys": [
        "滚轮、↑ ↓：翻页（按住 Shift：仅此影像）",
        "1-5：窗设置   W：窗宽/窗位",
        "B：长径和短径   L：长度   Delete：删除",
        "A：扩大轮廓   X：切除轮廓   Ctrl+Z：撤销",
        "F：PET 融合   M：多平面",
        "N、P：下一个、上一个病灶",
        "Enter：接受   Esc：保持原样",
        "O：轮廓   I：反色   R：复位",
    ],
}

LANGUAGES: Mapping[str, Mapping[str, Any]] = {"en": _ENGLISH, "zh": _CHINESE}


def viewer_words(language: str) -> Mapping[str, Any]:
    """Every text that the viewer shows, in one language."""
    return LANGUAGES[language]
