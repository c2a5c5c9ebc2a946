#!/usr/bin/env python3
"""The figures of the .slt files beside this one, counted from the tables that `tieout run` writes and
from the input files: plain Python, none of the SQL that they check.

    python3 tests/slt/figures.py            # says which files would be others, and fails if any would
    python3 tests/slt/figures.py --write    # writes them

A test of the workspace runs the files (`cargo test --release -p tieout-tests slt`), and fails for a view
or function without one.
"""

import csv
import re
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SMALL, MORNING, DURING = "datasets/treasury", "datasets/distributor", "datasets/formats/mt/intraday.942"
ZERO = Decimal(0)


class Run:
    """The tables of a run over a folder, and the files in it, as lists of dictionaries."""

    def __init__(self, tieout, data, out):
        done = subprocess.run([tieout, "run", data, "--out", out, "--quiet"], cwd=ROOT, capture_output=True)
        assert done.returncode in (0, 3), done.stderr.decode()
        self.out, self.data = Path(out), ROOT / data

    def table(self, name):
        with open(self.out / f"{name}.csv", newline="") as file:
            return list(csv.DictReader(file))

    def given(self, name):
        with open(self.data / f"{name}.csv", newline="") as file:
            return list(csv.DictReader(file))


def number(text):
    return Decimal(text) if text else ZERO


def day(text):
    return date.fromisoformat(text) if text else None


def shown(value):
    """A cell as the files have it."""
    if value is None or value == "":
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        text = f"{value:f}"
        whole, _, part = text.partition(".")
        return f"{whole}.{part.rstrip('0'):0<2}"
    return " ".join(str(value).split())


def rounded(value, digits):
    return value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


class File:
    def __init__(self, name, data):
        self.name, self.data, self.text = name, data, f"# data: {data}\n"

    def ask(self, sql, rows):
        rows = [row if isinstance(row, (tuple, list)) else (row,) for row in rows]
        lines = sorted(" ".join(shown(cell) for cell in row) for row in rows)
        columns = "T" * len(rows[0]) if rows else "T"
        self.text += f"\nquery {columns} rowsort\n{sql}\n----\n" + "".join(f"{line}\n" for line in lines)
        return self


# What stands in the books ---------------------------------------------------------------------------

SIDE = {"invoice": "receivable", "debit_memo": "receivable", "credit_memo": "receivable",
        "on_account": "receivable", "bill": "payable", "refund": "payable"}


def open_items(run, today):
    """Each item that is open at the end of a day, with what is left of it, signed."""
    booked = {row["payment_id"]: day(row["booking_date"]) for row in run.table("payments")}
    taken = defaultdict(lambda: ZERO)
    for row in run.table("applications"):
        on = booked[row["payment_id"]]
        if row["status"] == "applied" and (on is None or on <= today):
            parts = (number(row[part]) for part in ("applied", "discount", "write_off", "deduction"))
            taken[row["item_id"]] += abs(sum(parts))
    for item in run.given("open_items"):
        issued = day(item["issue_date"])
        left = abs(number(item["open_amount"])) - taken[item["item_id"]]
        if left and (issued is None or issued <= today):
            credit = item["kind"] in ("credit_memo", "on_account") or number(item["open_amount"]) < 0
            due = day(item["due_date"]) or issued
            yield {**item, "left": -left if credit else left, "due": due, "side": SIDE.get(item["kind"], "other"),
                   "late": (today - due).days if due else None}


def names(run):
    return {row["party_id"]: row["name"] for row in run.given("parties")}


def last_day(run):
    return max(day(row["booking_date"]) for row in run.table("transactions") if row["booking_date"])


def balances(run):
    """(account, currency, day) to what the bank says of it, by the balance's word."""
    told = defaultdict(dict)
    for row in run.table("balances"):
        told[row["account"], row["currency"], day(row["as_of_date"])][row["balance_type"]] = number(row["amount"])
    return told


CLOSING = ("closing_ledger", "closing_booked", "closing balance", "closing")
OPENING = ("opening_ledger", "opening_booked", "opening balance", "opening")


def first(words, told):
    return next((told[word] for word in words if word in told), None)


