"""How the machine is named in a store."""

from __future__ import annotations

import platform

from assay.environment.machine import cores_of, load_average, machine_name


def test_the_machine_is_named_by_processor_and_cores_and_not_by_its_host():
    name = machine_name("cpu")

    assert name.rpartition(", ")[0]
    assert name.endswith(("core", "cores"))
    assert platform.node() not in name


def test_another_device_is_told_apart_from_the_processor():
    assert machine_name("mps") == f"{machine_name('cpu')}, mps"


def test_the_load_is_a_number_of_processes_or_unknown():
    load = load_average()

    assert load is None or load >= 0


def test_the_cores_are_read_from_the_name_of_a_machine():
    assert cores_of(machine_name("mps")) == cores_of(machine_name("cpu")) >= 1
    assert cores_of("A processor with 8 cores of ours") is None
