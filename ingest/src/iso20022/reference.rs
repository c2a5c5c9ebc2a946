//! References that creditors give, and their check digits.

use tieout_core::check_digits::{is_belgian_ogm, is_iso_11649, is_norwegian_kid, is_swiss_qr};

use crate::xml::Element;

/// A creditor reference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CreditorReference {
    /// Without the blanks and separators that people write in it.
    pub text: String,
    /// Of a form with check digits, and they are wrong.
    pub is_wrong: bool,
}

impl CreditorReference {
    /// The reference in a `CdtrRefInf`, if it has one.
    pub fn of(information: Element<'_>) -> Option<Self> {
        let written = information.text_at(&["Ref"]);
        if written.is_empty() {
            return None;
        }
        let kind = information.at(&["Tp"]);
        let code = kind.map_or("", |kind| {
            kind.first_text(&[
                &["CdOrPrtry", "Prtry"],
                &["CdOrPrtry", "Cd"],
                &["Prtry"],
                &["Cd"],
            ])
        });
        let issuer = kind.map_or("", |kind| kind.text_at(&["Issr"]));
        let text = plain(written);
        Some(Self {
            is_wrong: !check_digits_fit(text.as_bytes(), code, issuer),
            text,
        })
    }
}

/// Without blanks, and without the signs around and in a Belgian reference.
fn plain(written: &str) -> String {
    let is_kept = |c: &char| !c.is_whitespace();
    let text: String = written.chars().filter(is_kept).collect();
    let inner = text.trim_matches(['+', '*']);
    if inner.len() == text.len() {
        return text;
    }
    inner.chars().filter(|&c| c != '/').collect()
}

/// Whether the check digits are right, where the reference says which it has.
fn check_digits_fit(text: &[u8], code: &str, issuer: &str) -> bool {
    let is_number = text.iter().all(u8::is_ascii_digit);
    let is_named = |names: &[&str]| names.iter().any(|name| code.eq_ignore_ascii_case(name));
    if is_named(&["QRR"]) || (text.len() == 27 && is_number && code.starts_with("ISR")) {
        return is_swiss_qr(text);
    }
    if is_named(&["KID"]) {
        return is_norwegian_kid(text);
    }
    if is_named(&["OGM", "BBA"]) || (issuer == "BBA" && text.len() == 12 && is_number) {
        return is_belgian_ogm(text);
    }
    if text.starts_with(b"RF") && is_named(&["SCOR", "SCF", ""]) {
        return is_iso_11649(text);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_are_those_of_the_kind() {
        for (text, code, issuer, fits) in [
            ("RF18539007547034", "SCOR", "ISO", true),
            ("RF19539007547034", "SCOR", "ISO", false),
            ("3900", "SCOR", "", true),
            ("210000000003139471430009017", "QRR", "", true),
            ("210000000003139471430009018", "QRR", "", false),
            ("210000000003139471430009018", "ISR Reference", "", false),
            ("085192754115", "SCOR", "BBA", true),
            ("085192754116", "SCOR", "BBA", false),
            ("ORDER 7", "", "", true),
        ] {
            assert_eq!(
                check_digits_fit(text.as_bytes(), code, issuer),
                fits,
                "{text}"
            );
        }
        assert_eq!(plain("+++085/1927/54115+++"), "085192754115");
        assert_eq!(plain("RF18 5390 0754 7034"), "RF18539007547034");
        assert_eq!(plain("A/1"), "A/1");
    }
}
