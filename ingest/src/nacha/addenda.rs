//! The addenda of an entry.

use std::ops::RangeInclusive;

use tieout_core::QuarantineReason;

use super::entry::Refusal;
use super::record::Fields;

/// Bytes of payment information that an entry may have: room for 9,999 addenda of 80 characters.
pub(super) const PAYMENT_BYTES_MAX: usize = 1 << 20;
/// Columns of payment information in an addendum.
const PAYMENT_COLUMNS: usize = 80;

/// What the addenda of one entry say; kept from entry to entry for its memory.
#[derive(Debug, Default)]
pub(super) struct Addenda {
    /// The payment information, whose pieces are not trimmed: a word may run from one to the
    /// next.
    pub payment: String,
    /// Where the card was used.
    pub terminal: String,
    pub word: Option<Word>,
    pub international: International,
    pub count: u64,
    /// Those of the count that an international entry may have, and need not.
    pub optional: u64,
    sequence: u64,
}

/// A return or a notification of change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub line: u64,
    pub is_return: bool,
    /// `R01`, `C02`.
    pub reason: String,
    pub original_trace: String,
    /// Eight digits.
    pub original_bank: String,
    pub information: String,
}

impl Word {
    /// The originator's bank sends a return back as wrong (R61 to R70); then it is the receiver's
    /// bank that gets the entry.
    pub fn is_dishonored(&self) -> bool {
        number_of(&self.reason).is_some_and(|number| self.is_return && is_dishonored(number))
    }

    pub fn is_listed(&self) -> bool {
        let Some(number) = number_of(&self.reason) else {
            return false;
        };
        match self.reason.as_bytes().first() {
            Some(b'R') => self.is_return && (1..=85).contains(&number),
            Some(b'C') => !self.is_return && [1..=14, 61..=69].iter().any(|l| l.contains(&number)),
            _ => false,
        }
    }
}

const CONTESTED: RangeInclusive<u8> = 71..=77;

const fn is_dishonored(number: u8) -> bool {
    61 <= number && number <= 70
}

fn number_of(reason: &str) -> Option<u8> {
    reason.get(1..)?.parse().ok()
}

/// Names that an international entry has in its addenda.
#[derive(Debug, Default)]
pub(super) struct International {
    /// `BUS`, `SAL`, `ANN`, ...
    pub purpose: String,
    pub foreign_trace: String,
    pub receiver: String,
    pub originator: String,
    pub originating_bank: String,
    pub receiving_bank: String,
    pub identification: String,
}

impl International {
    fn clear(&mut self) {
        for text in [
            &mut self.purpose,
            &mut self.foreign_trace,
            &mut self.receiver,
            &mut self.originator,
            &mut self.originating_bank,
            &mut self.receiving_bank,
            &mut self.identification,
        ] {
            text.clear();
        }
    }
}

/// What is odd about an addendum that was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Irregular {
    pub is_out_of_sequence: bool,
    pub is_of_another: bool,
}

impl Addenda {
    /// Forgets what the entry before had.
    pub fn clear(&mut self) {
        if self.count == 0 && self.word.is_none() {
            return;
        }
        self.payment.clear();
        self.terminal.clear();
        self.word = None;
        self.international.clear();
        self.count = 0;
        self.optional = 0;
        self.sequence = 0;
    }

    /// Adds the addendum of the entry with trace number `trace`.
    ///
    /// # Errors
    /// The reason for quarantine.
    pub fn add(
        &mut self,
        fields: Fields<'_>,
        line: u64,
        trace: &str,
    ) -> Result<Irregular, Refusal> {
        let kind = fields.columns(2, 3);
        let irregular = match kind {
            "02" => self.add_terminal(fields, trace),
            "05" | "17" => self.add_payment(fields, trace)?,
            "10" | "11" | "12" | "13" | "14" | "15" | "16" => {
                self.add_international(kind, fields);
                Irregular::of_entry(fields, trace)
            }
            // The banks between; the money does not stop there.
            "18" => Irregular::of_entry(fields, trace),
            "98" | "99" => {
                self.add_word(kind == "99", fields, line)?;
                return Ok(Irregular::default());
            }
            _ => {
                let message =
                    format!("an addendum of type `{kind}`, expected 02, 05, 10 to 18, 98 or 99");
                return Err((QuarantineReason::UnknownRecord, message));
            }
        };
        self.count += 1;
        self.optional += u64::from(matches!(kind, "17" | "18"));
        Ok(irregular)
    }

    fn add_terminal(&mut self, fields: Fields<'_>, trace: &str) -> Irregular {
        for word in fields.columns(4, 79).split_ascii_whitespace() {
            if !self.terminal.is_empty() {
                self.terminal.push(' ');
            }
            self.terminal.push_str(word);
        }
        Irregular {
            is_of_another: fields.trimmed(80, 94) != trace,
            ..Irregular::default()
        }
    }

    fn add_payment(&mut self, fields: Fields<'_>, trace: &str) -> Result<Irregular, Refusal> {
        let text = fields.columns(4, 83);
        if self.payment.len() + text.len().max(PAYMENT_COLUMNS) > PAYMENT_BYTES_MAX {
            let message = "the entry has more than 1 MiB of addenda; the text before is read";
            return Err((QuarantineReason::TooLong, message.to_owned()));
        }
        self.payment.push_str(text);
        if text.len() < PAYMENT_COLUMNS {
            let missing = PAYMENT_COLUMNS.saturating_sub(text.chars().count());
            self.payment.extend(std::iter::repeat_n(' ', missing));
        }
        self.sequence += 1;
        Ok(Irregular {
            is_out_of_sequence: fields.number(84, 87) != Some(self.sequence),
            ..Irregular::of_entry(fields, trace)
        })
    }

