"""A plan is what the sentence asked for, with the facts for the rest, and what other intents changed on top."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nephoran.intent.meaning import Action, Autoscale, Detail, Meaning
from nephoran.intent.plan import (
    Adjustment,
    Function,
    Plan,
    Scaling,
    Unplannable,
    effective,
    modifies,
    plan,
    planned,
    provides,
    superseded,
    targets,
)
from nephoran.knowledge import knowledge

EVERYTHING = frozenset(knowledge().components)


def meant(action: Action, *components: str, detail: Detail | None = None, **replicas: int) -> Meaning:
    counts = {name.replace("_", "-"): number for name, number in replicas.items()}
    return Meaning(f"{action} {components}", action, components, counts, detail=detail or Detail())


def scale(name: str, component: str, replicas: int) -> Adjustment:
    return adjust(name, Meaning("", "scale", (component,), {component: replicas}))


def adjust(name: str, meaning: Meaning) -> Adjustment:
    return Adjustment(name, f"uid-{name}", 1, meaning)


def only(planned: Plan) -> Function:
    (function,) = planned.functions
    return function


def test_a_deployed_function_has_its_facts() -> None:
    """One instance, sized, connected and placed behind its ports as the knowledge base says."""
    function = only(plan(meant("deploy", "amf")))
    assert (function.component, function.replicas, function.autoscale) == ("amf", 1, None)
    assert function.requests == {"cpu": "2", "memory": "4Gi", "ephemeral-storage": "2560Mi"}
    assert function.limits == {"cpu": "8", "memory": "16Gi", "ephemeral-storage": "10Gi"}
    assert {"n2", "n8", "n11"} <= set(function.interfaces)
    assert function.ports == ("mgmt", "ngap", "sbi")
    assert function.dependencies == ("ausf", "pcf", "smf", "udm")


def test_every_deployable_component_can_be_planned() -> None:
    """Each component of the vocabulary yields a function, except E2 nodes, which yield a number."""
    planned = plan(Meaning("all", "deploy", tuple(sorted(EVERYTHING))))
    assert {function.component for function in planned.functions} == EVERYTHING - {"e2-node"}
    assert planned.e2_nodes == 1


def test_a_stated_number_wins_over_the_one_of_high_availability() -> None:
    """High availability means three instances on different machines, unless a number is stated."""
    ha = Detail(ha=True)
    assert only(plan(meant("deploy", "amf", detail=ha))).replicas == 3
    assert only(plan(meant("deploy", "amf", detail=ha, amf=5))).replicas == 5
    assert only(plan(meant("deploy", "amf", detail=ha))).spread
    assert not only(plan(meant("deploy", "amf", amf=3))).spread


@pytest.mark.parametrize(
    ("autoscale", "replicas", "scaling"),
    [
        (True, {}, Scaling(1, 3, 80)),
        (True, {"upf": 4}, Scaling(4, 12, 80)),
        (Autoscale(min=2, max=10, cpu=70), {}, Scaling(2, 10, 70)),
        (Autoscale(max=2), {"upf": 4}, Scaling(4, 4, 80)),
        (True, {"upf": 150}, Scaling(150, 200, 80)),
        (True, {"upf": 0}, None),
    ],
)
def test_automatic_scaling_has_limits(autoscale: bool | Autoscale, replicas: dict[str, int], scaling: Scaling) -> None:
    """Stated limits hold; the others follow from the number of instances, and nothing scales from zero."""
    detail = Detail(autoscale=autoscale)
    assert only(plan(Meaning("", "deploy", ("upf",), replicas, detail=detail))).autoscale == scaling


def test_stated_resources_are_request_and_limit() -> None:
    """Who states an amount gets it: no less by the request, no more by the limit."""
    function = only(plan(meant("deploy", "upf", detail=Detail(cpu="4", memory="8Gi", storage="20Gi", gpu=True))))
    stated = {"cpu": "4", "memory": "8Gi", "ephemeral-storage": "20Gi", "nvidia.com/gpu": "1"}
    assert function.requests == function.limits == stated


def test_details_that_shape_nothing_reach_the_function_as_settings() -> None:
    """Whatever else was stated is handed on, and only that."""
    detail = Detail(ha=True, latency_ms=5.0, site="edge01", encryption=True)
    assert only(plan(meant("deploy", "smf", detail=detail))).settings == {
        "latency_ms": 5.0,
        "site": "edge01",
        "encryption": True,
    }


def test_e2_nodes_become_a_number_beside_the_functions() -> None:
    """E2 nodes are one set of the stated size, not a Deployment."""
    planned = plan(meant("deploy", "near-rt-ric", "e2-node", e2_node=10))
    assert only(planned).component == "near-rt-ric"
    assert planned.e2_nodes == 10


def test_a_slice_takes_the_standard_s_values_where_none_are_stated() -> None:
    """The slice type gives SST, 5QI, latency and reliability; stated ones take their place."""
    told = plan(Meaning("", "slice", (), slice="urllc", detail=Detail(latency_ms=0.5, downlink_mbps=100.0))).slice
    assert told is not None
    assert (told.type, told.sst, told.five_qi, told.latency_ms, told.reliability) == ("urllc", 2, 82, 0.5, 99.999)
    assert told.settings == {"downlink_mbps": 100.0}
    assert not told.assumed


def test_a_slice_without_a_type_is_embb_and_says_that_it_is_assumed() -> None:
    """No type is the ordinary one, marked as our assumption."""
    told = plan(meant("slice")).slice
    assert told is not None
    assert (told.type, told.assumed) == ("embb", True)


def test_a_behaviour_of_nothing_that_runs_here_is_kept_as_a_policy() -> None:
    """A configure intent that names no component still leaves something real."""
    planned = plan(meant("configure", detail=Detail(encryption=True)))
    assert planned.policy is not None
    assert planned.policy.settings == {"encryption": True}
    assert not planned.functions


@pytest.mark.parametrize(
    ("meaning", "words"),
    [
        (meant("deploy"), "Deploy AMF with 2 replicas"),
        (meant("deploy", "toaster"), "unknown component 'toaster': known are amf"),
        (meant("deploy", "amf", amf=201), "0 to 200"),
        (meant("deploy", "amf", amf=-1), "-1 instances of amf"),
        (meant("deploy", "e2-node", e2_node=1001), "0 to 1000"),
        (meant("deploy", "amf", detail=Detail(cpu="many")), "cpu 'many'"),
        (meant("deploy", "amf", detail=Detail(cpu="0")), "cpu '0'"),
        (meant("deploy", "amf", detail=Detail(memory="8GB")), "memory '8GB'"),
        (meant("deploy", "amf", detail=Detail(storage="1\n")), "storage"),
        (meant("deploy", "amf", detail=Detail(autoscale=Autoscale(min=5, max=2))), "1 ≤ min ≤ max"),
        (meant("deploy", "amf", detail=Detail(autoscale=Autoscale(min=0))), "1 ≤ min ≤ max"),
        (meant("deploy", "amf", detail=Detail(autoscale=Autoscale(cpu=0))), "percentage from 1 to 100"),
        (meant("scale", "amf"), "Scale amf to 3 replicas"),
        (meant("scale"), "names no network function"),
        (meant("scale", "amf", detail=Detail(factor=0.0)), "0.0 times"),
        (meant("scale", "amf", amf=3), "deploys nothing itself"),
        (meant("scale", "amf", amf=999), "0 to 200"),
    ],
)
def test_what_cannot_be_planned_says_what_to_write_instead(meaning: Meaning, words: str) -> None:
    """The message names the fault and the way out."""
    with pytest.raises(Unplannable) as raised:
        plan(meaning)
    assert words in str(raised.value)


def test_a_deploying_meaning_provides_and_a_modifying_one_has_targets() -> None:
    """No meaning does both."""
    assert provides(meant("deploy", "amf", "smf")) == {"amf", "smf"}
    assert not modifies(meant("deploy", "amf", "smf"))
    assert targets(meant("scale", "e2-node", e2_node=5)) == {"e2-node"}
    assert provides(meant("scale", "amf", amf=5)) == frozenset()


def test_optimisation_and_maintenance_without_a_component_act_on_all() -> None:
    """Naming none means the whole network; a scale that names none means nothing."""
    assert targets(meant("optimize")) == EVERYTHING
    assert targets(meant("maintenance")) == EVERYTHING
    assert not modifies(meant("scale", detail=Detail(cpu="4")))


def test_what_says_nothing_to_change_modifies_nothing() -> None:
    """A scale without a number, or one out of range, has no target; nor has a component without a setting."""
    assert not modifies(meant("scale", "amf", detail=Detail(urgent=True)))
    assert not modifies(meant("scale", "amf", amf=999))
    assert not modifies(meant("configure", "amf"))
    assert modifies(meant("configure", "amf", detail=Detail(encryption=True)))


def test_a_scale_changes_its_component_and_no_other() -> None:
    """The rest of the plan is the base's own."""
    base = meant("deploy", "amf", "smf", amf=3, smf=3)
    changed = plan(base, [scale("more", "amf", 5)])
    assert {function.component: function.replicas for function in changed.functions} == {"amf": 5, "smf": 3}
    assert plan(base, [scale("more", "upf", 5)]) == plan(base)


