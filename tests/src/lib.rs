//! Whole-system tests of tieout, in `tests/tests/system`; there is nothing here to link.
