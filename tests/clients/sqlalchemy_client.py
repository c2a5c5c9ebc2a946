"""SQLAlchemy: reflection, bound parameters, streams; pandas over it."""

import os

import pandas
import sqlalchemy
from sqlalchemy import MetaData, Numeric, Table, func, inspect, select

url = sqlalchemy.URL.create(
    "postgresql+psycopg",
    os.environ["PGUSER"],
    os.environ["PGPASSWORD"],
    os.environ["PGHOST"],
    int(os.environ["PGPORT"]),
    "tieout",
)
engine = sqlalchemy.create_engine(url)
inspector = inspect(engine)
assert "payments" in inspector.get_table_names(), inspector.get_table_names()
assert {"public", "history"} <= set(inspector.get_schema_names())
assert inspector.has_table("payments") and not inspector.has_table("nowhere")
columns = {column["name"]: column for column in inspector.get_columns("payments")}
assert isinstance(columns["amount"]["type"], Numeric), columns["amount"]
assert inspector.get_pk_constraint("payments")["constrained_columns"] == []
assert inspector.get_foreign_keys("payments") == []
assert inspector.get_indexes("payments") == []
assert isinstance(inspector.get_view_names(), list)

payments = Table("payments", MetaData(), autoload_with=engine)
with engine.connect() as db:
    total = db.execute(select(func.count()).select_from(payments)).scalar()
    positive = select(func.count()).where(payments.c.amount > 0)
    assert 0 < db.execute(positive).scalar() <= total
    some = payments.select().where(payments.c.status.in_(["applied", "proposed"])).limit(5)
    assert len(db.execute(some).fetchall()) == 5
    stream = db.execution_options(stream_results=True, max_row_buffer=50)
    assert sum(1 for _ in stream.execute(payments.select())) == total

frame = pandas.read_sql(
    sqlalchemy.text("select status, count(*) as n from payments group by status"), engine
)
assert frame["n"].sum() == total
everything = pandas.read_sql_table("payments", engine)
assert len(everything) == total
