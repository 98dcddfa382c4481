"""An ONNX graph that answers as a network of torch does."""

from __future__ import annotations

from typing import Any

import numpy as np

from trialimg.core.errors import ModelError

__all__ = ["OnnxNetwork"]


class OnnxNetwork:
    """Takes a tensor (1, channels, x, y, z), gives scores (1, labels, x, y, z).

    Notes
    -----
    One thread and one operator at a time, so that sums are added in one order. The graph is loaded from bytes: weights
    that it expects in other files are refused.
    """

    def __init__(self, graph: bytes, device: str) -> None:
        try:
            import onnxruntime
        except ImportError as absent:
            message = "an ONNX model needs the library onnxruntime: pip install 'trialimg[onnx]'"
            raise ModelError(message) from absent
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.use_deterministic_compute = True
        options.log_severity_level = 4
        wanted = ["CUDAExecutionProvider"] if device == "cuda" else []
        there = [name for name in wanted if name in onnxruntime.get_available_providers()]
        self._faults = _faults_of(onnxruntime)
        try:
            self._session = onnxruntime.InferenceSession(graph, options, [*there, "CPUExecutionProvider"])
        except self._faults as fault:
            raise ModelError(f"no ONNX graph that can be run here ({_brief(fault)})") from fault
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or len(self._session.get_outputs()) != 1:
            raise ModelError(f"the ONNX graph takes {len(inputs)} inputs; one input and one output are needed")
        self._input = inputs[0].name

    def __call__(self, batch: Any) -> Any:
        """The scores of one batch.

        Raises
        ------
        RuntimeError
            If the graph does not run on it; memory that did not suffice is named as such.
        """
        import torch

        try:
            (scores,) = self._session.run(None, {self._input: batch.cpu().numpy().astype(np.float32, copy=False)})
        except self._faults as fault:
            raise RuntimeError(_said(fault)) from fault
        return torch.from_numpy(np.asarray(scores, dtype=np.float32))


def _faults_of(onnxruntime: Any) -> tuple[type[Exception], ...]:
    """What a session raises: classes of its own that share no base but Exception."""
    state = onnxruntime.capi.onnxruntime_pybind11_state
    names = (
        "Fail",
        "InvalidArgument",
        "InvalidGraph",
        "InvalidProtobuf",
        "NoSuchFile",
        "NotImplemented",
        "RuntimeException",
    )
    return (RuntimeError, ValueError, *(getattr(state, name) for name in names if hasattr(state, name)))


def _said(fault: Exception) -> str:
    text = _brief(fault)
    return f"out of memory: {text}" if "allocate" in text.lower() else text


def _brief(fault: Exception) -> str:
    return (" ".join(str(fault).split()) or type(fault).__name__)[:200]
