"""psycopg 3: types, prepared statements, cursors, COPY, cancelling, binary."""

import datetime
import decimal
import threading
import time

import psycopg

with psycopg.connect("") as db:
    cursor = db.cursor()
    (count,) = cursor.execute("select count(*) from payments").fetchone()
    assert count > 0
    row = cursor.execute(
        "select %s + 1, %s::text, %s::date, %s::numeric, %s::boolean, %s::float8",
        (41, "é", datetime.date(2026, 3, 1), decimal.Decimal("12.50"), True, 1.5),
    ).fetchone()
    assert row[0] == 42 and row[1] == "é" and row[2] == datetime.date(2026, 3, 1), row
    assert row[3] == decimal.Decimal("12.50") and row[4] is True and row[5] == 1.5, row

    (amount,) = cursor.execute("select max(amount) from payments").fetchone()
    assert isinstance(amount, decimal.Decimal), amount
    binary = db.cursor(binary=True)
    assert binary.execute("select max(amount) from payments").fetchone() == (amount,)
    (same,) = binary.execute(
        "select count(*) from payments where amount = %s", (amount,)
    ).fetchone()
    assert same > 0

    statuses = [row[0] for row in cursor.execute("select distinct status from payments")]
    (some,) = cursor.execute(
        "select count(*) from payments where status = any(%s)", (statuses,)
    ).fetchone()
    assert some == count, (some, count)

    for _ in range(10):  # prepared by itself after the fifth
        cursor.execute("select count(*) from payments where amount > %s", (0,)).fetchone()

    with db.cursor(name="parts") as parts:
        parts.itersize = 100
        parts.execute("select payment_id from payments")
        assert sum(1 for _ in parts) == count

    with cursor.copy("copy (select payment_id from payments) to stdout") as copy:
        assert sum(1 for _ in copy.rows()) == count

    columns = "payment_id, amount, booking_date from payments order by payment_id limit 100"
    wanted = cursor.execute(f"select {columns}").fetchall()
    with cursor.copy(f"copy (select {columns}) to stdout (format binary)") as copy:
        copy.set_types(["text", "numeric", "date"])
        assert list(copy.rows()) == wanted

    try:
        cursor.execute("insert into payments values (1)")
        raise SystemExit("an insert was not refused")
    except psycopg.errors.ReadOnlySqlTransaction:
        db.rollback()

with psycopg.connect("", autocommit=True) as db:
    threading.Thread(target=lambda: (time.sleep(0.3), db.cancel_safe())).start()
    try:
        db.execute(
            "select count(*) from payments a, payments b, payments c, payments d "
            "where a.amount + b.amount + c.amount + d.amount = 0.00001"
        )
        raise SystemExit("a cancelled query went on")
    except psycopg.errors.QueryCanceled:
        pass
    assert db.execute("select 1").fetchone() == (1,)
    with db.pipeline():
        answers = [db.execute("select %s::int", (number,)) for number in range(5)]
        assert [answer.fetchone()[0] for answer in answers] == list(range(5))
