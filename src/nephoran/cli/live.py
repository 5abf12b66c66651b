"""What may change while the operator runs, and how it learns of it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from nephoran.configuration import Configuration
from steady import BackoffManager, Manager
from steady.configuration import Loaded, settings
from steady.errors import ConfigurationError

_log = logging.getLogger("nephoran.configuration")


class Live:
    """The configuration in force: what `read` says anew takes the place of `loaded`, as far as its keys are live."""

    def __init__(
        self,
        read: Callable[[], Loaded[Configuration]],
        loaded: Loaded[Configuration],
        manager: Manager,
        backoff: BackoffManager,
    ) -> None:
        self._read = read
        self._manager = manager
        self._backoff = backoff
        self._in_force = settings(loaded.value)

    def reload(self) -> None:
        """Read again. What is wrong changes nothing, what needs a restart is named; both are in the log."""
        try:
            fresh = self._read().value
        except ConfigurationError as error:
            for line in str(error).splitlines():
                _log.error("the configuration stays as it is: %s", line)
            return
        self._tell(fresh)
        for error_type, config in fresh.backoff.by_type().items():
            self._backoff.set_config(error_type, config)
        self._manager.use(fresh.batch)
        logging.getLogger().setLevel(fresh.log.level.upper())

    def _tell(self, fresh: Configuration) -> None:
        _log.info("the configuration was read again")
        for name, setting in settings(fresh).items():
            if setting.default == self._in_force[name].default:
                continue
            if setting.extra.get("live"):
                self._in_force[name] = setting
                _log.info("%s is now %s", name, setting.shown(setting.default))
            else:
                _log.warning("%s has changed, which needs a restart", name)