def test_the_newest_adjustment_wins_aspect_by_aspect() -> None:
    """A later number replaces the earlier one and leaves the resources of another intent alone."""
    resources = adjust("resources", meant("scale", "amf", detail=Detail(cpu="4")))
    function = only(plan(meant("deploy", "amf"), [scale("old", "amf", 5), resources, scale("new", "amf", 2)]))
    assert function.replicas == 2
    assert function.limits["cpu"] == "4"
    assert function.limits["memory"] == "16Gi"


def test_a_scale_moves_the_least_number_of_what_scales_by_itself() -> None:
    """An autoscaler would undo a fixed number, so its lower limit moves, and its upper one makes room."""
    base = meant("deploy", "upf", detail=Detail(autoscale=Autoscale(min=2, max=10, cpu=70)))
    assert only(plan(base, [scale("more", "upf", 5)])).autoscale == Scaling(5, 10, 70)
    assert only(plan(base, [scale("most", "upf", 12)])).autoscale == Scaling(12, 12, 70)


def test_a_scale_reaches_e2_nodes() -> None:
    """A set grows and shrinks like a function."""
    assert plan(meant("deploy", "e2-node", e2_node=10), [scale("less", "e2-node", 5)]).e2_nodes == 5


def test_an_optimised_function_gets_its_limits_guaranteed() -> None:
    """Requests rise to the limits, so that the pod shares nothing."""
    function = only(plan(meant("deploy", "amf"), [adjust("fast", meant("optimize", "amf"))]))
    assert function.requests == function.limits


