"""The words of the trade, as data: functions, verbs, units and slice types.

Every phrase is a tuple of folded atoms (see `tokens`): hyphen, space or underscore in a spelling make no difference.
Names follow 3GPP TS 23.501 (core), TS 38.401 (gNB) and the O-RAN architecture description (O-DU, RIC, xApp).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

Phrase = tuple[str, ...]

Mood = Literal[
    "deploy", "scale", "add", "change", "set", "setup", "implement", "configure", "optimize", "maintenance",
    "update", "schedule", "do", "delete", "connect", "make", "take", "bring",
]  # fmt: skip
"""What a verb asks for, before its object is known: `change` is more or less, `do` lends its noun a verb."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _phrases(table: Mapping[str, str]) -> dict[Phrase, str]:
    return {
        tuple(phrase.split()): name for name, phrases in table.items() for phrase in map(str.strip, phrases.split(","))
    }


def _inflected(table: Mapping[str, str]) -> dict[Phrase, str]:
    """The table with plurals, and with the letters that say "virtual" and "cloud-native" (vUPF, cUPF)."""
    names = _phrases(table)
    kinds = {(f"{kind}{phrase[0]}",): name for phrase, name in names.items() for kind in "vc" if len(phrase) == 1}
    singular = kinds | names
    return {(*phrase[:-1], f"{phrase[-1]}s"): name for phrase, name in singular.items()} | singular


COMPONENTS: Final[dict[Phrase, str]] = _inflected(
    {
        "amf": "amf, access and mobility management function, access and mobility function, access mobility"
        " management function, access and mobility management, mobility management function",
        "smf": "smf, session management function",
        "upf": "upf, user plane function, upf user plane function",
        "nrf": "nrf, network repository function, nf repository function",
        "udm": "udm, unified data management, unified data management function",
        "udr": "udr, unified data repository",
        "pcf": "pcf, policy control function, policy and charging function",
        "ausf": "ausf, authentication server function, authentication server",
        "nssf": "nssf, network slice selection function",
        "gnb": "gnb, gnodeb, gnode b, g nodeb, g node b, next generation nodeb, base station, basestation",
        "o-du": "du, odu, o du, distributed unit, o ran distributed unit, gnb du, du low, odu low, o du low",
        "o-du-high": "o du high, odu high, odu high phy, o du high phy, du high, oduhigh",
        "o-cu": "cu, ocu, o cu, central unit, centralized unit, centralised unit, o ran central unit, gnb cu",
        "o-cu-cp": "cu cp, cucp, o cu cp, ocu cp, ocucp, vcu cp, gnb cu cp, central unit control plane, cu control"
        " plane, o cu control plane",
        "o-cu-up": "cu up, cuup, o cu up, ocu up, ocuup, vcu up, gnb cu up, central unit user plane, cu user plane, o"
        " cu user plane",
        "o-ru": "ru, oru, o ru, radio unit, o ran radio unit, rru, rrh, remote radio head, remote radio unit",
        "near-rt-ric": "near rt ric, nearrt ric, nearrtric, near real time ric, near realtime ric, near real time ran"
        " intelligent controller, near rt ran intelligent controller, near real time controller, ric, ran intelligent"
        " controller",
        "non-rt-ric": "non rt ric, nonrt ric, nonrtric, non real time ric, non realtime ric, non real time ran"
        " intelligent controller, non rt ran intelligent controller, non real time controller",
        "xapp": "xapp, x app, xapplication",
        "kpimon": "kpimon, kpm xapp, kpi xapp, kpi mon, kpm mon, kpimon go, ric kpimon, kpi monitor, kpm monitor, kpi"
        " monitor xapp, kpi monitoring xapp, kpm monitoring xapp, kpimon xapp, xapp kpimon, kpi monitoring application",
        "traffic-steering": "traffic steering, trafficsteering, traffic steerer, ric ts, ts xapp, traffic steering"
        " xapp, traffic steering application, traffic steering app, xapp ts, xapp traffic steering",
        "e2-node": "e2 node, e2node, node e2, e2 node simulator, simulated e2 node, e2nodeset, e2 nodeset, e2 node"
        " set, e2 node simulation",
        "e2-sim": "e2 simulator, e2sim, e2 sim, sim e2, simulated e2, e2 simulation, e2simulator",
        "trafficgen": "trafficgen, traffic gen, traffic generator, load generator, trafficgenerator",
    }
)
"""Spelling → canonical name."""

