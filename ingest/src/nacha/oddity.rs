//! What is unusual in entries: told once a file, with how often it occurs.

use tieout_core::{FindingCode, Severity};

use crate::format::Stopped;
use crate::intake::{Intake, Notice};

/// A kind of oddity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Oddity {
    UnlistedKind,
    UnreadDate,
    WrongClass,
    OtherBatchNumber,
    CheckDigit,
    MoneyInTrial,
    TraceOrder,
    AddendaIndicator,
    AddendaCount,
    AddendaSequence,
    AddendaOfAnother,
    NoReason,
    UnknownReason,
    UnreadRemittance,
    RemittanceTotal,
    DocumentTotal,
    DocumentMisfit,
    OtherCurrency,
    Converted,
}

struct Words {
    oddity: Oddity,
    severity: Severity,
    code: FindingCode,
    /// What is counted.
    found: &'static str,
    expected: &'static str,
    action: &'static str,
}

const WORDS: [Words; 19] = [
    Words {
        oddity: Oddity::UnlistedKind,
        severity: Severity::Warning,
        code: FindingCode::UnknownCode,
        found: "batches of an unknown type",
        expected: "a standard entry class code",
        action: "Their entries were read as those of PPD; check their references and names.",
    },
    Words {
        oddity: Oddity::UnreadDate,
        severity: Severity::Warning,
        code: FindingCode::UnreadValue,
        found: "dates that are none",
        expected: "YYMMDD",
        action: "The date is taken from elsewhere in the file or left empty; ask the originator.",
    },
    Words {
        oddity: Oddity::WrongClass,
        severity: Severity::Warning,
        code: FindingCode::UnexpectedRecord,
        found: "entries whose batch does not allow their direction",
        expected: "credits in 220, debits in 225, both in 200",
        action: "They were read by their transaction code; ask the originator.",
    },
    Words {
        oddity: Oddity::OtherBatchNumber,
        severity: Severity::Warning,
        code: FindingCode::UnexpectedRecord,
        found: "batch controls that name another class, company, bank or batch than the header",
        expected: "the values of the header",
        action: "Records between them may be missing; compare with the originator's file.",
    },
    Words {
        oddity: Oddity::CheckDigit,
        severity: Severity::Warning,
        code: FindingCode::CheckDigit,
        found: "routing numbers with a wrong check digit",
        expected: "weights 3, 7, 1",
        action: "They are kept as written; ask for the right routing number.",
    },
    Words {
        oddity: Oddity::MoneyInTrial,
        severity: Severity::Warning,
        code: FindingCode::UnexpectedRecord,
        found: "prenotes or entries without money that have an amount",
        expected: "an amount of zero",
        action: "The amount is kept, as information only.",
    },
    Words {
        oddity: Oddity::TraceOrder,
        severity: Severity::Info,
        code: FindingCode::OverflowSequence,
        found: "trace numbers that do not ascend",
        expected: "ascending trace numbers in a batch",
        action: "Nothing to do; some banks do not renumber.",
    },
    Words {
        oddity: Oddity::AddendaIndicator,
        severity: Severity::Warning,
        code: FindingCode::UnexpectedRecord,
        found: "entries whose addenda indicator does not agree with what follows",
        expected: "1 if addenda follow, otherwise 0",
        action: "What follows was read; addenda may be missing.",
    },
    Words {
        oddity: Oddity::AddendaCount,
        severity: Severity::Warning,
        code: FindingCode::ControlCount,
        found: "entries with another number of addenda than they say",
        expected: "as many addenda as the entry says",
        action: "What is there was read; ask for the missing addenda.",
    },
    Words {
        oddity: Oddity::AddendaSequence,
        severity: Severity::Warning,
        code: FindingCode::OverflowSequence,
        found: "addenda out of sequence",
        expected: "numbers from 1 without a gap",
        action: "They were put together in the order of the file; text may be missing.",
    },
    Words {
        oddity: Oddity::AddendaOfAnother,
        severity: Severity::Warning,
        code: FindingCode::UnexpectedRecord,
        found: "addenda that name another entry than the one before them",
        expected: "the last seven digits of the entry's trace number",
        action: "They were read with the entry before them; check whether one is missing.",
    },
    Words {
        oddity: Oddity::NoReason,
        severity: Severity::Warning,
        code: FindingCode::MissingRecord,
        found: "returns or changes without their addendum",
        expected: "an addendum 98 or 99 behind the entry",
        action: "They were read as returns without a reason; ask the bank for it.",
    },
    Words {
        oddity: Oddity::UnknownReason,
        severity: Severity::Info,
        code: FindingCode::UnknownCode,
        found: "reason codes that are not listed",
        expected: "R01 to R85, C01 to C14 or C61 to C69",
        action: "They are kept as written; look them up in the bank's guide.",
    },
    Words {
        oddity: Oddity::UnreadRemittance,
        severity: Severity::Warning,
        code: FindingCode::UnreadValue,
        found: "entries with amounts, dates or currencies in their remittance that do not read",
        expected: "decimal numbers, CCYYMMDD, a currency of three letters",
        action: "Their documents lack them; the text is kept whole.",
    },
    Words {
        oddity: Oddity::RemittanceTotal,
        severity: Severity::Error,
        code: FindingCode::ControlTotal,
        found: "entries whose remittance is about another total",
        expected: "the entry's amount in the payment segment (BPR)",
        action: "The entry's amount counts; ask the payer what the payment is for.",
    },
    Words {
        oddity: Oddity::DocumentTotal,
        severity: Severity::Error,
        code: FindingCode::ControlTotal,
        found: "entries whose documents do not add up",
        expected: "documents and adjustments that add up to the payment",
        action: "The documents are kept as written; ask the payer for the missing ones.",
    },
    Words {
        oddity: Oddity::DocumentMisfit,
        severity: Severity::Warning,
        code: FindingCode::ControlTotal,
        found: "entries with documents whose net is not gross less discount plus adjustments",
        expected: "documents that add up",
        action: "The net counts; ask the payer about the deduction.",
    },
    Words {
        oddity: Oddity::OtherCurrency,
        severity: Severity::Warning,
        code: FindingCode::CurrencyConflict,
        found: "entries with documents in another currency than their payment",
        expected: "one currency a payment",
        action: "Their amounts count in the payment's currency; ask the payer for the conversion.",
    },
    Words {
        oddity: Oddity::Converted,
        severity: Severity::Info,
        code: FindingCode::ConvertedCharacters,
        found: "records that are not UTF-8",
        expected: "UTF-8",
        action: "They were read as Windows-1252.",
    },
];

