"""The facts hold together: every name leads somewhere, every size is one that a pod can have."""

from decimal import Decimal
from typing import get_args

import pytest

from nephoran.intent.meaning import SliceType
from nephoran.knowledge import MANAGEMENT, Size, knowledge

NAMED = {
    *("amf", "smf", "upf", "nrf", "udm", "udr", "pcf", "ausf", "nssf"),
    *("gnb", "o-du", "o-du-high", "o-cu", "o-cu-cp", "o-cu-up", "o-ru"),
    *("near-rt-ric", "non-rt-ric", "xapp", "kpimon", "traffic-steering"),
    *("e2-node", "e2-sim", "trafficgen"),
}
UNITS = {"m": Decimal("0.001"), "Mi": Decimal(2**20), "Gi": Decimal(2**30)}
FACTS = knowledge()
DEPLOYED = sorted(name for name, fact in FACTS.components.items() if fact.manifest == "Deployment")


def amount(quantity: str) -> Decimal:
    unit = quantity.lstrip("0123456789")
    return Decimal(quantity.removesuffix(unit)) * UNITS.get(unit, Decimal(1))


def amounts(size: Size | None) -> tuple[Decimal, ...]:
    assert size is not None
    return amount(size.cpu), amount(size.memory), amount(size.ephemeral_storage)


def test_every_component_that_an_intent_may_name_is_known() -> None:
    """The components are those of the documented vocabulary, no more and no fewer."""
    assert set(FACTS.components) == NAMED


def test_every_slice_that_an_intent_may_name_is_known() -> None:
    """The slices are the three of the documented vocabulary, with their standard slice types."""
    assert {name: fact.sst for name, fact in FACTS.slices.items()} == dict(
        zip(get_args(SliceType), (1, 2, 3), strict=True)
    )


def test_every_name_in_an_interface_leads_somewhere() -> None:
    """Interfaces name only components and ports that exist, and no port is left over."""
    used = {port for it in FACTS.interfaces.values() for port in it.ports}
    ends = {end for it in FACTS.interfaces.values() for end in it.servers + it.clients}
    assert ends == NAMED
    assert used | {MANAGEMENT} == set(FACTS.ports)


def test_every_dependency_is_a_component_with_an_interface_to_its_dependant() -> None:
    """What cannot work without another component has a way to reach it or to be reached by it."""
    for name, fact in FACTS.components.items():
        for other in fact.dependencies:
            assert set(FACTS.interfaces_of(name)) & set(FACTS.interfaces_of(other)), f"{name} - {other}"


@pytest.mark.parametrize("name", DEPLOYED)
def test_an_instance_asks_for_a_quarter_of_its_limits(name: str) -> None:
    """Requests are a quarter of the limits and never nothing."""
    fact = FACTS.components[name]
    for asked, limit in zip(amounts(fact.requests), amounts(fact.limits), strict=True):
        assert asked * 4 == limit > 0


def test_the_parts_of_a_gnb_are_as_large_as_the_whole() -> None:
    """O-DU and O-CU share the size of a gNB, CU-CP and CU-UP that of an O-CU: nothing is counted twice."""
    limits = {name: amounts(FACTS.components[name].limits)[:2] for name in DEPLOYED}
    for whole, parts in {"gnb": ("o-du", "o-cu"), "o-cu": ("o-cu-cp", "o-cu-up")}.items():
        assert limits[whole] == tuple(sum(values) for values in zip(*(limits[part] for part in parts), strict=True))


def test_ports_have_names_and_numbers_that_a_pod_without_privileges_may_have() -> None:
    """Names fit Kubernetes' 15 characters, numbers lie above the privileged ones."""
    for name, port in FACTS.ports.items():
        assert len(name) <= 15
        assert 1024 <= port.number <= 65535


@pytest.mark.parametrize(
    ("component", "port", "number", "protocol"),
    [
        ("amf", "ngap", 38412, "SCTP"),
        ("amf", "sbi", 8080, "TCP"),
        ("upf", "pfcp", 8805, "UDP"),
        ("upf", "gtpu", 2152, "UDP"),
        ("o-cu-cp", "f1ap", 38472, "SCTP"),
        ("o-cu-cp", "e1ap", 38462, "SCTP"),
        ("near-rt-ric", "e2ap", 36421, "SCTP"),
        ("near-rt-ric", "a1", 10000, "TCP"),
    ],
)
def test_a_component_listens_where_its_standard_says(component: str, port: str, number: int, protocol: str) -> None:
    """The ports that peers from other vendors dial are the registered ones."""
    fact = FACTS.ports[port]
    assert port in FACTS.ports_of(component)
    assert (fact.number, fact.protocol) == (number, protocol)


def test_callers_and_called_are_two_views_of_the_same_interfaces() -> None:
    """Whoever may call a component is among those that it may be called by, on the same port."""
    for name in FACTS.components:
        for port, servers in FACTS.called_by(name).items():
            assert all(name in FACTS.callers_of(server)[port] for server in servers)


def test_only_the_user_plane_leaves_the_cluster() -> None:
    """N6 leads to the data network; no other component has business outside."""
    assert [name for name in FACTS.components if FACTS.reaches_out(name)] == ["upf"]
    assert FACTS.open_ports_of("near-rt-ric") == ("ric-api",)