SHORT_NAMES: Final = frozenset({"du", "dus", "cu", "cus", "ru", "rus"})
"""Names that are also words in other languages, where they count only in capitals."""

_SLICES: Final[dict[str, str]] = {
    "embb": "embb, enhanced mobile broadband, e mbb, mobile broadband, enhanced broadband",
    "urllc": "urllc, urllcs, ultra reliable low latency, ultra reliable and low latency, ultra reliable low latency"
    " communication, u rllc, ultrareliable low latency",
    "mmtc": "mmtc, miot, massive iot, massive machine type communication, massive machine type communications,"
    " massive machine type, massive mtc",
}
SLICES: Final[dict[Phrase, str]] = _phrases(_SLICES)
"""A slice type by its name (3GPP TS 23.501 table 5.15.2.2-1)."""

_MEANT: Final[dict[str, str]] = {
    "urllc": "industrial, factory, factories, manufacturing, motion control, ultra low latency, ultra low, mission"
    " critical, remote surgery, telesurgery, autonomous, robot, robots, robotics, automation, v2x, vehicle, vehicles,"
    " vehicular, drone, drones, emergency, public safety, tactile, critical communication, critical communications,"
    " healthcare, remote control, industry 4.0, hospital, hospitals, medical, ambulance, smart grid, teleoperation,"
    " car, cars, driving, surgery, robotic, platooning",
    "mmtc": "iot, sensor, sensors, smart city, smart cities, smart meter, smart meters, metering, internet of"
    " things, lpwa, lpwan, wearables, low power devices, meter, meters, agriculture, agricultural, farming, asset"
    " tracking, trackers",
    "embb": "video, streaming, vr, ar, virtual reality, augmented reality, 4k, 8k, broadband, gaming, high"
    " bandwidth, high throughput, stadium, fixed wireless access, fwa, holographic, uhd, xr, tv, concert",
}
MEANT: Final[dict[Phrase, str]] = _phrases(_MEANT)
"""What a slice is for, where its type is not named; the first type in this order that is found is meant."""

