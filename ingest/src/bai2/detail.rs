//! The fields of a 16 record.

use super::fields::{Fields, Short};

/// A statement line as the bank writes it; `16,type,amount,funds...,bank reference,customer
/// reference,text`. Fields that are missing at the end are empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Detail<'a> {
    pub type_code: &'a [u8],
    pub amount: &'a [u8],
    /// Of funds type `V`, or empty.
    pub value_date: &'a [u8],
    pub bank_reference: &'a [u8],
    pub customer_reference: &'a [u8],
    /// The text's beginning, commas and slashes included.
    pub text: &'a [u8],
}

impl<'a> Detail<'a> {
    /// Takes apart the fields after the code.
    ///
    /// # Errors
    /// [`Short`] if the line ends inside the amount or the funds type.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Short> {
        let mut fields = Fields::of(bytes);
        let type_code = fields.next_or_empty();
        let amount = fields.next().ok_or(Short::Unfinished)?;
        let value_date = fields.funds()?.value_date;
        Ok(Self {
            type_code,
            amount,
            value_date,
            bank_reference: fields.next_or_empty(),
            customer_reference: fields.next_or_empty(),
            text: fields.rest().unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_text_begins_depends_on_the_funds_type() {
        for (fields, text) in [
            ("195,8325982,,,,FED NO: 1, 2/3", "FED NO: 1, 2/3"),
            ("409,2500,V,060316,,,,RETURNED CHEQUE", "RETURNED CHEQUE"),
            ("115,500000,S,,200000,300000,,,LOCK BOX", "LOCK BOX"),
            ("142,5,D,1,0,5,BREF,CREF,TEXT", "TEXT"),
            ("174,25001,Z,,50848,", ""),
            ("218,20000000,V,040622,,SP4738,YRC065321", ""),
            ("475,1000", ""),
        ] {
            assert_eq!(
                Detail::parse(fields.as_bytes()).map(|d| d.text),
                Ok(text.as_bytes())
            );
        }
    }

    #[test]
    fn a_line_may_end_inside_the_fields() {
        for fields in ["142", "142,500,V", "142,500,D,2,0,1", "142,500,S,1,2"] {
            assert_eq!(Detail::parse(fields.as_bytes()), Err(Short::Unfinished));
        }
    }
}
