//! Field 86: what a line's text says of who paid, and what for.
//!
//! Four forms are told by their shape: the German one (a business transaction code, a separator
//! and numbered subfields), code words between slashes, text with words in it, and anything else.

use tieout_core::check_digits::{is_iso_11649, is_swiss_qr};
use tieout_core::{Amount, Currency, Direction};

use super::joining::{join, length, separate, unbroken};
use super::values;
use super::words::{PARTS, Part, TABLES, Words};

/// Characters of a full subfield of the German form: the writer broke the text here, not between
/// two words.
const FULL_SUBFIELD: usize = 27;
/// Subfields of the purpose before the further ones.
const PURPOSE_SUBFIELDS: usize = 10;

/// The parts of a text. Its buffers are used again for the next one.
#[derive(Default)]
pub(super) struct Narrative {
    values: [Vec<u8>; PARTS],
    joined: Vec<u8>,
    creditor_reference: Vec<u8>,
    /// The German business transaction code, or empty.
    pub business_code: Vec<u8>,
    /// Whose name `/NAME/` gives: that of the party named just before.
    party: Option<Part>,
}

impl Narrative {
    pub fn clear(&mut self) {
        self.values.iter_mut().for_each(Vec::clear);
        self.creditor_reference.clear();
        self.business_code.clear();
        self.party = None;
    }

    /// Takes apart the value of a field 86, lines divided by line feeds.
    pub fn read(&mut self, text: &[u8]) {
        self.clear();
        let text = text.trim_ascii();
        if let Some((code, separator, rest)) = business_code(text) {
            self.business_code.extend_from_slice(code);
            match separator {
                Some(separator) => self.read_subfields(rest, separator),
                None => join(rest, &mut self.joined),
            }
        } else {
            join(text, &mut self.joined);
        }
        let joined = std::mem::take(&mut self.joined);
        if begins_with_code_word(&joined) {
            self.read_words(&joined, &TABLES.code_words, |_| true);
        } else {
            self.read_words(&joined, &TABLES.plain, is_between_words);
            self.cut_addresses();
        }
        self.joined = joined;
        self.joined.clear();
        self.find_creditor_reference();
    }

    /// Takes apart the lines `NS` of banks that write beside the standard: each begins with the
    /// number of what it says.
    pub fn read_numbered(&mut self, text: &[u8]) {
        self.clear();
        for line in text.split(|&byte| byte == b'\n') {
            let Some((number, value)) = line.split_at_checked(2) else {
                continue;
            };
            let part = match number {
                [b'0', _] | b"10" | b"11" | b"12" | b"13" | b"14" => Part::Remittance,
                b"15" | b"16" => Part::Name,
                b"17" => Part::BookingText,
                b"33" => Part::Bank,
                b"34" => Part::Account,
                _ => Part::Other,
            };
            let kept = &mut self.values[part as usize];
            separate(kept);
            kept.extend_from_slice(value.trim_ascii());
        }
        self.find_creditor_reference();
    }

    fn read_subfields(&mut self, text: &[u8], separator: u8) {
        let text = unbroken(text);
        let mut open: Option<Part> = None;
        let mut from = 0;
        let mut subfields = 0;
        for at in memchr::memchr_iter(separator, &text) {
            let number = text.get(at + 1..).unwrap_or_default();
            if let Some((part, count)) = TABLES.subfields.at(number) {
                self.add_subfield(open, text.get(from..at).unwrap_or_default());
                (open, from) = (Some(part), at + 1 + count);
                subfields += usize::from(part == Part::Purpose);
            }
        }
        self.add_subfield(open, text.get(from..).unwrap_or_default());
        self.read_purpose(subfields);
        self.joined.clear();
    }

    /// Reads the tags of the purpose. What stands in the further subfields goes on with it if the
    /// first ten are full, and is a text of its own if not.
    fn read_purpose(&mut self, subfields: usize) {
        let mut purpose = std::mem::take(&mut self.values[Part::Purpose as usize]);
        let more = std::mem::take(&mut self.values[Part::MorePurpose as usize]);
        if subfields >= PURPOSE_SUBFIELDS {
            purpose.extend_from_slice(&more);
            self.read_words(&purpose, &TABLES.purpose, |_| true);
        } else {
            self.read_words(&purpose, &TABLES.purpose, |_| true);
            self.read_words(&more, &TABLES.purpose, |_| true);
            separate(&mut purpose);
            purpose.extend_from_slice(&more);
        }
        self.values[Part::Purpose as usize] = purpose;
    }