VERBS: Final[dict[Phrase, str]] = _phrases(
    {
        "deploy": "deploy, deploys, deploying, redeploy, install, installing, launch, launching, spin up, bring up,"
        " stand up, start up, provision, provisioning, instantiate, instantiating, create, creates, creating, build,"
        " building, roll out, onboard, onboarding, establish, establishing, host, place, simulate, run, running,"
        " start, starting, spawn, boot, bootstrap, introduce, deliver, rollout, give me, give us, get me, get us,"
        " bring back up, commission, fire up, offer",
        "scale": "scale, scale up, scale down, scale out, scale in, scale back, scaling, scaled, scales, upscale,"
        " downscale, autoscale, auto scale, resize, right size, rightsize, rescale, downsize, upsize",
        "add": "add, adding",
        "change": "increase, increases, increasing, decrease, decreasing, reduce, reducing, raise, lower, double,"
        " triple, halve, quadruple, remove, removing, expand, extend, shrink, grow, bump, bump up, boost,"
        " cut, cut down, trim, limit, cap, enlarge, ramp, ramp up, ramp down, drop, dial, dial up, dial down, lift,"
        " multiply, beef up, step up, increased, decreased, reduced, raised, lowered",
        "set": "set, setting, maintain, change, changing, adjust, adjusting, modify, modifying, keep,"
        " give, switch, allocate, assign",
        "make": "make, making",
        "take": "take, taking, crank, go, turn",
        "bring": "bring, bringing, get, move, roll",
        "setup": "set up, setup, setting up, prepare, provide, need, require, want, request",
        "implement": "implement, implementing, define",
        "configure": "configure, configuring, reconfigure, enable, enabling, activate, apply, applying, enforce,"
        " disable, integrate, integrating, use, ensure, guarantee, prioritize, prioritise, turn on, turn off, switch"
        " on, switch off, secure, isolate, encrypt, protect, monitor, collect, steer, route, block, allow, deny,"
        " restrict, throttle, expose, label, inject, migrate traffic, support, customize, tune qos, test, verify,"
        " validate, lock, lock down, guard, shield, segregate, rate limit, show, list, check, let, permit, harden,"
        " whitelist, blacklist, forbid, limit access, deactivate, is encrypted, are encrypted, be encrypted, is"
        " enabled, are enabled, be enabled, be configured, be monitored, be isolated",
        "optimize": "optimize, optimise, optimizing, optimising, improve, improving, enhance, enhancing, tune, tuning,"
        " fine tune, better, balance, rebalance, minimize, minimise, maximize, maximise, accelerate, speed up, load"
        " balance, mitigate, streamline, offload, save, self optimize",
        "maintenance": "upgrade, upgrading, patch, patching, drain, back up, backup, restart, reboot,"
        " migrate, migrating, roll back, rollback, replace, repair, cordon, hotfix, rolling update, rolling upgrade,"
        " take down, downgrade, revert, bounce, service, recycle, upgraded, patched, restarted, rolling restart",
        "update": "update, updating",
        "schedule": "schedule, scheduling, plan, planning, reserve",
        "do": "put, perform, execute, carry out, conduct, initiate, trigger, do, begin, arrange",
        "delete": "delete, deleting, undeploy, uninstall, terminate, tear down, decommission, destroy, deprovision,"
        " stop, shut down, purge, evict, kill, get rid of, tear, wipe, retire, dismantle, take away, clean up",
        "connect": "connect, connecting, register, registering, attach, link, interconnect, peer, join, associate",
    }
)
"""Verb → mood. The first verb that is not a purpose ("to optimise …") or a modifier ("auto-scaling") decides."""

FLAGS: Final[dict[Phrase, str]] = _phrases(
    {
        "ha": "high availability, highly available, ha, redundant, redundancy, redundantly, geo redundancy, geo"
        " redundant, fault tolerant, fault tolerance, failover, active standby",
        "gpu": "gpu, gpus",
        "xapp": "xapp support, xapps support, xapp hosting, xapp platform, xapp framework, xapp onboarding, xapp"
        " capability, xapp capabilities, xapp runtime, xapp ready, xapp enabled, xapps enabled",
        "urgent": "urgent, urgently, immediately, asap, emergency :, right now, critical :, as soon as possible, right"
        " away, at once, straight away, without delay, p1",
        "monitoring": "monitoring, observability, prometheus, grafana, metrics collection",
        "isolation": "isolation, isolated, isolate",
        "encryption": "encryption, encrypted, encrypt, tls, mtls, ipsec",
        "mesh": "service mesh, istio, linkerd",
    }
)
"""What says a flag of the meaning's detail."""

NOUNS: Final[dict[Phrase, str]] = _phrases(
    {
        "deploy": "deployment, rollout, installation, instantiation, provisioning",
        "scale": "scaling, autoscaling, scale, hpa, autoscaler, upscaling, downscaling, expansion",
        "configure": "configuration, reconfiguration, policy, policies",
        "optimize": "optimization, optimisation, tuning, improvement",
        "maintenance": "maintenance, upgrade, upgrades, patching, migration, update, rollback, restart, backup",
    }
)
"""What a sentence asks for where it has no verb of its own, or only one that lends ("perform scaling of …")."""

PURPOSE: Final = frozenset({"to", "for", "of", "by", "with", "from", "and", "that", "which", "while", "when"})
"""A verb after one of these tells why or how, not what (unless nothing else does)."""

WISHES: Final = frozenset(
    {
        "want",
        "need",
        "like",
        "please",
        "us",
        "me",
        "going",
        "wish",
        "have",
        "able",
        "required",
        "you",
        "possible",
        "chance",
        "mind",
        "time",
    }
)
"""After one of these "to" begins the request itself."""

