"""Buys nothing and signs nothing: finds a skill, asks its price, calls it under a licence, reads the receipt, and is refused.

usage: python call.py ORIGIN API-KEY SKILL. Prints the receipt as JSON.
"""

import json
import sys
import uuid

from clawos_client import AuthenticatedClient
from clawos_client.api.execution import execute_skill
from clawos_client.api.marketplace import get_quote
from clawos_client.api.receipts import get_receipt
from clawos_client.api.skills import get_skill
from clawos_client.models import Code, ExecuteAnswer, ExecuteRequest, Kind, Problem, Quote, ReceiptAnswer, SignedReceipt, SkillDetail


def main(origin: str, key: str, skill: str) -> None:
    client = AuthenticatedClient(base_url=origin, token=key)
    shown = get_skill.sync(skill, client=client)
    assert isinstance(shown, SkillDetail), shown
    quote = get_quote.sync(skill, client=client, kind=Kind.USAGE, units=1)
    assert isinstance(quote, Quote), quote

    def call(max_cost: str) -> ExecuteAnswer | Problem | None:
        body = ExecuteRequest(endpoint="echo", payload={"text": "hello"}, max_cost=max_cost)
        return execute_skill.sync(skill, client=client, body=body, idempotency_key=str(uuid.uuid4()))

    done = call(quote.total.amount)
    assert isinstance(done, ExecuteAnswer), done
    receipt = done.receipt
    assert isinstance(receipt, SignedReceipt), receipt
    assert (receipt.amount, receipt.skill) == (quote.total.amount, shown.id), receipt
    read = get_receipt.sync(receipt.id, client=client)
    assert isinstance(read, ReceiptAnswer), read
    assert read.receipt == receipt

    refused = call("0")
    assert isinstance(refused, Problem), refused
    assert refused.code is Code.MAX_COST_EXCEEDED, refused
    print(json.dumps(receipt.to_dict()))


if __name__ == "__main__":
    main(*sys.argv[1:])