    fn add_subfield(&mut self, part: Option<Part>, value: &[u8]) {
        let Some(part) = part else {
            self.values[Part::Plain as usize].extend_from_slice(value);
            return;
        };
        let kept = &mut self.values[part as usize];
        if part == Part::Name && value.starts_with(b" ") {
            separate(kept);
            kept.extend_from_slice(value.trim_ascii_start());
        } else {
            kept.extend_from_slice(value);
        }
        let breaks_words = matches!(part, Part::Purpose | Part::MorePurpose | Part::Name);
        if breaks_words && length(value) < FULL_SUBFIELD {
            separate(kept);
        }
    }

    /// Divides a text at the words of a dialect; a word counts where `may_begin` says so of the
    /// text before it.
    fn read_words(&mut self, text: &[u8], words: &Words, may_begin: impl Fn(&[u8]) -> bool) {
        let mut open = Part::Plain;
        let mut from = 0;
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let found = words.at(rest).filter(|_| may_begin(&text[..at]));
            if let Some((part, count)) = found {
                self.add(open, &text[from..at]);
                (open, from) = (part, at + count);
                at = from;
            } else if rest[0] == b'/' && matches!(open, Part::Money | Part::Charges) {
                self.add(open, &text[from..at]);
                (open, from) = (Part::Plain, at + 1);
                at = from;
            } else {
                at += 1 + words.before_next(rest.get(1..).unwrap_or_default());
            }
        }
        self.add(open, text.get(from..).unwrap_or_default());
    }

    fn add(&mut self, part: Part, value: &[u8]) {
        let value = without_separators(value);
        match part {
            Part::Counterparty => return self.add_counterparty(value),
            Part::Remittance => return self.add_remittance(value),
            Part::DebtorName | Part::CreditorName if value.is_empty() => {
                self.party = Some(part);
                return;
            }
            Part::DebtorName | Part::CreditorName
                if value.iter().all(u8::is_ascii_digit) || values::has_iban_shape(value) =>
            {
                return self.set(Part::Account, value);
            }
            Part::DebtorName | Part::CreditorName => return self.add_party(part, value),
            Part::Name => {
                let owner = self.party.take().unwrap_or(Part::Name);
                return self.set(owner, value);
            }
            Part::Plain => {
                let kept = &mut self.values[Part::Plain as usize];
                separate(kept);
                kept.extend_from_slice(value);
                return;
            }
            _ => {}
        }
        self.set(part, value);
    }

    /// The first value of a part counts.
    fn set(&mut self, part: Part, value: &[u8]) {
        let kept = &mut self.values[part as usize];
        if kept.is_empty() {
            kept.extend_from_slice(value);
        }
    }

    /// `USTD//text`, `STRD/kind/reference`, or text.
    fn add_remittance(&mut self, value: &[u8]) {
        let structured = value
            .strip_prefix(b"STRD/CUR/")
            .or_else(|| value.strip_prefix(b"STRD/ISO/"))
            .or_else(|| value.strip_prefix(b"STRD/KID/"));
        if let Some(reference) = structured {
            let end = memchr::memchr(b'/', reference).unwrap_or(reference.len());
            self.creditor_reference.clear();
            self.creditor_reference
                .extend_from_slice(reference[..end].trim_ascii());
        }
        let text = structured
            .or_else(|| value.strip_prefix(b"USTD//"))
            .unwrap_or(value);
        let kept = &mut self.values[Part::Remittance as usize];
        separate(kept);
        kept.extend_from_slice(text);
    }

    /// A name; or, as banks of the Balkans write, an account, a name and what the payment is for,
    /// each after a slash.
    fn add_party(&mut self, part: Part, value: &[u8]) {
        let end = memchr::memmem::find(value, b" /").unwrap_or(0);
        let (account, rest) = value.split_at(end);
        if account.is_empty() || !account.iter().all(u8::is_ascii_digit) {
            return self.set(part, value);
        }
        let rest = rest.get(2..).unwrap_or_default();
        let end = memchr::memmem::find(rest, b" /").unwrap_or(rest.len());
        self.set(Part::Account, account);
        self.set(part, &rest[..end]);
        self.add(Part::Plain, rest.get(end + 2..).unwrap_or_default());
    }

    fn add_counterparty(&mut self, value: &[u8]) {
        let mut parts = value.split(|&byte| byte == b'/');
        for part in [Part::Account, Part::Bank, Part::Name] {
            let value = parts.next().unwrap_or_default().trim_ascii();
            self.set(part, value);
        }
    }

    /// Polish banks write the address behind the name, after two blanks.
    fn cut_addresses(&mut self) {
        for part in [Part::DebtorName, Part::CreditorName] {
            let name = &mut self.values[part as usize];
            if let Some(at) = memchr::memmem::find(name, b"  ") {
                name.truncate(at);
            }
        }
    }

    fn find_creditor_reference(&mut self) {
        if !self.creditor_reference.is_empty() {
            return;
        }
        let words = self
            .remittance()
            .split(|byte| matches!(byte, b' ' | b',' | b';' | b'/'));
        let found = words
            .into_iter()
            .find(|word| is_iso_11649(word) || is_swiss_qr(word));
        self.creditor_reference = found.unwrap_or_default().to_vec();
    }

    /// What the text says of `part`, or nothing.
    pub fn value(&self, part: Part) -> &[u8] {
        self.values[part as usize].trim_ascii()
    }

    fn first_of<const N: usize>(&self, parts: [Part; N]) -> &[u8] {
        let values = parts.into_iter().map(|part| self.value(part));
        values
            .into_iter()
            .find(|value| !value.is_empty())
            .unwrap_or_default()
    }

    /// What the payment is for.
    pub fn remittance(&self) -> &[u8] {
        let tagged = [Part::EndToEndId, Part::MandateId, Part::Remittance];
        let is_tagged = tagged.iter().any(|&part| !self.value(part).is_empty());
        let purpose = self.value(Part::Purpose);
        match self.value(Part::Remittance) {
            b"" if !is_tagged && !purpose.is_empty() => purpose,
            b"" => self.first_of([Part::Plain, Part::BookingText]),
            remittance => remittance,
        }
    }

    /// Who is on the other side of a line of this direction.
    pub fn counterparty_name(&self, direction: Direction) -> &[u8] {
        match direction {
            Direction::Credit => self.first_of([Part::Name, Part::DebtorName, Part::CreditorName]),
            Direction::Debit => self.first_of([Part::Name, Part::CreditorName, Part::DebtorName]),
        }
    }

    /// The account on the other side: an IBAN as it is, another number behind its bank.
    pub fn counterparty_account(&self) -> Vec<u8> {
        let mut account = self.value(Part::Account).to_vec();
        account.retain(|byte| !byte.is_ascii_whitespace());
        let bank = self.value(Part::Bank);
        if values::has_iban_shape(&account) || bank.is_empty() || account.is_empty() {
            return account;
        }
        [bank, b":", &account].concat()
    }

    /// The payer's own reference, or nothing if the text says that there is none; none if the
    /// text says nothing of it.
    pub fn end_to_end_id(&self) -> Option<&[u8]> {
        match self.value(Part::EndToEndId) {
            b"" => None,
            id if values::is_no_reference(id) => Some(b""),
            id => Some(id),
        }
    }

    /// The creditor's reference, if its check digits are right or the text calls it one.
    pub fn creditor_reference(&self) -> &[u8] {
        &self.creditor_reference
    }

    /// Whether the text is about money that came back.
    pub fn is_return(&self) -> bool {
        TABLES.is_return(&self.business_code) || !self.value(Part::ReturnReason).is_empty()
    }

    /// Why money came back; for German returns the extension of the text key.
    pub fn return_reason(&self) -> &[u8] {
        match self.value(Part::ReturnReason) {
            b"" if TABLES.is_return(&self.business_code) => self.value(Part::TextKey),
            reason => reason,
        }
    }

    /// What the bank took off, if it says so in `currency`.
    pub fn charges(&self, currency: Currency) -> Option<Amount> {
        charges(self.value(Part::Charges), currency)
    }
}