LEADS: Final = frozenset(
    {
        "please",
        "pls",
        "you",
        "we",
        "i",
        "then",
        "should",
        "must",
        "now",
        "urgent",
        "urgently",
        "immediately",
        "and",
        "us",
        "s",
    }
)
"""A verb after one of these opens a clause."""

WITHIN: Final = frozenset({"auto", "large", "small", "full", "carrier", "multi", "at", "automatic", "elastic"})
"""A verb after one of these is part of a name or a modifier."""

POLICY_WORDS: Final = _words(
    "policy policies recovery qos rule rules monitoring security alert alerts alerting encryption tls mtls isolation"
    " firewall logging telemetry metrics tracing interface interfaces handover mobility roaming authentication"
    " authorization access control parameters threshold thresholds profile profiles dashboard dashboards observability"
    " prioritization priority dscp charging steering routing probes probe gateway ingress egress admission mesh quota"
    " quotas limit limits link connection connectivity failover redundancy backup retention neighbor neighbour anr"
    " beamforming mimo drx sla slas"
)
"""Behaviour rather than something that runs: to set it up is to configure."""

PERFORMANCE_WORDS: Final = _words(
    "latency delay jitter throughput efficiency power energy consumption interference loss performance handover"
    " handovers congestion coverage drop drops failures failure quality qoe cost costs spectral utilization utilisation"
    " rtt downtime overhead"
)
"""Qualities: more or less of one is an optimisation, not a scale."""

SCALED_WORDS: Final = _words(
    "replica replicas instance instances count pod pods size capacity resources resource cpu memory autoscaling"
    " autoscaler hpa limits copies scale cores"
)
"""What "set" and "change" scale."""

SLICE_WORDS: Final = frozenset({"slice", "slices", "nsi", "nssi"})
SLICE_QUALITIES: Final = _words(
    "isolation selection policy policies management monitoring qos priority parameters resources bandwidth admission"
    " security subnet controller orchestrator mapping latency sla capacity performance scheduling assurance"
)
"""After "slice", these make the slice only the place of what is asked."""

SUBJECTS: Final = _words(
    "5g 5gc 6g core ran oran o-ran vran network networks edge slice slices slicing qos policy policies traffic gpu cell"
    " cells handover handovers mec ue ues bandwidth latency cnf vnf nf nfs function functions monitoring interface"
    " interfaces smo o1 a1 e2 f1 n1 n2 n3 n4 n6 n9 x2 xn rapp rapps workload workloads telecom spectrum carrier"
    " subscribers subscriber beamforming mimo throughput signaling signalling control user plane transport fronthaul"
    " midhaul backhaul ims sidelink mobility coverage interference slicing lte nr roaming energy drx anr son qoe sla"
    " autoscaling maintenance free5gc open5gs oai nephio cluster"
)
"""Words that make a sentence one of this trade although it names no function."""

REPLICA_UNITS: Final = _words("replica replicas instance instances pod pods copy copies replicaset deployments unit")
ADJECTIVES: Final = _words(
    "new additional more extra further high availability highly available redundant dedicated edge virtual simulated"
    " emulated standby active healthy parallel identical running small large lightweight containerized cloud native"
    " cloudnative 5g core nr network production test central distributed ran oran o local regional of the a an ha geo"
    " secure separate independent oai free5gc open5gs service total x times stateless scalable optimized performance"
    " total gb"
)
"""Words that may stand between a number and what it counts."""

EACH: Final = frozenset({"each", "apiece", "every", "all", "both", "per"})
ZERO_TO_TWENTY: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen twenty"
)
NUMBERS: Final[dict[str, float]] = {word: float(value) for value, word in enumerate(ZERO_TO_TWENTY.split())} | {
    "single": 1.0,
    "pair": 2.0,
    "dozen": 12.0,
    "couple": 2.0,
    "thirty": 30.0,
    "forty": 40.0,
    "fifty": 50.0,
    "sixty": 60.0,
    "seventy": 70.0,
    "eighty": 80.0,
    "ninety": 90.0,
    "hundred": 100.0,
}