def test_without_its_adjustment_the_base_is_as_it_was() -> None:
    """Deleting a scale restores the base: the plan is a function of what is there."""
    base = meant("deploy", "amf", amf=3)
    assert plan(base, []) == plan(base)
    assert plan(base, [scale("more", "amf", 5)]) != plan(base)


def test_an_adjustment_that_is_covered_whole_is_superseded_by_the_newest() -> None:
    """All of it must be covered; the one that says so is the latest."""
    both = adjust("both", meant("scale", "amf", detail=Detail(cpu="4"), amf=5))
    number, cpu = scale("number", "amf", 2), adjust("cpu", meant("scale", "amf", detail=Detail(cpu="2")))
    assert superseded([both, number]) == {}
    assert superseded([both, number, cpu]) == {"both": "cpu"}
    assert effective([both, number, cpu]) == (number, cpu)


def test_an_adjustment_of_many_is_superseded_where_it_counts() -> None:
    """Elsewhere it may still hold: only the given components count."""
    every = adjust("every", meant("optimize"))
    amf = adjust("amf", meant("optimize", "amf"))
    assert superseded([every, amf]) == {}
    assert superseded([every, amf], {"amf"}) == {"every": "amf"}
    assert effective([every, amf], {"smf"}) == (every,)


changes = st.lists(
    st.tuples(
        st.sampled_from(["amf", "smf"]),
        st.integers(0, 200) | st.builds(Detail, change=st.integers(-9, 9)) | st.just(Detail(factor=1.5)),
    ),
    max_size=6,
)


