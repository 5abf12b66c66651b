"""All that the owner of an operator may decide. This is the one declaration: the file, the variables, the options of
the command line, the reference page and the defaults come from it.

Credentials have no key: kubeconfig, certificates and git's credential helper are named as files.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from nephoran.addresses import PARALLEL, AddressPolicy
from nephoran.controllers.settings import INTENTS, NODE_SETS, Effort, Settings, Verification
from nephoran.repository.drift import LOOKS
from nephoran.repository.paths import check_branch, checked_base
from nephoran.repository.protocol import AUTHOR, BASE, BRANCH, CLUSTER, FETCH_TIMEOUT, PUSH_TIMEOUT
from nephoran.repository.remote import PROTOCOLS, GitProtocol, check_url
from steady.backoff import DEFAULTS, BackoffConfig, ErrorType
from steady.configuration import LIVE, Given, Loaded, load, reference
from steady.intervals import Interval
from steady.leadership import LeaseConfig
from steady.manager import Options
from steady.status import BatchConfig
from steady.writes import LimiterConfig

PREFIX = "NEPHORAN"

_DAY = 86_400.0  # seconds
_NAMESPACE = "^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?$"


def key(description: str, *, option: str = "", **limits: Any) -> Meta:
    """What a key means, which values it takes, and the command line's option for it, if there is one."""
    return Meta(description=description, extra={"option": option} if option else None, **limits)


class Drift(Interval, frozen=True):
    """How often the remote is asked whether somebody else has changed what is ours there."""

    shortest: Annotated[float, key("Seconds after somebody has.", gt=0, le=_DAY)] = LOOKS.shortest
    longest: Annotated[float, key("Seconds when nobody does for long.", gt=0, le=_DAY)] = LOOKS.longest


class Git(msgspec.Struct, frozen=True):
    """Where the manifests go."""

    url: Annotated[
        str, key("Remote that receives the manifests; empty: the repository in `work` does.", option="--git-url")
    ] = ""
    branch: Annotated[str, key("Branch of the remote.", option="--git-branch", min_length=1)] = BRANCH
    path: Annotated[str, key("Directory for all intents.", option="--git-path")] = BASE
    config: Annotated[
        str,
        key("File with the git configuration to use, for example a credential helper's.", option="--git-config"),
    ] = ""
    author_name: Annotated[str, key("Name of the author of commits.", pattern=r"^[^<>\n]+$")] = AUTHOR[0]
    author_email: Annotated[str, key("Address of the author of commits.", pattern=r"^[^<>\s]+$")] = AUTHOR[1]
    push_timeout: Annotated[float, key("Seconds that a push may take.", gt=0, le=_DAY)] = PUSH_TIMEOUT
    fetch_timeout: Annotated[float, key("Seconds that a fetch may take.", gt=0, le=_DAY)] = FETCH_TIMEOUT
    protocols: Annotated[tuple[GitProtocol, ...], key("What the remote may speak.", min_length=1)] = PROTOCOLS
    drift: Drift = Drift()

    def __post_init__(self) -> None:
        check_branch(self.branch)
        checked_base(self.path)
        if self.url:
            check_url(self.url, self.protocols)


class Allow(msgspec.Struct, frozen=True):
    """What a sentence or a spec may name beyond its own namespace."""

    namespaces: Annotated[
        tuple[
            Annotated[str, Meta(pattern=r"^(\*|[a-z0-9-]{1,63})=[a-z0-9-]{1,63}$", examples=["default=5g-core"])], ...
        ],
        key("FROM=TO: manifests of intents in FROM (`*`: any) may go to TO.", option="--allow-namespace"),
    ] = ()
    addresses: Annotated[
        tuple[Annotated[str, Meta(examples=["*.ric.svc.cluster.local:38080"])], ...],
        key("HOST[:PORT]: names, `*.domain`, addresses or ranges where a RIC may be.", option="--allow-address"),
    ] = ()

    def __post_init__(self) -> None:
        AddressPolicy(self.addresses)

    @property
    def pairs(self) -> frozenset[tuple[str, str]]:
        """The namespaces, each as (of the intent, of the manifests)."""
        return frozenset((home, target) for home, _, target in (each.partition("=") for each in self.namespaces))


class Lease(LeaseConfig, frozen=True):
    """Leadership: which of several processes acts. The seconds are as in client-go."""

    enabled: Annotated[bool, key("Elect a leader over a Lease.", option="--lease/--no-lease")] = True
    namespace: Annotated[
        str,
        key("Namespace of the Lease; empty: the connection's own.", option="--lease-namespace", pattern=_NAMESPACE),
    ] = ""