def moved(run):
    sums = defaultdict(lambda: {"CRDT": ZERO, "DBIT": ZERO})
    for row in run.table("transactions"):
        sums[row["account"], row["currency"], day(row["booking_date"])][row["direction"]] += number(row["amount"])
    return sums


def weekdays(start, end):
    days = [start + timedelta(n + 1) for n in range((end - start).days)]
    return sum(1 for one in days if one.weekday() < 5)


RATES_DAYS = 7


def rate(run, base, quote, today):
    """Units of quote for one of base, as loaded or turned round."""
    if base == quote:
        return Decimal(1)
    for back in range(RATES_DAYS):
        for row in run.given("exchange_rates"):
            if day(row["rate_date"]) == today - timedelta(back):
                pair = (row["base_currency"], row["quote_currency"])
                if pair == (base, quote):
                    return number(row["rate"])
                if pair == (quote, base):
                    return rounded(1 / number(row["rate"]), 12)
    return None


# Views -----------------------------------------------------------------------------------------------


def accounts(run):
    known = {row["account"]: row for row in run.given("accounts")}
    seen = {row["account"] for name in ("transactions", "balances") for row in run.table(name)} | set(known)
    rows = [(a, known[a]["entity"], known[a]["bank"], known[a]["name"]) for a in seen]
    yield File("own_accounts", SMALL).ask("select account, entity, bank, name from own_accounts", rows)
    most = Counter(row["currency"] for row in run.table("transactions")).most_common(1)[0][0]
    yield File("books", SMALL).ask("select as_of, reporting_currency from books", [(last_day(run), most)])


def cash(run):
    told, sums = balances(run), moved(run)
    yield File("stated_balances", SMALL).ask(
        "select account, currency, position_date, opening_ledger, closing_ledger, closing_available,\n"
        "  float_0, float_1, float_2_or_more from stated_balances",
        [(*key, first(OPENING, b), first(CLOSING, b), b.get("closing_available"),
          *(next((v for k, v in b.items() if k.replace("_", " ") == f"float {word}"), None)
            for word in ("0 day", "1 day", "2 or more days")))
         for key, b in told.items()])
    rows = []
    known = {row["account"]: row for row in run.given("accounts")}
    for key in set(told) | set(sums):
        b, m = told.get(key, {}), sums[key] if key in sums else {"CRDT": ZERO, "DBIT": ZERO}
        ledger = first(CLOSING, b)
        if ledger is None:
            ledger = first(OPENING, b)  # a day that only opens has no lines here
        floats = [v for k, v in b.items() if k.startswith("float") and "0" not in k]
        available = b.get("closing_available", ledger - sum(floats, ZERO))
        rows.append((known[key[0]]["entity"], key[0], key[2], m["CRDT"], m["DBIT"], ledger, available, sum(floats, ZERO)))
    yield File("cash_position", SMALL).ask(
        "select entity, account, position_date, credits, debits, ledger, available, float_1 + float_2_or_more\n"
        "from cash_position", rows)

    rows = []
    for account in {key[0] for key in told}:
        before = None
        closed = sorted(key for key, b in told.items() if key[0] == account and first(CLOSING, b) is not None)
        opened = {key: first(OPENING, b) for key, b in told.items() if key[0] == account}
        for key in closed:
            opening, begins = opened[key], key[2]
            if opening is None and before is None:
                begins, opening = min((k[2], v) for k, v in opened.items() if v is not None)
            days = [k for k in sums if k[0] == account and begins <= k[2] <= key[2]]
            net = sum((sums[k]["CRDT"] - sums[k]["DBIT"] for k in days), ZERO)
            closing = first(CLOSING, told[key])
            off = closing - (opening + net)
            missing = max(weekdays(before[0], begins) - 1, 0) if before else 0
            gap = opening - before[1] if before else None
            state = ("roll_forward_break" if off else "complete" if not gap
                     else "missing_statement" if missing else "opening_break")
            rows.append((account, key[2], opening, closing, off, gap, missing, state))
            before = (key[2], closing)
    yield File("statement_completeness", SMALL).ask(
        "select account, statement_date, opening_ledger, closing_ledger, roll_forward_difference, opening_difference,\n"
        "  missing_days, state from statement_completeness", rows)

    fees = [row for row in run.table("transactions")
            if row["direction"] == "DBIT" and (row["type_code"] == "661" or row["type_code"].startswith("NCHG"))]
    yield File("bank_fees", SMALL).ask(
        "select booking_date, account, type_code, currency, fee from bank_fees",
        [(r["booking_date"], r["account"], r["type_code"], r["currency"], number(r["amount"])) for r in fees])


