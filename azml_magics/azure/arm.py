"""Azure Resource Manager: reads resources, their lists and their keys with the user's sign-in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azml_magics.core.errors import KeyNotFoundError

from .clouds import current_cloud
from .rest import RestClient

if TYPE_CHECKING:
    from azml_magics.core.secret import Secret

    from .clouds import Cloud
    from .deadline import Deadline
    from .shared_token import GetToken


class ResourceManager(RestClient):
    """Azure Resource Manager of one cloud.

    Args:
        cloud: The cloud; by default the one that the environment names.
        get_token: Returns tokens; by default those of the user's sign-in.
        deadline: The end of all its requests; by default none.

    Examples:
        ResourceManager().post(f"{account_id}/listKeys", "2025-09-01")["key1"]
    """

    def __init__(
        self, cloud: Cloud | None = None, get_token: GetToken | None = None, *, deadline: Deadline | None = None
    ) -> None:
        self.cloud = cloud or current_cloud()
        super().__init__(
            self.cloud.resource_manager,
            self.cloud.arm_scope,
            get_token or sign_in_token,
            service="Azure Resource Manager",
            deadline=deadline,
        )


def sign_in_token(
    scope: str, /, *, source: str = "", tenant: str = "", refresh: bool | Secret = False, claims: str = ""
) -> Secret:
    """Return a token of the user's sign-in for `scope`."""
    from .identity import get_token

    try:
        return get_token(scope, source=source, tenant=tenant, refresh=refresh, claims=claims)
    except KeyNotFoundError as error:
        if error.error_code == "azure-extra-missing":  # no key reference has asked for it
            error.cause = "Signing in to Azure needs the azure extra"
        raise