class Log(msgspec.Struct, frozen=True):
    """What is logged."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Meta(description="The least urgent lines that are written.", extra={"option": "--log-level", **LIVE}),
    ] = "info"
    format: Annotated[Literal["text", "json"], key("Lines for people, or a JSON object each.")] = "text"


class Backoff(msgspec.Struct, frozen=True):
    """How long a failed object waits, by the type of its error."""

    transient: BackoffConfig = DEFAULTS[ErrorType.TRANSIENT]
    permanent: BackoffConfig = DEFAULTS[ErrorType.PERMANENT]
    resource: BackoffConfig = DEFAULTS[ErrorType.RESOURCE]
    throttling: BackoffConfig = DEFAULTS[ErrorType.THROTTLING]
    validation: BackoffConfig = DEFAULTS[ErrorType.VALIDATION]

    def by_type(self) -> dict[ErrorType, BackoffConfig]:
        """The same as the BackoffManager takes it."""
        return {error_type: getattr(self, error_type) for error_type in ErrorType}


class Tracing(msgspec.Struct, frozen=True):
    """Spans of OpenTelemetry: one for every reconcile, and within it one for each of its phases and requests."""

    enabled: Annotated[
        bool,
        key("Make spans; start by `opentelemetry-instrument`, whose OTEL_… variables say where they go."),
    ] = False


class Controllers(msgspec.Struct, frozen=True):
    """How much each controller does at a time."""

    networkintent: Effort = INTENTS
    e2nodeset: Effort = NODE_SETS


class Ric(msgspec.Struct, frozen=True):
    """How RICs are talked to. Deadlines and intervals are in each E2NodeSet's spec."""

    parallel: Annotated[int, Meta(ge=1, le=1024, description="Requests to one RIC at the same time.")] = PARALLEL


class Configuration(msgspec.Struct, frozen=True):
    """Connection, place and purpose of the operator."""

    kubeconfig: Annotated[
        str, key("Kubeconfig; empty: $KUBECONFIG, the pod's account, ~/.kube/config.", option="--kubeconfig")
    ] = ""
    context: Annotated[str, key("Context of the kubeconfig; empty: the current one.", option="--context")] = ""
    namespace: Annotated[
        str, key("Watch only this namespace; empty: all.", option="--namespace", pattern=_NAMESPACE)
    ] = ""
    cluster: Annotated[str, key("This cluster's name in records.", option="--cluster", min_length=1)] = CLUSTER
    work: Annotated[str, key("Directory for the local repository.", option="--work", min_length=1)] = (
        "~/.local/state/nephoran"
    )
    verify: Annotated[
        Verification, key("When an intent is complete: by its commit, or by its Deployments.", option="--verify")
    ] = Settings().verify
    verify_deadline: Annotated[
        float, key("Seconds that Deployments may take before an intent is called stalled.", gt=0, le=_DAY)
    ] = Settings().deadline
    images: Annotated[
        dict[str, Annotated[str, Meta(min_length=1)]], key("Image of each network function.", option="--image")
    ] = {}
    probes: Annotated[
        str,
        key(
            "Address of health and metrics; empty: none.",
            option="--probes",
            pattern=r"^(\S+:[0-9]{1,5})?$",
            examples=["127.0.0.1:8080"],
        ),
    ] = "127.0.0.1:8080"
    grace: Annotated[float, key("Seconds that an orderly stop may take.", gt=0, le=3600)] = Options().grace
    git: Git = Git()
    allow: Allow = Allow()
    lease: Lease = Lease()
    log: Log = Log()
    controllers: Controllers = Controllers()
    batch: BatchConfig = BatchConfig()
    backoff: Annotated[Backoff, Meta(extra=LIVE)] = Backoff()
    limiter: LimiterConfig = LimiterConfig()
    ric: Ric = Ric()
    tracing: Tracing = Tracing()

    def __post_init__(self) -> None:
        if self.probe_port is not None and self.probe_port > 65_535:
            raise ValueError(f"probes: {self.probe_port} is no port; the highest is 65535")

    @property
    def probe_host(self) -> str:
        """Where health and metrics listen."""
        return self.probes.rpartition(":")[0]

    @property
    def probe_port(self) -> int | None:
        """The port of health and metrics; 0 takes a free one, None means neither."""
        return int(self.probes.rpartition(":")[2]) if self.probes else None


def configured(file: Path | None = None, options: Iterable[Given] = ()) -> Loaded[Configuration]:
    """The configuration of this process. Raises ConfigurationError with a line for each thing that is wrong."""
    return load(Configuration(), file, prefix=PREFIX, options=options)


_HEADING = """\
# Configuration

All that the owner of an operator may decide. `nephoran config reference` makes this page from the types.

A key is set by an option of `nephoran run`, by an environment variable, or in a YAML or TOML file that `--config` (or
`$NEPHORAN_CONFIG`) names. The option wins over the variable, the variable over the file, the file over the default. The
entries of a map add up; any other value is replaced. In a variable, a list is written `A,B` and a map `NAME=VALUE,…`.

```yaml
git:
  url: ssh://git@git.example/networks.git
images:
  amf: registry.example/amf:1.4
allow:
  addresses: ["*.ric.svc.cluster.local:38080"]
backoff:
  transient:
    max_delay: 120
```

`nephoran config check FILE` says what is wrong with a file, a line for each key, and ends with 2 if anything is.
`nephoran config show` prints what is in force, with `--origins` where each value comes from. No unknown key and no
unknown variable `NEPHORAN_…` is ignored. Credentials have no key: files hold them, and a URL is shown without its own.

*Live* keys change while the operator runs: it reads the file again at SIGHUP. A file that is wrong changes nothing, and
the log says why; so it does for keys that have changed but need a restart. Variables and options stay as they were at
the start.

"""


def page() -> str:
    """The reference page, `docs/reference/configuration.md`."""
    return _HEADING + reference(Configuration(), PREFIX)
