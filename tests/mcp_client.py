"""An MCP client for tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, Tool


def ask(
    address: str,
    question: Callable[[ClientSession], Coroutine[Any, Any, Any]],
    account: tuple[str, str] | None = None,
) -> Any:
    """What a client of its own is answered."""

    async def talk() -> Any:
        async with (
            httpx.AsyncClient(auth=account, timeout=60) as sender,
            streamable_http_client(f"{address}/gradio_api/mcp/", http_client=sender) as (
                read,
                write,
                _,
            ),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            return await question(session)

    # In a thread of its own: Playwright, in other tests, leaves an event loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, talk()).result()


def call(
    address: str,
    tool: str,
    watched: bool = False,
    account: tuple[str, str] | None = None,
    **arguments: Any,
) -> CallToolResult:
    """`watched`: the client wants to hear how far it is."""

    async def hear(*_: Any) -> None: ...

    def question(session: ClientSession) -> Any:
        return session.call_tool(tool, arguments, progress_callback=hear if watched else None)

    answer = ask(address, question, account)
    assert isinstance(answer, CallToolResult)
    return answer


def said(answer: CallToolResult) -> str:
    return " ".join(part.text for part in answer.content if part.type == "text")


def tools(address: str, account: tuple[str, str] | None = None) -> dict[str, Tool]:
    listed = ask(address, lambda session: session.list_tools(), account)
    return {tool.name: tool for tool in listed.tools}