/// A currency and an amount, which ends at a slash, if the currency is `currency`.
pub(super) fn charges(text: &[u8], currency: Currency) -> Option<Amount> {
    let (code, rest) = text.split_at_checked(3)?;
    let amount = rest.split(|&byte| byte == b'/').next()?;
    let is_own = code == currency.as_str().as_bytes();
    let charges = values::amount(amount, Some(currency)).filter(|_| is_own);
    charges.map(|charges| charges.value)
}

/// Whether a text has the subfields of the German form.
pub(super) fn has_subfields(text: &[u8]) -> bool {
    matches!(business_code(text.trim_ascii()), Some((_, Some(_), _)))
}

/// The business transaction code of the German form, its separator and what follows. Code 999
/// means text without form behind it; some banks leave the code out.
fn business_code(text: &[u8]) -> Option<(&[u8], Option<u8>, &[u8])> {
    let (code, rest) = match text.split_at_checked(3) {
        Some((code, rest)) if code.iter().all(u8::is_ascii_digit) => (code, rest),
        _ => (&text[..0], text),
    };
    let rest = rest.trim_ascii_start();
    match *rest {
        [] if !code.is_empty() => Some((code, None, rest)),
        [separator, a, b, ..]
            if is_separator(separator) && a.is_ascii_digit() && b.is_ascii_digit() =>
        {
            Some((code, Some(separator), rest))
        }
        [next, ..] if code == b"999" && next.is_ascii_alphabetic() => Some((code, None, rest)),
        _ => None,
    }
}