def during(run):
    told = balances(run)
    sums = defaultdict(lambda: defaultdict(lambda: ZERO))
    for row in run.table("transactions"):
        key = (row["account"], row["currency"], day(row["booking_date"]))
        sums[key][row["direction"], row["status"]] += number(row["amount"])
        sums[key]["lines"] += 1
    rows = [(*key, s["CRDT", "BOOK"], s["DBIT", "BOOK"], s["CRDT", "PDNG"], s["DBIT", "PDNG"], int(s["lines"]))
            for key, s in sums.items()]
    assert rows and told is not None
    yield File("intraday_position", DURING).ask(
        "select account, currency, position_date, credits, debits, pending_credits, pending_debits, lines\n"
        "from intraday_position where lines > 0", rows)


BUCKETS = [("current", -10**9, 0), ("days_1_30", 1, 30), ("days_31_60", 31, 60), ("days_61_90", 61, 90),
           ("days_over_90", 91, 10**9)]


def aged(run, today):
    sums = defaultdict(lambda: [ZERO] * len(BUCKETS))
    for item in open_items(run, today):
        if item["side"] == "receivable":
            place = next(n for n, (_, low, high) in enumerate(BUCKETS) if low <= (item["late"] or 0) <= high)
            sums[item["entity"], item["party_id"], item["currency"]][place] += item["left"]
    return [(*key, *parts, sum(parts)) for key, parts in sums.items()]


def receivables(small, morning):
    today = last_day(small)
    columns = "entity, party_id, currency, " + ", ".join(name for name, _, _ in BUCKETS) + ", total"
    ageing = File("receivables_ageing", SMALL)
    ageing.ask(f"select {columns} from receivables_ageing", aged(small, today))
    for earlier in (date(2026, 3, 1), date(2026, 1, 15)):
        ageing.ask(f"select {columns} from receivables_ageing('{earlier}')", aged(small, earlier))
    yield ageing
    ageing = File("receivables_ageing_of_a_morning", MORNING)
    yield ageing.ask(f"select {columns} from receivables_ageing", aged(morning, last_day(morning)))
    columns = "item_id, party_name, side, open_amount, due_date, days_past_due"
    items = File("items_open", SMALL)
    for on in (today, date(2026, 3, 12)):
        rows = [(i["item_id"], names(small)[i["party_id"]], i["side"], i["left"], i["due"], i["late"])
                for i in open_items(small, on)]
        items.ask(f"select {columns} from items_open('{on}')", rows)
    yield items

    rows = []
    for entity, currency in {(i["entity"], i["currency"]) for i in small.given("open_items")}:
        own = [i for i in open_items(small, today) if (i["entity"], i["currency"], i["side"]) == (entity, currency, "receivable")]
        owed, not_due = (sum((i["left"] for i in own if late(i)), ZERO) for late in (lambda i: True, lambda i: (i["late"] or 0) <= 0))
        sales = sum((number(i["amount"]) * (-1 if i["kind"] == "credit_memo" else 1) for i in small.given("open_items")
                     if (i["entity"], i["currency"]) == (entity, currency) and i["kind"] in ("invoice", "debit_memo", "credit_memo")
                     and today - timedelta(90) < day(i["issue_date"]) <= today), ZERO)
        rows.append((entity, currency, owed, not_due, sales, f"{rounded(owed * 90 / sales, 1)}", f"{rounded(not_due * 90 / sales, 1)}"))
    yield File("days_sales_outstanding", SMALL).ask(
        "select entity, currency, receivables, not_yet_due, sales, dso, best_possible_dso from days_sales_outstanding", rows)

    late = lateness(small, today)
    yield File("payer_lateness", SMALL).ask(
        "select party_id, currency, items, paid, days_late, latest from payer_lateness",
        [(*key, len(v), sum(p for p, _ in v), mean_late(v), max(d for _, d in v)) for key, v in late.items()])
    sums = defaultdict(lambda: [0, ZERO, ZERO])
    for item in open_items(small, today):
        own = max(mean_late(late.get((item["party_id"], item["currency"]), [(Decimal(1), 0)])), 0)
        own = own if item["side"] == "receivable" else 0
        when = max((item["due"] or today) + timedelta(own), today + timedelta(1))
        while when.weekday() > 4:
            when += timedelta(1)
        line = sums[when, item["party_id"], item["currency"], own]
        line[0] += 1
        line[2 if item["side"] == "payable" else 1] += item["left"]
    yield File("cash_forecast", SMALL).ask(
        "select expected_date, party_id, currency, days_late, items, inflow, outflow from cash_forecast",
        [(*key, *line) for key, line in sums.items()])