MULTIPLES: Final[dict[str, int]] = {
    "thousand": 1_000,
    "k": 1_000,
    "million": 1_000_000,
    "m": 1_000_000,
    "billion": 10**9,
}
RATES: Final[dict[str, float]] = {
    "kbps": 0.001, "kbit": 0.001, "kilobit": 0.001, "kilobits": 0.001, "mbps": 1, "mbit": 1, "mbits": 1, "megabit": 1,
    "megabits": 1, "gbps": 1_000, "gbit": 1_000, "gbits": 1_000, "gigabit": 1_000, "gigabits": 1_000,
    "tbps": 1_000_000,
}  # fmt: skip
"""Unit → Mbit/s."""
TIMES: Final[dict[str, float]] = {
    "ms": 1, "msec": 1, "millisecond": 1, "milliseconds": 1, "us": 0.001, "µs": 0.001, "μs": 0.001,
    "microseconds": 0.001,     "microsecond": 0.001, "s": 1_000, "sec": 1_000, "second": 1_000, "seconds": 1_000,
}  # fmt: skip
"""Unit → milliseconds."""
BYTES: Final[dict[str, str]] = {
    "gi": "Gi", "gib": "Gi", "gb": "Gi", "g": "Gi", "gigabytes": "Gi", "gigabyte": "Gi", "mi": "Mi",
    "mib": "Mi", "mb": "Mi", "megabytes": "Mi", "ti": "Ti", "tib": "Ti", "tb": "Ti", "terabytes": "Ti", "gigs": "Gi",
}  # fmt: skip
"""Unit → suffix of a Kubernetes quantity; people who write GB of memory mean what Kubernetes calls Gi."""
CPU_UNITS: Final = frozenset({"cpu", "cpus", "vcpu", "vcpus", "core", "cores", "processor", "processors"})
UNITS: Final = (
    frozenset({"x", "m", "mhz", "ghz", "khz", "hz", "qam", "h", "hr", "min", "d", "w", "kw", "dbm", "db", "km"})
    | {"replicas", "cpu", "cores", "vcpu", "am", "pm"}
    | set(RATES) | set(TIMES) | set(BYTES) | (set(MULTIPLES) - {"m"})
) - {"g"}  # fmt: skip
"""What may be glued to a number (4Gi, 1ms, 3x); `5g` stays a word."""

PREPOSITIONS: Final = _words(
    "in on at for with to into onto from by of via through within under during using across between near behind toward"
    " towards against after before without except excluding inside per like alongside beside over as"
)
CLAUSES: Final = _words("when if because since while once until unless whenever where that which who so due then but")
COORDINATORS: Final = frozenset({"and", "or", ",", "/", "+", "|", "plus", "also"})
AFTER_COUNT: Final = (
    PREPOSITIONS
    | CLAUSES
    | COORDINATORS
    | frozenset(
        {
            "namespace",
            "ns",
            "now",
            "overnight",
            "tonight",
            "tomorrow",
            "again",
            "only",
            "immediately",
            "asap",
            "today",
            "please",
        }
    )
)
"""What may follow a bare count ("UPF to 5 in …")."""

LINKS: Final = _words(
    "discovery interface interfaces connection connections connect connects connected connecting connectivity link"
    " links linked attach attached attaches attachment register registers registered registering registration integrate"
    " integrates integrated integration interoperate interoperates interoperating communicate communicates"
    " communicating communication communications compatible interwork interworking peer peered peering paired pairing"
    " tunnel tunnels route routes routed forward forwards forwarding send sends sending report reports reporting expose"
    " exposed association associate associated point pointing pointed endpoint endpoints talk talks talking interact"
    " interacting interaction access sync synchronized synchronization next close adjacent according respect related"
    " compared handover signaling"
)
"""Before "to" or "with", these make what follows a neighbour."""