    fn add_international(&mut self, kind: &str, fields: Fields<'_>) {
        let names = &mut self.international;
        let target: &mut [(&mut String, usize, usize)] = match kind {
            "10" => &mut [
                (&mut names.purpose, 4, 6),
                (&mut names.foreign_trace, 25, 46),
                (&mut names.receiver, 47, 81),
            ],
            "11" => &mut [(&mut names.originator, 4, 38)],
            "13" => &mut [(&mut names.originating_bank, 41, 74)],
            "14" => &mut [(&mut names.receiving_bank, 41, 74)],
            "15" => &mut [(&mut names.identification, 4, 18)],
            // Cities of both sides.
            _ => &mut [],
        };
        for (text, first, last) in target {
            text.clear();
            text.push_str(fields.trimmed(*first, *last));
        }
    }

    fn add_word(&mut self, is_return: bool, fields: Fields<'_>, line: u64) -> Result<(), Refusal> {
        if self.word.is_some() {
            let message = "a second return or change of the same entry; the first is read";
            return Err((QuarantineReason::MisplacedRecord, message.to_owned()));
        }
        let reason = fields.trimmed(4, 6);
        let is_international = !self.international.purpose.is_empty();
        let information = match number_of(reason) {
            Some(number) if is_return && is_dishonored(number) => dishonored(fields),
            Some(number) if is_return && CONTESTED.contains(&number) => contested(fields),
            _ if is_return && is_international => fields.trimmed(46, 79).to_owned(),
            _ => single_spaced(fields.columns(36, 79)),
        };
        let died = fields.trimmed(22, 27);
        let has_died = matches!(reason, "R14" | "R15") && died.bytes().any(|byte| byte != b'0');
        self.word = Some(Word {
            line,
            is_return,
            reason: reason.to_owned(),
            original_trace: fields.trimmed(7, 21).to_owned(),
            original_bank: fields.trimmed(28, 35).to_owned(),
            information: if has_died {
                format!("{information} (died {died})")
                    .trim_start()
                    .to_owned()
            } else {
                information
            },
        });
        Ok(())
    }

    /// Whether it has anything that makes the entry what it is.
    pub fn is_empty(&self) -> bool {
        self.count == 0 && self.word.is_none()
    }
}

impl Irregular {
    /// An addendum repeats the last seven digits of its entry's trace number.
    fn of_entry(fields: Fields<'_>, trace: &str) -> Self {
        Self {
            is_of_another: !trace.ends_with(fields.columns(88, 94)),
            is_out_of_sequence: false,
        }
    }
}

/// What a dishonored return says of the return that it sends back.
fn dishonored(fields: Fields<'_>) -> String {
    let (trace, reason) = (fields.trimmed(39, 53), fields.trimmed(57, 58));
    let text = single_spaced(fields.columns(59, 79));
    format!("return {trace} R{reason} {text}")
        .trim_end()
        .to_owned()
}

/// What a contested return says of the return and of its dishonor.
fn contested(fields: Fields<'_>) -> String {
    let (trace, reason) = (fields.trimmed(39, 53), fields.trimmed(57, 58));
    let (dishonor, why) = (fields.trimmed(59, 73), fields.trimmed(77, 78));
    format!("return {trace} R{reason} dishonored {dishonor} R{why}")
}

/// The words of `text` with one blank between them.
pub(super) fn single_spaced(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len());
    for word in text.split_ascii_whitespace() {
        if !spaced.is_empty() {
            spaced.push(' ');
        }
        spaced.push_str(word);
    }
    spaced
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::record::Record;
    use super::*;

    fn add(addenda: &mut Addenda, text: &str) -> Result<Irregular, Refusal> {
        let record = Record::of(text.as_bytes());
        addenda.add(record.fields(), 7, "091000010000042")
    }

    #[test]
    fn pieces_are_joined_as_they_stand() {
        let mut addenda = Addenda::default();
        let first = format!("705{:80}00010000042", "RMR*IV*INV-4 711");
        assert_eq!(add(&mut addenda, &first), Ok(Irregular::default()));
        let odd = add(&mut addenda, &format!("705{:80}00030000043", "**5.00\\")).unwrap();
        assert!(odd.is_out_of_sequence && odd.is_of_another);
        assert_eq!(addenda.payment.len(), 2 * PAYMENT_COLUMNS);
        assert_eq!(single_spaced(&addenda.payment), "RMR*IV*INV-4 711 **5.00\\");
        // Blanks that were stripped at the end of the line come back.
        addenda.clear();
        add(&mut addenda, "705ABC").unwrap();
        assert_eq!(addenda.payment.len(), PAYMENT_COLUMNS);
    }

    #[test]
    fn payment_information_has_a_limit() {
        let mut addenda = Addenda::default();
        let line = format!("705{}", "x".repeat(PAYMENT_COLUMNS));
        for _ in 0..PAYMENT_BYTES_MAX / PAYMENT_COLUMNS {
            add(&mut addenda, &line).unwrap();
        }
        let refused = add(&mut addenda, &line).unwrap_err();
        assert_eq!(refused.0, QuarantineReason::TooLong);
        assert!(addenda.payment.len() <= PAYMENT_BYTES_MAX);
    }

    #[test]
    fn words_say_what_comes_back_and_why() {
        let mut addenda = Addenda::default();
        let text =
            "799R68091000010000042      12104288   121042880000007075 01Too late             ";
        add(&mut addenda, &text.replace("075 01", "07501")).unwrap();
        let word = addenda.word.clone().unwrap();
        assert!(word.is_dishonored() && word.is_listed());
        assert_eq!(word.information, "return 121042880000007 R01 Too late");
        let again = add(&mut addenda, text).unwrap_err();
        assert_eq!(again.0, QuarantineReason::MisplacedRecord);
    }
}
