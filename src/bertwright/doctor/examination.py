"""The whole examination: every probe in the order of the report, one finding after the other."""

from __future__ import annotations

from collections.abc import Iterator

from bertwright.doctor import devices, hardware, proof, surroundings, versions
from bertwright.doctor.offline import NetworkWatch
from bertwright.doctor.probe import Finding, Probe, ask

SECTIONS: dict[str, tuple[Probe, ...]] = {
    "versions": (versions.programs, versions.libraries, versions.extras),
    "processor": (hardware.processor, hardware.threads),
    "memory": (hardware.memory,),
    "devices": (devices.accelerators, devices.precision),
    "environment": (surroundings.folders, surroundings.messages),
    "speed": (devices.matrix_products,),
    "proof": (proof.training_and_prediction,),
}


def examine(*, offline_proof: bool = False) -> Iterator[tuple[str, Finding]]:
    """Every finding with its section, as soon as it is made. Nothing raises: what breaks is a finding with its reason.

    Args:
        offline_proof: listen for uses of the network during the whole examination, and report them.
    """
    watch = NetworkWatch() if offline_proof else None
    try:
        for section, probes in SECTIONS.items():
            for probe in probes:
                for finding in ask(probe):
                    yield section, finding
        if watch is not None:
            yield "network", watch.finding()
    finally:
        if watch is not None:
            watch.stop()
