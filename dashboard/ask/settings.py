"""People, retention, content modes and webhooks."""

from __future__ import annotations

from urllib.parse import quote

from api.schemas.people import PersonIn, PersonOut, SessionIn, SessionOut, SignInOut
from api.schemas.privacy import ContentIn, ContentOut, ContentPage, RetentionIn, RetentionOut
from api.schemas.webhooks import DeliveryPage, WebhookCreated, WebhookIn, WebhookOut
from dashboard.client import Client, checked


def sign_in_options() -> SignInOut:
    """How people may sign in."""
    return Client("").fetch("/v1/sign-in", SignInOut)


def open_session(id_token: str) -> SessionOut:
    """A session of whom a token of the identity provider names."""
    return Client("").send("POST", "/v1/sessions", checked(SessionIn, id_token=id_token), SessionOut)


def close_session(client: Client) -> None:
    """End the own session."""
    client.send("DELETE", "/v1/sessions")


def people(client: Client) -> list[PersonOut]:
    """Who may sign in through the identity provider."""
    return client.fetch_list("/v1/people", PersonOut)


def put_person(client: Client, person: str, role: str) -> PersonOut:
    """Let a person in, or give them another role."""
    return client.send("POST", "/v1/people", checked(PersonIn, person=person, role=role), PersonOut)


def remove_person(client: Client, person: str) -> None:
    """Let a person in no more."""
    client.send("DELETE", f"/v1/people/{quote(person, safe='')}")


def retention(client: Client) -> RetentionOut:
    """How long events are kept."""
    return client.fetch("/v1/retention", RetentionOut)


def keep_for(client: Client, days: int | None, reason: str) -> RetentionOut:
    """Keep events for so many days."""
    return client.send("PUT", "/v1/retention", checked(RetentionIn, days=days, reason=reason), RetentionOut)


def content(client: Client) -> ContentPage:
    """What is kept of texts."""
    return client.fetch("/v1/content", ContentPage)


def set_content(client: Client, account_id: str, mode: str, reason: str) -> ContentOut:
    """Set what is kept of an account's texts."""
    path = f"/v1/content/{quote(account_id, safe='')}"
    return client.send("PUT", path, checked(ContentIn, mode=mode, reason=reason), ContentOut)


def unset_content(client: Client, account_id: str) -> None:
    """Let an account follow the default."""
    client.send("DELETE", f"/v1/content/{quote(account_id, safe='')}")


def webhooks(client: Client) -> list[WebhookOut]:
    """All webhooks."""
    return client.fetch_list("/v1/webhooks", WebhookOut)


def make_webhook(client: Client, name: str, url: str, shape: str, kinds: list[str]) -> WebhookCreated:
    """A new webhook with its secret."""
    return client.send(
        "POST", "/v1/webhooks", checked(WebhookIn, name=name, url=url, shape=shape, kinds=kinds), WebhookCreated
    )


def change_webhook(client: Client, webhook_id: str, what: str) -> None:
    """``test``, ``enable`` or ``disable`` a webhook."""
    client.send("POST", f"/v1/webhooks/{quote(webhook_id, safe='')}/{what}")


def rotate_webhook(client: Client, webhook_id: str) -> WebhookCreated:
    """A webhook with a new secret."""
    return client.send("POST", f"/v1/webhooks/{quote(webhook_id, safe='')}/rotate", None, WebhookCreated)


def remove_webhook(client: Client, webhook_id: str) -> None:
    """Remove a webhook."""
    client.send("DELETE", f"/v1/webhooks/{quote(webhook_id, safe='')}")


def deliveries(client: Client, webhook_id: str, limit: int, offset: int) -> DeliveryPage:
    """Deliveries of a webhook, the newest first."""
    path = f"/v1/webhooks/{quote(webhook_id, safe='')}/deliveries"
    return client.fetch(path, DeliveryPage, {"limit": limit, "offset": offset})


def deliver_again(client: Client, webhook_id: str, delivery_id: int) -> None:
    """Send a delivery once more."""
    client.send("POST", f"/v1/webhooks/{quote(webhook_id, safe='')}/deliveries/{delivery_id:d}/again")
