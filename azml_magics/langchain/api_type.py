"""AzureMLEndpointApiType: LangChain's word for what kind of endpoint it is."""

from __future__ import annotations

from enum import Enum


class AzureMLEndpointApiType(str, Enum):
    """`dedicated` for online endpoints (hosted infrastructure), `serverless` for pay-as-you-go models.

    `realtime` is the warn_deprecated word for dedicated. Names and values are those of langchain-community.
    """

    dedicated = "dedicated"
    realtime = "realtime"
    serverless = "serverless"
