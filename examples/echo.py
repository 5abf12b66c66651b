"""A whole controller: says what it is told, in a ConfigMap of the same name."""

from typing import Annotated

from msgspec import Meta

from steady import ConfigMap, Context, Controller, Done, Manager, Object, Result, Spec, Status, resource


class EchoSpec(Spec, frozen=True):
    text: Annotated[str, Meta(max_length=200, description="What to say.")]


class EchoStatus(Status, frozen=True):
    said: str = ""


@resource("example.com/v1", plural="echoes", short_names=["eo"], columns={"Said": ".status.said"})
class Echo(Object[EchoSpec, EchoStatus]):
    """Says what it is told, in a ConfigMap of the same name."""


async def reconcile(echo: Echo, context: Context[EchoStatus]) -> Result[EchoStatus]:
    await context.apply(ConfigMap(echo.metadata.name, {"text": echo.spec.text}))  # owned; sent only if it differs
    return Done(EchoStatus(said=echo.spec.text))  # the whole desired status; sent only if it differs


controller = Controller(Echo, reconcile, owns=[ConfigMap])

if __name__ == "__main__":
    Manager(controller).run()
