"""Every store that Sekisho can stand on, so that one suite runs against all of them."""

import itertools

import psycopg
import pytest
from tests.postgres import running_postgres

from sekisho.storage.engine import open_store

NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_url():
    """Give the URL of a PostgreSQL server that lives as long as the session."""
    with running_postgres() as url:
        yield url


@pytest.fixture
def server_store_url(postgres_url):
    """Give the URL of an empty database on the server."""
    database = f"store_{next(NUMBERS)}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {database}")
    return postgres_url.replace("/postgres?", f"/{database}?")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def store_url(request, tmp_path):
    """Give the URL of a store that nobody has opened yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/sekisho.db"
    return request.getfixturevalue("server_store_url")


@pytest.fixture
def store(store_url):
    """Give an open store."""
    opened = open_store(store_url)
    yield opened
    opened.close()