def lateness(run, today):
    items = {i["item_id"]: i for i in run.given("open_items")}
    booked = {row["payment_id"]: day(row["booking_date"]) for row in run.table("payments")}
    late = defaultdict(list)
    for row in run.table("applications"):
        item, on = items.get(row["item_id"]), booked[row["payment_id"]]
        if row["status"] == "applied" and item and item["kind"] in ("invoice", "debit_memo") and on and on <= today:
            due = day(item["due_date"]) or day(item["issue_date"])
            if due:
                late[row["party_id"], row["currency"]].append((abs(number(row["applied"])), (on - due).days))
    return late


def mean_late(paid):
    return int(rounded(sum(p * d for p, d in paid) / sum(p for p, _ in paid), 0))


def exposure(run):
    today = date(2026, 3, 13)
    rows = []
    for currency in sorted({i["currency"] for i in run.given("open_items")}):
        cash_ = ZERO
        for account in {k[0] for k in balances(run) if k[1] == currency}:
            closings = {k[2]: first(CLOSING, b) for k, b in balances(run).items()
                        if k[0] == account and k[2] <= today and first(CLOSING, b) is not None}
            cash_ += closings[max(closings)]
        items = list(open_items(run, today))
        owed = sum((i["left"] for i in items if i["currency"] == currency and i["side"] == "receivable"), ZERO)
        owing = sum((i["left"] for i in items if i["currency"] == currency and i["side"] == "payable"), ZERO)
        net, one = cash_ + owed - owing, rate(run, currency, "EUR", today)
        rows.append((currency, cash_, owed, owing, net, rounded(net * one, 2)))
    yield File("exposure_by_currency", SMALL).ask(
        "select currency, cash, receivables, payables, net, net_in_reporting_currency\n"
        "from exposure_by_currency('2026-03-13', 'EUR')", rows)
    lines = Counter((row["booking_date"], row["currency"]) for row in run.table("transactions"))
    items = Counter(i["currency"] for i in open_items(run, last_day(run)))
    needed = defaultdict(lambda: [0, 0])
    for (on, currency), count in lines.items():
        needed[on, currency][0] += count
    for currency, count in items.items():
        needed[str(last_day(run)), currency][1] += count
    missing = File("missing_rates", SMALL)
    missing.ask("select rate_date, currency from missing_rates", [])
    missing.ask(f"select rate_date, currency, lines, open_items from missing_rates('{last_day(run)}', 'GBP')",
                [(*key, *counts) for key, counts in needed.items()])
    yield missing