/// Where a kind occurs first, how often, and what it looks like there.
struct Seen {
    line: u64,
    count: u64,
    example: String,
}

/// The oddities of a file.
#[derive(Default)]
pub(super) struct Oddities([Option<Seen>; WORDS.len()]);

impl Oddities {
    /// Counts one on `line`; `example` is asked for the first.
    pub fn count(&mut self, oddity: Oddity, line: u64, example: impl FnOnce() -> String) {
        match &mut self.0[oddity as usize] {
            Some(seen) => seen.count += 1,
            none => {
                *none = Some(Seen {
                    line,
                    count: 1,
                    example: example(),
                });
            }
        }
    }

    /// Tells them all.
    ///
    /// # Errors
    /// [`Stopped`] if nothing more is wanted.
    pub fn report(mut self, intake: &mut Intake<'_>) -> Result<(), Stopped> {
        for words in &WORDS {
            let Some(seen) = self.0[words.oddity as usize].take() else {
                continue;
            };
            let example = if seen.example.is_empty() {
                String::new()
            } else {
                format!(" ({})", seen.example)
            };
            intake.report(Notice {
                severity: words.severity,
                code: words.code,
                line: Some(seen.line),
                found: format!("{}: {}, the first here{example}", words.found, seen.count),
                expected: words.expected.to_owned(),
                action: words.action.into(),
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_oddity_has_words() {
        for (place, words) in WORDS.iter().enumerate() {
            assert_eq!(words.oddity as usize, place);
        }
    }
}
