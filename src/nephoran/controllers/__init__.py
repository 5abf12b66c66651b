"""The two reconcilers, and what the operator's owner may decide about them."""

from nephoran.controllers.e2nodeset import node_set_controller
from nephoran.controllers.networkintent import REMEMBERED, Meanings, intent_controller
from nephoran.controllers.settings import Effort, Settings

__all__ = ["REMEMBERED", "Effort", "Meanings", "Settings", "intent_controller", "node_set_controller"]
