"""The treasury's views and functions in the SQL of DuckDB and PostgreSQL, made from `treasury/views`.

The tables have the same names in all three: the schema `history` has every row, `public` (`main` in
DuckDB) those that no reversal names.
"""

import re

from measuring import ROOT

VIEWS = ROOT / "treasury" / "views"
# Rows of a table that a later posting reverses, and what names one; see treasury/src/session.rs.
REVERSED = {
    "payments": ("payment", "payment_id"),
    "applications": ("payment", "payment_id"),
    "exceptions": ("payment", "payment_id"),
    "duplicates": ("payment", "payment_id"),
    "evidence": ("payment", "payment_id"),
    "open_items": ("item", "item_id"),
    "parties": ("party", "party_id"),
}
NEWEST = {"accounts": "account", "exchange_rates": "rate_date, base_currency, quote_currency"}
CALLED = ("candidates", "explain_payment")
# Monday, from which weekdays are counted.
MONDAY = "date '1970-01-05'"


def views() -> dict:
    """The SQL of each view, without its head."""
    read = lambda path: "\n".join(line for line in path.read_text().splitlines() if not line.startswith("--"))
    return {path.stem: read(path) for path in sorted(VIEWS.glob("*.sql"))}


def holding(table: str) -> str:
    """The rows of a table that hold."""
    if table in REVERSED:
        what, key = REVERSED[table]
        return (
            f"select t.* from history.{table} t where not exists (select 1 from history.reversals r "
            f"where r.what = '{what}' and r.id = t.{key} and r.reversed_posting = t.posting)"
        )
    if table in NEWEST:
        return (
            f"select * from (select *, row_number() over (partition by {NEWEST[table]} "
            f"order by posting desc, source_file desc, source_line desc) as place from history.{table}) t where place = 1"
        )
    return f"select * from history.{table}"


def common(sql: str, payment: str) -> str:
    sql = re.sub(r"(\w+)\(\$as_of\)", r"\1", sql)
    sql = sql.replace("$as_of", "(select as_of from books)")
    sql = sql.replace("$reporting_currency", "(select reporting_currency from books)")
    sql = sql.replace("$payment_id", f"'{payment}'")
    return re.sub(r"generate_series\(1, 64\) n\b", "generate_series(1, 64) n(value)", sql)


def for_duckdb(sql: str, payment: str) -> str:
    sql = common(sql, payment).replace("regexp_like(", "regexp_matches(")
    return re.sub(r"\b(first|last)_value\((amount order by)", r"\1(\2", sql)


def for_postgres(sql: str, payment: str) -> str:
    sql = common(sql, payment).replace("as double)", "as double precision)")
    sql = sql.replace("s.entity is not distinct from o.entity", "coalesce(s.entity, '') = coalesce(o.entity, '')")

    def picked(found: re.Match) -> str:
        keys = "posting, source_file, source_line"
        if found[1] == "last":
            keys = keys.replace(",", " desc,") + " desc"
        return f"(array_agg(amount order by {keys}) {found[2]})[1] as"

    pattern = r"(first|last)_value\(amount order by posting, source_file, source_line\) (filter \(where .*?\)+)\s+as"
    return re.sub(pattern, picked, sql, flags=re.DOTALL)


def functions(codes: dict, is_postgres: bool) -> list:
    """The functions that the views call. `codes` has the description of each bank's code in the data."""
    days = f"(cast(d as date) - {MONDAY})"
    whole = "/" if is_postgres else "//"
    weekdays = lambda day: f"(({day} - {MONDAY}) {whole} 7 * 5 + least(({day} - {MONDAY}) % 7 + 1, 5))"
    described = lambda kind: " ".join(
        f"when '{code}' then '{texts[kind]}'" for code, texts in codes.items() if texts[kind]
    ) or "when '' then null"
    rate = (
        "case when a = b then 1 else (select r.rate from exchange_rates r where r.base_currency = a "
        "and r.quote_currency = b and r.rate_date <= d and r.rate_date >= d - 7 order by r.rate_date desc limit 1) end"
    )
    made = {
        "bai_type(c text)": ("text", f"case c {described('bai')} end"),
        "iso_code(c text)": ("text", f"case c {described('iso')} end"),
        "business_days(a date, b date)": ("bigint", f"{weekdays('b')} - {weekdays('a')}"),
        "float_date(d date, n int)": ("date", f"d + cast(case {days} % 7 when 5 then 2 when 6 then 1 else 0 end as int)"),
        "exchange_rate(a text, b text, d date)": ("numeric", rate),
        "exchange_rate_source(a text, b text, d date)": ("text", f"case when ({rate}) is not null then 'known' end"),
        "convert(m numeric, a text, b text, d date)": ("numeric", f"round(m * ({rate}), 2)"),
    }
    sql = []
    for head, (gives, body) in made.items():
        if is_postgres:
            # Text-bodied, so that the planner puts it in place.
            head = head.replace("convert(", "public.convert(")
            sql.append(f"create function {head} returns {gives} language sql stable as $f$ select cast({body} as {gives}) $f$")
        else:
            head = re.sub(r"(\w) \w+(?=[,)])", r"\1", head)
            sql.append(f"create macro {head} as ({body})")
    return sql
