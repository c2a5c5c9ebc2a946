"""FEBRL 4 with Splink: febrl_splink.py LEFT RIGHT OUT.

The extended model of Splink's documentation: the same blocking rules, comparisons and training.
"""

import sys

import pandas
import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

NAMES = [
    {"sql_condition": "(given_name_l IS NULL OR given_name_r IS NULL) and (surname_l IS NULL OR surname_r IS NULL)",
     "label_for_charts": "Null", "is_null_level": True},
    cll.ExactMatchLevel("full_name", term_frequency_adjustments=True),
    cll.JaroWinklerLevel("full_name", 0.9),
    cll.JaroWinklerLevel("full_name", 0.7),
    cll.ColumnsReversedLevel("given_name", "surname"),
    {"sql_condition": "jaro_winkler_similarity(given_name_l, surname_r) + "
                      "jaro_winkler_similarity(surname_l, given_name_r) >= 1.8", "label_for_charts": "switched >= 1.8"},
    {"sql_condition": "jaro_winkler_similarity(given_name_l, surname_r) + "
                      "jaro_winkler_similarity(surname_l, given_name_r) >= 1.4", "label_for_charts": "switched >= 1.4"},
    cll.ExactMatchLevel("given_name", term_frequency_adjustments=True),
    cll.ExactMatchLevel("surname", term_frequency_adjustments=True),
    {"sql_condition": "given_name_l = surname_r OR surname_l = given_name_r", "label_for_charts": "single name crossed"},
    cll.JaroWinklerLevel("given_name", 0.9),
    cll.JaroWinklerLevel("surname", 0.9),
    cll.ElseLevel(),
]


def edits(column: str, most: int) -> dict:
    levels = [cll.NullLevel(column), cll.ExactMatchLevel(column, term_frequency_adjustments=True)]
    levels += [cll.DamerauLevenshteinLevel(column, count) for count in range(1, most + 1)]
    return {"output_column_name": column, "comparison_levels": [*levels, cll.ElseLevel()]}


def people(file: str) -> pandas.DataFrame:
    frame = pandas.read_csv(file, skipinitialspace=True, dtype=str)
    frame["full_name"] = frame["given_name"] + "_" + frame["surname"]
    return frame


def main() -> None:
    left, right, out = sys.argv[1:]
    settings = SettingsCreator(
        unique_id_column_name="rec_id", link_type="link_only",
        blocking_rules_to_generate_predictions=[
            block_on("given_name", "surname"), "l.given_name = r.surname and l.surname = r.given_name",
            block_on("date_of_birth"), block_on("soc_sec_id"), block_on("state", "address_1"),
            block_on("street_number", "address_1"), block_on("postcode"),
        ],
        comparisons=[
            {"output_column_name": "full_name", "comparison_levels": NAMES},
            cl.DateOfBirthComparison("date_of_birth", input_is_string=True, datetime_format="%Y%m%d",
                                     invalid_dates_as_null=True),
            edits("soc_sec_id", 2), edits("street_number", 1), edits("postcode", 2),
        ],
    )
    linker = Linker([people(left), people(right)], settings, DuckDBAPI())
    sure = [block_on("soc_sec_id"), block_on("given_name", "surname", "date_of_birth")]
    linker.training.estimate_probability_two_random_records_match(sure, recall=0.8)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e7, seed=1)
    for rule in ("date_of_birth", "postcode"):
        linker.training.estimate_parameters_using_expectation_maximisation(
            block_on(rule), estimate_without_term_frequencies=True)
    found = linker.inference.predict(threshold_match_probability=0.01).as_pandas_dataframe()
    found = found.rename(columns={"match_probability": "probability", "rec_id_l": "left", "rec_id_r": "right"})
    found[["probability", "left", "right"]].to_csv(out, index=False)


main()
