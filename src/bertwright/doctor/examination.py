"""The whole examination: every probe in the order of the report, one finding after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bertwright.doctor import (
    devices,
    environment,
    memory_report,
    processor_features,
    proof,
    software,
    speed,
    storage,
    threads,
)
from bertwright.doctor.offline import NetworkWatch
from bertwright.doctor.probe import Finding, Mark, Probe, ask

PROBES: tuple[tuple[str, Probe], ...] = (
    (software.SECTION, software.bertwright),
    (software.SECTION, software.python),
    (software.SECTION, software.libraries),
    (software.SECTION, software.torch_build),
    (software.SECTION, software.extras),
    (processor_features.SECTION, processor_features.operating_system),
    (processor_features.SECTION, processor_features.processor),
    (processor_features.SECTION, processor_features.features),
    (threads.SECTION, threads.cores),
    (threads.SECTION, threads.threads),
    (threads.SECTION, threads.thread_variables),
    (memory_report.SECTION, memory_report.total),
    (memory_report.SECTION, memory_report.container),
    (memory_report.SECTION, memory_report.available),
    (devices.SECTION, devices.accelerators),
    (devices.SECTION, devices.precision),
    (storage.SECTION, storage.runs),
    (storage.SECTION, storage.cache),
    (storage.MODELS, storage.models),
    (environment.SECTION, environment.variables),
    (environment.SECTION, environment.messages),
    (environment.SECTION, environment.chinese_output),
    (speed.SECTION, speed.matrix_products),
    (speed.SECTION, speed.load),
    (proof.SECTION, proof.training_and_prediction),
)


def examine(*, offline_proof: bool = False) -> Iterator[Finding]:
    """Every finding, as soon as it is made. Nothing here raises: what breaks is a finding with its reason.

    Args:
        offline_proof: listen for uses of the network during the whole examination, and report them.
    """
    watch = NetworkWatch() if offline_proof else None
    try:
        for section, probe in PROBES:
            yield from ask(section, probe)
        if watch is not None:
            yield watch.finding()
    finally:
        if watch is not None:
            watch.stop()


def is_ready(findings: Iterable[Finding]) -> bool:
    """Whether nothing is missing: this toolkit can train and predict here."""
    return all(finding.mark is not Mark.MISSING for finding in findings)