def payments(run):
    rows = run.table("payments")
    by_id = {row["payment_id"]: row for row in rows}
    parties = names(run)
    debits = {r["transaction_id"] for r in run.table("transactions") if r["direction"] == "DBIT"}
    came_in = [r for r in rows if r["payment_id"] not in debits]
    held = [r for r in came_in if r["status"] not in ("out_of_scope", "duplicate")]
    today = last_day(run)
    waiting = [r for r in held if number(r["on_account"]) or number(r["unapplied"])]
    yield File("unapplied_cash", MORNING).ask(
        "select payment_id, age_days, party_id, on_account, unapplied, status, reason from unapplied_cash",
        [(r["payment_id"], (today - day(r["booking_date"])).days, r["party_id"], number(r["on_account"]),
          number(r["unapplied"]), r["status"], r["reason"]) for r in waiting])
    counts = defaultdict(lambda: [0, ZERO])
    for row in run.table("exceptions"):
        age = (today - day(by_id[row["payment_id"]]["booking_date"])).days
        age = next(word for word, most in (("0-1", 1), ("2-5", 5), ("6-10", 10), ("11-30", 30), ("over 30", 10**9)) if age <= most)
        line = counts[row["reason"], age]
        line[0] += 1
        line[1] += number(row["amount"])
    yield File("exceptions_by_reason", MORNING).ask(
        "select reason, age, owner, payments, amount from exceptions_by_reason",
        [(*key, None, *line) for key, line in counts.items()])
    rates = defaultdict(lambda: [0, ZERO, 0, ZERO])
    for row in came_in:
        if row["status"] != "out_of_scope":
            line = rates[row["booking_date"], row["account"], row["currency"]]
            line[0] += 1
            line[1] += number(row["amount"])
            line[2] += row["status"] == "applied"
            line[3] += number(row["applied"])
    yield File("match_rate", MORNING).ask(
        "select booking_date, account, currency, sum(payments), sum(amount), sum(straight_through_payments),\n"
        "  sum(applied_amount) from match_rate group by 1, 2, 3",
        [(*key, *line) for key, line in rates.items()])
    entities = {i["item_id"]: i["entity"] for i in run.given("open_items")}
    kept = defaultdict(lambda: [set(), ZERO, ZERO])
    for row in run.table("applications"):
        if row["status"] == "applied" and number(row["deduction"]):
            line = kept[entities.get(row["item_id"]), row["deduction_reason"] or "none given", row["party_id"]]
            line[0].add(row["item_id"])
            line[1] += number(row["deduction"])
            line[2] += number(row["applied"])
    yield File("deductions", MORNING).ask(
        "select entity, reason, party_id, party_name, items, deduction, applied from deductions",
        [(*key, parties[key[2]], len(items), less, paid) for key, (items, less, paid) in kept.items()])
    twice = [r for r in run.table("duplicates") if by_id[r["payment_id"]]["status"] == "duplicate"]
    yield File("duplicates_prevented", MORNING).ask(
        "select payment_id, amount, duplicate_of, evidence, detail from duplicates_prevented",
        [(r["payment_id"], number(by_id[r["payment_id"]]["amount"]), r["duplicate_of"], *r["evidence"].split(": ", 1))
         for r in twice])

    several = Counter(r["payment_id"] for r in run.table("applications"))
    chosen = min(payment for payment, count in several.items() if count == 3)
    row, own = by_id[chosen], [r for r in run.table("applications") if r["payment_id"] == chosen]
    yield File("explain_payment", MORNING).ask(
        f"select what, name, amount from explain_payment('{chosen}') where what in ('decision', 'application')",
        [("decision", row["status"], number(row["amount"]))]
        + [("application", r["item_id"], number(r["applied"])) for r in own])
    chosen = min(run.table("exceptions"), key=lambda r: (-r["candidates"].count("="), r["payment_id"]))
    ranked = []
    for place, candidate in enumerate(chosen["candidates"].split("|"), 1):
        items, _, likely = candidate.partition("=")
        ranked += [(place, item, number(likely)) for item in items.split("+")]
    yield File("candidates", MORNING).ask(
        f"select place, item_id, cast(likelihood as decimal(6, 4)) from candidates('{chosen['payment_id']}')", ranked)
    earlier = File("as_of", MORNING)
    earlier.ask("select status, count(*), sum(amount) from as_of('payments', 1) group by status",
                [(s, sum(1 for r in rows if r["status"] == s), sum(number(r["amount"]) for r in rows if r["status"] == s))
                 for s in {r["status"] for r in rows}])
    earlier.ask("select count(*) from as_of('exceptions', date '9999-12-31')", [len(run.table("exceptions"))])
    yield earlier


# Functions -------------------------------------------------------------------------------------------


