"""ADBC: Arrow Flight SQL by TLS, with a user and a password; batches, parameters, what there is.
Then its driver for PostgreSQL, which copies rows in binary and learns their types from the catalog.
"""

import datetime
import decimal
import os

import adbc_driver_flightsql.dbapi as flight_sql
import adbc_driver_postgresql.dbapi as postgresql
from adbc_driver_flightsql import DatabaseOptions

port = os.environ["FLIGHT"].rsplit(":", 1)[1]
with open(os.environ["ROOT_CERTIFICATE"]) as file:
    certificate = file.read()


def connect(user="ann", password="s3cret"):
    options = {
        "username": user,
        "password": password,
        DatabaseOptions.TLS_ROOT_CERTS.value: certificate,
    }
    return flight_sql.connect(f"grpc+tls://localhost:{port}", options, autocommit=True)


with connect() as connection, connection.cursor() as cursor:
    cursor.execute("select payment_id, amount, booking_date from payments order by payment_id")
    table = cursor.fetch_arrow_table()
    assert table.num_rows > 3000, table.num_rows
    assert str(table.schema.field("amount").type) == "decimal128(23, 5)"

    cursor.execute("select sum(amount) from payments where status = 'applied'")
    (applied,) = cursor.fetchone()
    assert isinstance(applied, decimal.Decimal) and applied > 0

    # A parameter of each type.
    day = datetime.date(2000, 1, 1)
    cursor.execute(
        "select count(*) from payments where currency = $1 and amount > $2 and booking_date > $3 "
        "and source_line > $4",
        ("USD", decimal.Decimal("100.00"), day, 1),
    )
    (counted,) = cursor.fetchone()
    cursor.execute("select count(*) from payments where currency = 'USD' and amount > 100.00")
    assert counted > 0 and cursor.fetchone() == (counted,)

    cursor.execute("select party_id, sum(amount) as amount from payments group by 1")
    assert cursor.fetch_df()["amount"].sum() > applied

    objects = connection.adbc_get_objects(depth="tables").read_all().to_pylist()
    schemas = {
        schema["db_schema_name"]: {table["table_name"] for table in schema["db_schema_tables"]}
        for schema in objects[0]["catalog_db_schemas"]
    }
    assert objects[0]["catalog_name"] == "tieout"
    assert {"payments", "cash_position"} <= schemas["public"], schemas
    columns = connection.adbc_get_table_schema("payments", db_schema_filter="public")
    assert columns.names[0] == "payment_id"
    assert connection.adbc_get_table_types() == ["TABLE", "VIEW"]
    assert connection.adbc_get_info()["vendor_name"] == "tieout"

    for sql in ["delete from payments", "select * from nothing"]:
        try:
            cursor.execute(sql)
            raise SystemExit(f"{sql} was not refused")
        except flight_sql.Error as error:
            assert "25006" in str(error) or "42P01" in str(error), error

with connect("clerk") as connection, connection.cursor() as cursor:
    cursor.execute("select count(*) from payments")
    try:
        cursor.execute("select count(*) from parties")
        raise SystemExit("the clerk has read parties")
    except flight_sql.Error as error:
        assert "42501" in str(error), error

try:
    with connect(password="wrong") as connection, connection.cursor() as cursor:
        cursor.execute("select 1")
    raise SystemExit("a wrong password was let in")
except flight_sql.Error as error:
    assert "28P01" in str(error), error

with postgresql.connect(f"postgresql://ann:s3cret@127.0.0.1:{os.environ['PGPORT']}/tieout?sslmode=require") as connection:
    columns = "payment_id, amount, booking_date, source_line from payments order by payment_id limit 100"
    with connect() as other, other.cursor() as cursor:
        cursor.execute(f"select {columns}")
        wanted = cursor.fetchall()
    with connection.cursor() as cursor:
        cursor.execute(f"select {columns}")
        # It has no exact numbers but as texts.
        copied = [(name, decimal.Decimal(amount), day, line) for name, amount, day, line in cursor.fetchall()]
    assert copied == wanted, (copied[0], wanted[0])
print("ok")
