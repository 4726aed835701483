"""What `fatefed doctor --engines` asks a MySQL or MariaDB server. It only reads."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pymysql

from cli.doctor.engines.probes import reachable
from cli.doctor.questions import SECONDS, ask
from cli.doctor.rows import Row
from cli.tools.errors import FailedError, NotReadableError
from federation.config.engines import ExternalMysql

# What FATE-Flow and Eggroll do with their tables.
_RIGHTS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "INDEX", "ALTER"})
_CHARSETS = frozenset({"utf8mb4", "utf8mb3", "utf8"})
_CONNECTIONS = 150  # FATE-Flow's pool has 100, Eggroll's cluster manager and administrators need some more
_REFUSED = {
    1045: ("user {user} is refused", "correct the password, or the user's host part"),
    1044: ("user {user} may not use database {database}", "GRANT ALL PRIVILEGES ON {database}.* TO '{user}'@'%'"),
    1049: ("there is no database {database}", "CREATE DATABASE {database} CHARACTER SET utf8mb4"),
    1130: ("the server refuses connections from this machine", "ask from an allowed address"),
}

Query = Callable[[str], list[tuple[Any, ...]]]


def mysql_rows(subject: str, external: ExternalMysql, password: Callable[[], str], named: Row | None) -> Iterator[Row]:
    """The rows of one server. `named`: of its name, when it has one."""

    def asked(check: str, question: Callable[[Query, ExternalMysql], str], cause: Row) -> Row:
        return ask(f"{subject}: {check}", lambda: _connected(external, password(), question), cause)

    there = ask(f"{subject}: server is reachable", lambda: reachable(external.host, external.port), named)
    signed_in = asked("user signs in", lambda query, _: f"as {query('SELECT CURRENT_USER()')[0][0]}", there)
    yield from (there, signed_in)
    for check, question in (("version", _version), ("rights", _rights), ("character set", _charset), ("connections", _connections)):
        yield asked(check, question, signed_in)


def _connected(external: ExternalMysql, password: str, question: Callable[[Query, ExternalMysql], str]) -> str:
    try:
        connection = pymysql.connect(
            host=external.host,
            port=external.port,
            user=external.user,
            password=password,
            database=external.database,
            connect_timeout=int(SECONDS),
            read_timeout=SECONDS,
            write_timeout=SECONDS,
            charset="utf8mb4",
        )
    except pymysql.MySQLError as error:
        number = error.args[0] if error.args else 0
        problem, remedy = _REFUSED.get(number, (f"no connection (error {number})", "the server's log says why"))
        names = {"user": external.user, "database": external.database}
        raise FailedError(problem.format(**names), remedy.format(**names)) from None
    with connection, connection.cursor() as cursor:

        def query(sql: str) -> list[tuple[Any, ...]]:
            cursor.execute(sql)
            return list(cursor.fetchall())

        try:
            return question(query, external)
        except pymysql.MySQLError as error:
            raise NotReadableError(f"the server does not report it (error {error.args[0]})", "ask its administrator") from None


def _version(query: Query, external: ExternalMysql) -> str:
    version = str(query("SELECT VERSION()")[0][0])
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if numbers < ((10, 5) if "MariaDB" in version else (8, 0)):
        raise FailedError(version, "MySQL 8.0, or MariaDB 10.5, or newer")
    return version


def _rights(query: Query, external: ExternalMysql) -> str:
    granted: set[str] = set()
    for (grant,) in query("SHOW GRANTS"):
        if (match := re.match(r"GRANT (?P<rights>.+) ON (?P<where>\S+) TO ", grant)) and _covers(match["where"], external.database):
            granted |= {right.strip() for right in match["rights"].split(",")}
    lacking = sorted(_RIGHTS - granted) if "ALL PRIVILEGES" not in granted else []
    if lacking:
        names = f"{', '.join(lacking)} on {external.database}"
        raise FailedError(f"not granted: {names}", f"GRANT ALL PRIVILEGES ON {external.database}.* TO '{external.user}'@'%'")
    return f"all that FATE needs on {external.database}"


def _covers(where: str, database: str) -> bool:
    """Whether a grant's place is every table of a database. In a name, % and _ stand for anything and for one letter, unless escaped."""
    name = re.fullmatch(r"(\*|`(?P<name>[^`]*)`)\.\*", where)
    if name is None:
        return False
    if name["name"] is None:
        return True
    parts = re.findall(r"\\.|.", name["name"])
    pattern = "".join({"%": ".*", "_": "."}.get(part) or re.escape(part[-1]) for part in parts)
    return re.fullmatch(pattern, database) is not None


def _charset(query: Query, external: ExternalMysql) -> str:
    charset = query("SELECT default_character_set_name FROM information_schema.schemata WHERE schema_name = DATABASE()")[0][0]
    if charset not in _CHARSETS:
        raise FailedError(f"{charset} cannot store all characters", f"ALTER DATABASE {external.database} CHARACTER SET utf8mb4")
    return str(charset)


def _connections(query: Query, external: ExternalMysql) -> str:
    connections = int(query("SELECT @@max_connections")[0][0])
    if connections < _CONNECTIONS:
        raise FailedError(f"max_connections is {connections}", f"set it to {_CONNECTIONS} or more: FATE-Flow's pool alone has 100")
    return f"max_connections is {connections}"
