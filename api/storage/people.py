"""People who may sign in through the identity provider, and their sessions: keys that expire."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, select, update

from api.schemas.people import PersonRole
from api.storage import audit, keys
from api.storage.engine import Database
from api.storage.models import api_keys, people

P = people.c


def every(database: Database) -> Sequence[Row[Any]]:
    """All people, by name."""
    with database.read() as connection:
        return connection.execute(select(people).order_by(P.person)).all()


def put(database: Database, person: str, role: PersonRole, actor: str, now: datetime) -> Row[Any]:
    """Let a person sign in with a role; their sessions change with it. Recorded in the audit trail."""
    with database.write("audit") as connection:
        before = connection.execute(select(P.role).where(P.person == person)).scalar()
        if before is None:
            values = {"person": person, "role": role, "created_by": actor, "created_at": now}
            connection.execute(people.insert().values(**values))
        else:
            connection.execute(update(people).where(P.person == person).values(role=role))
            connection.execute(update(api_keys).where(api_keys.c.person == person).values(role=role))
        audit.append(connection, actor, "person.set", f"person {person}", {"role": role, "before": before})
        return connection.execute(select(people).where(P.person == person)).one()


def remove(database: Database, person: str, actor: str, now: datetime) -> bool:
    """End a person's sessions and let them in no more; False where there is none of this name."""
    with database.write("audit") as connection:
        if connection.execute(delete(people).where(P.person == person)).rowcount == 0:
            return False
        mine = (api_keys.c.person == person, api_keys.c.revoked_at.is_(None))
        connection.execute(update(api_keys).where(*mine).values(revoked_at=now))
        audit.append(connection, actor, "person.remove", f"person {person}", {})
    return True


def sign_in(database: Database, person: str, expires_at: datetime, now: datetime) -> tuple[keys.Key, str] | None:
    """A session of a person and its secret; None where nobody let them in. Recorded in the audit trail."""
    with database.write("audit") as connection:
        role = connection.execute(select(P.role).where(P.person == person)).scalar()
        if role is None:
            return None
        connection.execute(delete(api_keys).where(api_keys.c.person.is_not(None), api_keys.c.expires_at < now))
        connection.execute(update(people).where(P.person == person).values(seen_at=now))
        key, secret = keys.insert(connection, person, role, now, expires_at=expires_at, person=person)
        audit.append(connection, person, "session.open", f"person {person}", {"role": role, "key_id": key.key_id})
    return key, secret