def functions(run):
    def bare(text):
        return re.sub(r"^[A-Z]*0*", "", re.sub(r"[^A-Z0-9]", "", text.upper()))

    numbers = [i["number"] for i in run.given("open_items") if re.fullmatch(r"[A-Z]+-\d+", i["number"])]
    yield File("normalize_reference", SMALL).ask(
        "select number, normalize_reference(number) from open_items where number like '%-%'",
        [(n, bare(n)) for n in numbers])
    yield File("name_similarity", SMALL).ask(
        "select name, name_similarity(name, upper(name)), name_similarity(name, 'Zyx Qwv') < 0.5 from parties",
        [(r["name"], 1, True) for r in run.given("parties")])
    yield File("bai_type", SMALL).ask(
        "select bai_type('015'), bai_type('661'), bai_type('998')", [("closing ledger", "account analysis fee", None)])
    yield File("iso_code", SMALL).ask(
        "select iso_code('PMNT-RCDT-ESCT'), iso_code('CUST', 'reason'), iso_code('ZZZZ')",
        [("payments, received credit transfers, SEPA credit transfer", "requested by the customer", None)])
    days = [date(2026, 2, 20) + timedelta(n) for n in range(30)]
    asked = ", ".join(f"('{one}')" for one in days)
    start = date(2026, 2, 20)
    yield File("business_days", SMALL).ask(
        f"select d, business_days(date '{start}', cast(d as date)) from (values {asked}) t(d)",
        [(one, weekdays(start, one)) for one in days])

    def floated(one, count):
        # The business days after the date are counted, whatever day that is.
        while one.weekday() > 4 and not count:
            one += timedelta(1)
        for _ in range(count):
            one += timedelta(1)
            while one.weekday() > 4:
                one += timedelta(1)
        return one

    yield File("float_date", SMALL).ask(
        f"select d, float_date(cast(d as date), 0), float_date(cast(d as date), 2) from (values {asked}) t(d)",
        [(one, floated(one, 0), floated(one, 2)) for one in days])
    pairs = [(a, b, on) for a, b in (("EUR", "USD"), ("USD", "EUR"), ("EUR", "EUR"), ("EUR", "GBP"))
             for on in (date(2026, 3, 11), date(2026, 3, 12), date(2026, 3, 13), date(2026, 3, 18), date(2026, 3, 25))]
    asked = ", ".join(f"('{a}', '{b}', '{on}')" for a, b, on in pairs)
    given = f"from (values {asked}) t(a, b, d)"
    known = [(a, b, on, rate(run, a, b, on)) for a, b, on in pairs]
    yield File("exchange_rate", SMALL).ask(f"select a, b, d, exchange_rate(a, b, cast(d as date)) {given}", known)
    yield File("exchange_rate_source", SMALL).ask(
        f"select a, b, d, exchange_rate_source(a, b, cast(d as date)) is null {given}",
        [(a, b, on, one is None) for a, b, on, one in known])
    amount = Decimal("1234.56")

    def converted(a, b, on):
        # Turned round, the amount is divided by the rate as it was loaded.
        there, back = rate(run, a, b, on), rate(run, b, a, on)
        if there is None:
            return None
        return rounded(amount / back if (a, b) == ("USD", "EUR") else amount * there, 2)

    yield File("convert", SMALL).ask(
        f"select a, b, d, convert({amount}, a, b, cast(d as date)) {given}",
        [(a, b, on, converted(a, b, on)) for a, b, on in pairs])


def main():
    tieout = Path(sys.argv[sys.argv.index("--tieout") + 1]) if "--tieout" in sys.argv else ROOT / "target/release/tieout"
    with tempfile.TemporaryDirectory() as scratch:
        small, morning, day_ = (Run(tieout, data, f"{scratch}/{n}") for n, data in enumerate((SMALL, MORNING, DURING)))
        files = [*accounts(small), *cash(small), *during(day_), *receivables(small, morning), *exposure(small),
                 *payments(morning), *functions(small)]
    others = []
    for file in files:
        path = HERE / f"{file.name}.slt"
        if not path.exists() or path.read_text() != file.text:
            others.append(path.name)
            if "--write" in sys.argv:
                path.write_text(file.text)
    stray = {path.name for path in HERE.glob("*.slt")} - {f"{file.name}.slt" for file in files}
    print(f"{len(files)} files; not as counted here: {', '.join(others) or 'none'}; strays: {', '.join(stray) or 'none'}")
    return 1 if (others and "--write" not in sys.argv) or stray else 0


if __name__ == "__main__":
    sys.exit(main())
