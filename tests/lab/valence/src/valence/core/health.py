"""Whether the servers can work: their settings, the database, its tables."""

import os

import psycopg2

TABLES = ["beliefs", "entities", "belief_entities", "sources", "tensions", "vkb_sessions", "vkb_exchanges"]


def connect():
    return psycopg2.connect(
        host=os.environ["VKB_DB_HOST"],
        port=os.environ.get("VKB_DB_PORT", "5432"),
        dbname=os.environ["VKB_DB_NAME"],
        user=os.environ["VKB_DB_USER"],
        password=os.environ["VKB_DB_PASSWORD"],
    )


def problems() -> list[str]:
    lacking = [name for name in ("VKB_DB_HOST", "VKB_DB_NAME", "VKB_DB_USER") if not os.environ.get(name)]
    if lacking:
        return [f"not set: {', '.join(lacking)}"]
    try:
        with connect() as connection, connection.cursor() as cursor:
            cursor.execute("SELECT extname FROM pg_extension WHERE extname = 'vector'")
            found = [] if cursor.fetchone() else ["no extension vector"]
            cursor.execute("SELECT name FROM unnest(%s) name WHERE to_regclass(name) IS NULL", (TABLES,))
            return found + [f"no table {name}" for (name,) in cursor.fetchall()]
    except psycopg2.Error as error:
        return [str(error).strip()]


def cli_health_check() -> int:
    found = problems()
    print(f"Healthy: {not found}")
    if found:
        print(f"Error: {'; '.join(found)}")
    return 1 if found else 0