NEIGHBOURING: Final = _words(
    "backend interface interfaces connection connections connectivity integration registration discovery selection"
    " association endpoint endpoints address addresses communication peering pairing compatibility split based traffic"
    " signaling signalling url fqdn ip discovery handover"
)
"""After a function's name, these make the function only the neighbour of what is asked."""

APART: Final = _words(
    "from by via through behind near toward towards against after before when if because since while once until unless"
    " whenever where that which who between beside over as like during due so"
)
"""What follows one of these is mentioned, not changed."""
CAPACITIES: Final = frozenset({"max", "maximum", "most", "supporting", "serving", "handling", "capacity"})
"""Between a function and a counted other one, these make the other its load."""
PLACING: Final = frozenset(
    {"for", "on", "in", "to", "into", "onto", "at", "inside", "within", "under", "across", "per"}
)
"""What follows one of these is changed only if nothing else in the sentence is."""
NEGATIONS: Final = frozenset({"not", "never", "t", "dont"})
"""Before a verb: that it shall not be done ("don't" reads as don, ', t)."""
EXCLUDING: Final = _words(
    "instead without except excluding not no never omit omitting skip skipping leave leaving ignore ignoring untouched"
    " unlike"
)

XAPP_QUALITIES: Final = _words(
    "support hosting platform framework onboarding capability capabilities runtime sdk ready enabled management manager"
)

NOT_NAMESPACES: Final = _words(
    "the a an same this that its their own dedicated separate new target each every kubernetes k8s isolated single"
    " different my our given specified current following any all namespace namespaces with and or for per in to of"
    " production staging development testing dev prod test"
)
"""Before "namespace" these describe; after "in" they are no name. Environments count when called a namespace."""
ENVIRONMENTS: Final = frozenset({"production", "staging", "development", "testing", "dev", "prod", "test"})

KNOWN_NAMESPACES: Final = _words(
    "oran ran ric ricplt ricxapp ricinfra free5gc open5gs nephoran nephio default 5gc telecom sim obs monitoring aether"
    " sdcore oai srsran core5g smo nonrtric onap core-network istio-system kube-system"
)
"""Plain words that name a namespace after a mere "in"."""

COMMON_PARTS: Final = _words(
    "high low real time near non active standby hot cold multi single stand alone standalone line house day mode peak"
    " dual off busy rush long short availability latency parallel order total advance general case place addition use"
    " sync built 5g 6g 4g 3gpp rel release carrier band mid sub service depth step steps phase phases minutes seconds"
    " hours days week bare cloud hybrid public private on co region zone az rack site cell sector cluster datacenter dc"
    " edge central regional lab area north south east west us eu ap asia europe america city building campus factory"
    " hospital stadium q1 q2 q3 q4 2024 2025 2026 load half least most cost large small scale urban rural dense indoor"
    " outdoor"
)
"""Parts of an identifier that make it a common noun or a place rather than a namespace after a mere "in"."""

SITE_WORDS: Final = frozenset(
    {"edge", "regional", "central", "lab", "site", "cell", "rack", "dc", "datacenter", "zone", "cluster", "mec", "far"}
)
"""First part of a site's name: `edge01`, `site-3`, `lab`."""

EVERYDAY: Final = (
    frozenset(word for phrase in VERBS for word in phrase)
    | PREPOSITIONS | CLAUSES | COORDINATORS | EACH | EXCLUDING | REPLICA_UNITS | NUMBERS.keys() | WISHES | PURPOSE
    | _words("the a an is are be it its our my please should must can could would number")
)  # fmt: skip
"""English words: those that tell it from other languages."""

TYPED: Final = _words(
    "deploy deployment scale install create increase decrease reduce configure optimize upgrade update enable replica"
    " replicas instance instances namespace monitoring latency bandwidth throughput slice network maintenance priority"
    " availability reliability encryption isolation traffic steering simulator generator minimum maximum memory"
    " autoscaling"
)
"""Words that are understood with a slip of the finger in them."""

ABBREVIATIONS: Final = _words("min max approx nr incl excl e.g i.e eg resp bzw inkl inst repl vs etc mind")
"""Their full stop ends no sentence."""