@given(changes)
def test_superseded_adjustments_change_nothing(stated: list[tuple[str, int | Detail]]) -> None:
    """Leaving out every superseded adjustment gives the same plan."""
    base = meant("deploy", "amf", "smf")
    adjustments = [
        scale(f"s{index}", component, told)
        if isinstance(told, int)
        else adjust(f"s{index}", meant("scale", component, detail=told))
        for index, (component, told) in enumerate(stated)
    ]
    assert plan(base, effective(adjustments)) == plan(base, adjustments)
    assert len(superseded(adjustments)) + len(effective(adjustments)) == len(adjustments)


@pytest.mark.parametrize(
    ("before", "detail", "after"),
    [
        (3, Detail(change=2), 5),
        (3, Detail(change=-1), 2),
        (3, Detail(change=-9), 1),
        (0, Detail(change=-1), 0),
        (3, Detail(factor=2.0), 6),
        (3, Detail(factor=0.5), 2),
        (150, Detail(factor=2.0), 200),
    ],
)
def test_a_relative_scale_moves_the_number_that_stands(before: int, detail: Detail, after: int) -> None:
    """More, fewer or times as many: counted from what the others made of it, within the limits, never down to none."""
    more = adjust("more", meant("scale", "amf", detail=detail))
    assert only(plan(meant("deploy", "amf", amf=before), [more])).replicas == after
    assert only(plan(meant("deploy", "amf", amf=7), [scale("to", "amf", before), more])).replicas == after


def test_a_relative_scale_supersedes_nothing_and_is_superseded_by_a_number() -> None:
    """It needs what lies below it; a later number makes it pointless."""
    to5, more, to2 = (
        scale("to5", "amf", 5),
        adjust("more", meant("scale", "amf", detail=Detail(change=1))),
        scale("to2", "amf", 2),
    )
    assert superseded([to5, more]) == {}
    assert superseded([to5, more, to2]) == {"to5": "to2", "more": "to2"}


def test_the_same_meaning_gives_the_same_plan_in_every_order_of_its_components() -> None:
    """A plan does not depend on how a sentence lists its functions."""
    assert plan(meant("deploy", "smf", "amf")).functions == plan(meant("deploy", "amf", "smf")).functions


def test_a_plan_is_made_once_for_the_same_content() -> None:
    """Equal meanings under equal adjustments share a plan; how often that helped can be read."""
    planned.cache_clear()
    first = plan(meant("deploy", "amf", amf=3), [scale("more", "amf", 5)])
    assert plan(meant("deploy", "amf", amf=3), [scale("more", "amf", 5)]) is first
    assert plan(meant("deploy", "amf", amf=4), [scale("more", "amf", 5)]) == first
    assert plan(meant("deploy", "amf", amf=3), [scale("more", "amf", 6)]) != first
    assert (planned.cache_info().hits, planned.cache_info().misses) == (1, 3)


def test_a_plan_survives_being_stored() -> None:
    """A plan is plain data: JSON and back is the same."""
    planned = plan(meant("deploy", "near-rt-ric", "e2-node", detail=Detail(site="edge01"), e2_node=3))
    assert msgspec.json.decode(msgspec.json.encode(planned), type=Plan) == planned