fn is_separator(byte: u8) -> bool {
    byte.is_ascii_punctuation() && !matches!(byte, b'/' | b'-' | b'.' | b',' | b':' | b'(')
}

/// `/`, two to eight capital letters or digits, `/`.
fn begins_with_code_word(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"/") else {
        return false;
    };
    let length = memchr::memchr(b'/', rest).unwrap_or(0);
    (2..=8).contains(&length)
        && rest[..length]
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

fn is_between_words(before: &[u8]) -> bool {
    before
        .last()
        .is_none_or(|byte| matches!(byte, b' ' | b';' | b'/' | b','))
}

/// The value without blanks at its ends and without what divides it from the next word.
fn without_separators(value: &[u8]) -> &[u8] {
    let end = value
        .iter()
        .rposition(|byte| !matches!(byte, b'/' | b';' | b' '))
        .map_or(0, |last| last + 1);
    value[..end].trim_ascii()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(text: &str) -> Narrative {
        let mut narrative = Narrative::default();
        narrative.read(text.as_bytes());
        narrative
    }

    fn shown(text: &str) -> [String; 5] {
        let narrative = read(text);
        let account = narrative.counterparty_account();
        [
            &narrative.business_code[..],
            narrative.counterparty_name(Direction::Credit),
            &account,
            narrative.end_to_end_id().unwrap_or_default(),
            narrative.remittance(),
        ]
        .map(|value| String::from_utf8(value.to_vec()).unwrap())
    }

    #[test]
    fn the_german_form_is_read_with_any_separator_and_tags_broken_anywhere() {
        assert_eq!(
            shown(
                "166?00CREDIT?100399?20EREF+ORDER-2024-0000123-456?21-END-OF-THE-REFERENCES-X SV?22\n\
                 WZ+Invoice 7, 8 and 9 of Ma?23rch?30BANKDEFF?31DE0212\n0300000000202051?32MILLER?33       SONS"
            )[1..],
            [
                "MILLER SONS",
                "DE02120300000000202051",
                "ORDER-2024-0000123-456-END-OF-THE-REFERENCES-X",
                "Invoice 7, 8 and 9 of March"
            ]
        );
        assert_eq!(
            shown("166>00CREDIT>20EREF+NOTPROVIDED KREF+X7 SVW>21Z+Invoice 77>302345>31990011>32A"),
            ["166", "A", "2345:990011", "", "Invoice 77"]
        );
        assert_eq!(
            shown("051?00TRANSFER?20INVOICE 5?21OF MARCH?32SHOP"),
            ["051", "SHOP", "", "", "INVOICE 5 OF MARCH"]
        );
        assert_eq!(shown("091"), ["091", "", "", "", ""]);
        assert_eq!(
            shown("999PN54CHEQUE 12"),
            ["999", "", "", "", "PN54CHEQUE 12"]
        );
    }

    #[test]
    fn code_words_end_at_the_next_one_and_slashes_in_values_stay() {
        assert_eq!(
            shown(
                "/TRTP/SEPA\nTRANSFER/IBAN/NL02ABNA0123456789/BIC/ABNANL2A/NAME/A B/REMI/USTD//7/8/EREF/E1"
            ),
            ["", "A B", "NL02ABNA0123456789", "E1", "7/8"]
        );
        assert_eq!(
            shown("/EREF/E1/BENM//NAME/THEY/REMI/STRD/CUR/1234567890123456/ISDT/2024-01-02")[1..],
            ["THEY", "", "E1", "1234567890123456"].map(String::from)
        );
        assert_eq!(
            shown("/OCMT/USD2853,12/\nPAYMENT OF INVOICE 20/7"),
            ["", "", "", "", "PAYMENT OF INVOICE 20/7"]
        );
        assert_eq!(
            shown("/EREF/E1//CNTP/NL02ABNA0123456789/ABNANL2A/A B/CITY//REMI/USTD//X/"),
            ["", "A B", "NL02ABNA0123456789", "E1", "X"]
        );
    }

    #[test]
    fn words_in_plain_text_count() {
        assert_eq!(
            shown(
                "911 TRANSFER; Z RACH.: \n5611401; OD: JAN  \nUL. 1; TYT.: FV 7/2024 ; \nTNR: 1.2"
            ),
            ["", "JAN", "5611401", "", "FV 7/2024"]
        );
        assert_eq!(shown("RENT\nOF MARCH"), ["", "", "", "", "RENT OF MARCH"]);
        assert_eq!(shown(""), [""; 5]);
    }

    #[test]
    fn references_with_right_check_digits_are_the_creditors() {
        assert_eq!(
            read("pay RF18539007547034, thanks").creditor_reference(),
            b"RF18539007547034"
        );
        assert_eq!(read("pay RF19539007547034").creditor_reference(), b"");
    }
}
