"""One run of the Splink peer: splink_peer.py customers|job BOOKS BANK OUT THREADS.

`customers` links each payment to a customer by name and account and writes customers.csv (payment's
file and line, customer). `job` goes on: references to open items with Splink, then the assignment, checks
and outputs of quick.sql, whose two joins (names, references) Splink replaces.
"""

import logging
import pathlib
import sys
import warnings

import duckdb
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

HERE = pathlib.Path(__file__).resolve().parent
# A partner less probable is none.
PROBABILITY = 0.95

CUSTOMER_TABLES = """
CREATE TABLE left_names AS
SELECT pid AS unique_id, plain(payer_name) AS name, payer_account AS account, split_part(plain(payer_name), ' ', 1) AS w1,
       split_part(plain(payer_name), ' ', 2) AS w2 FROM payment;
CREATE TABLE right_names AS
SELECT row_number() OVER () AS unique_id, p.party, p.root, p.name, a.account, split_part(p.name, ' ', 1) AS w1,
       split_part(p.name, ' ', 2) AS w2 FROM party p LEFT JOIN account a ON a.party = p.party;
"""
CUSTOMERS_FOUND = """
CREATE TABLE customer AS
WITH pair AS (SELECT unique_id_l AS pid, r.party, r.root, max(match_probability) AS probability
              FROM {pairs} JOIN right_names r ON r.unique_id = unique_id_r GROUP BY ALL)
SELECT pid, arg_max(party, probability) AS party, arg_max(root, probability) AS root
FROM pair GROUP BY pid HAVING max(probability) >= {least}
"""
ITEM_TABLES = """
UPDATE payment SET party = c.party, root = c.root FROM customer c WHERE c.pid = payment.pid AND payment.party IS NULL;
CREATE TABLE left_items AS
SELECT r.ref AS unique_id, r.digits::VARCHAR AS digits, p.root, coalesce(r.net, CASE WHEN n.refs = 1 THEN p.amount END) AS amount
FROM reference r JOIN payment p USING (pid) JOIN (SELECT pid, count(*) AS refs FROM reference GROUP BY pid) n USING (pid);
CREATE TABLE right_items AS
SELECT item AS unique_id, digits::VARCHAR AS digits, root, open AS amount FROM item;
"""
ITEMS_FOUND = """
CREATE TEMP TABLE found AS
WITH pair AS (SELECT unique_id_l AS ref, unique_id_r AS item, match_probability AS probability FROM {pairs}
              WHERE match_probability >= {least}
              QUALIFY row_number() OVER (PARTITION BY unique_id_l ORDER BY match_probability DESC, unique_id_r) = 1)
SELECT r.pid, r.ref, i.item, i.party, i.open, i.discount, r.net, r.deduction
FROM pair JOIN reference r USING (ref) JOIN item i USING (item)
"""


def linked(connection, tables: list, comparisons: list, blocking: list, sure: list, training: list) -> str:
    """The table of the pairs that Splink predicts."""
    settings = SettingsCreator(link_type="link_only", comparisons=comparisons, blocking_rules_to_generate_predictions=blocking)
    linker = Linker(tables, settings, DuckDBAPI(connection=connection))
    linker.training.estimate_probability_two_random_records_match(sure, recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for rule in training:
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    return linker.inference.predict(threshold_match_probability=0.5).physical_name


def customers(connection) -> None:
    connection.execute(CUSTOMER_TABLES)
    pairs = linked(
        connection, ["left_names", "right_names"],
        [cl.JaroWinklerAtThresholds("name", [0.95, 0.88]).configure(term_frequency_adjustments=True), cl.ExactMatch("account")],
        [block_on("account"), block_on("w1"), block_on("w2")], [block_on("account"), block_on("name")],
        [block_on("w1"), block_on("account")])
    connection.execute(CUSTOMERS_FOUND.format(pairs=pairs, least=PROBABILITY))


def items(connection) -> None:
    connection.execute(ITEM_TABLES)
    pairs = linked(
        connection, ["left_items", "right_items"],
        [cl.LevenshteinAtThresholds("digits", [1]), cl.ExactMatch("amount"), cl.ExactMatch("root")],
        [block_on("digits"), block_on("root", "amount")], [block_on("digits", "root"), block_on("digits", "amount")],
        [block_on("digits"), block_on("root", "amount")])
    connection.execute(ITEMS_FOUND.format(pairs=pairs, least=PROBABILITY))


def main() -> None:
    warnings.simplefilter("ignore")
    logging.getLogger("splink").setLevel(logging.ERROR)
    job, books, bank, out, threads = sys.argv[1:]
    pathlib.Path(out).mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    connection.execute(f"SET threads = {int(threads)}")
    for name, value in (("books", books), ("bank", bank), ("out", out)):
        connection.execute(f"SET VARIABLE {name} = '{value}'")
    for statement in connection.extract_statements((HERE / "quick.sql").read_text()):
        text = statement.query
        if "CREATE TEMP TABLE resubmitted" in text:
            customers(connection)
            if job == "customers":
                connection.execute("COPY (SELECT file, line, 'C' || c.party AS party_id FROM payment JOIN customer c "
                                   "USING (pid)) TO (getvariable('out') || '/customers.csv') (HEADER)")
                return
        if "CREATE TEMP TABLE found" in text:
            items(connection)
        elif "CREATE TEMP TABLE payer" in text:
            connection.execute("CREATE TEMP TABLE payer AS SELECT pid, party, root FROM payment WHERE party IS NOT NULL")
        else:
            connection.execute(statement)


main()
