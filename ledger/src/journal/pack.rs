//! Small values as bytes: integers as LEB128, amounts zigzag, texts behind their length.

use tieout_core::Amount;

/// Writes.
#[derive(Default)]
pub struct Packer(Vec<u8>);

impl Packer {
    pub fn number(mut self, value: u64) -> Self {
        self.wide(u128::from(value));
        self
    }

    pub fn amount(mut self, amount: Amount) -> Self {
        let units = amount.units();
        self.wide(((units << 1) ^ (units >> 127)) as u128);
        self
    }

    pub fn bytes(self, bytes: &[u8]) -> Self {
        let mut own = self.number(bytes.len() as u64);
        own.0.extend_from_slice(bytes);
        own
    }

    fn wide(&mut self, mut value: u128) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Reads what a [`Packer`] wrote; nothing where the bytes are others.
pub struct Unpacker<'a>(pub &'a [u8]);

impl<'a> Unpacker<'a> {
    pub fn number(&mut self) -> Option<u64> {
        self.wide().and_then(|value| value.try_into().ok())
    }

    pub fn amount(&mut self) -> Option<Amount> {
        let value = self.wide()?;
        let units = (value >> 1) as i128 ^ -((value & 1) as i128);
        Some(Amount::from_units(units))
    }

    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?.try_into().ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    pub fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    /// Whether nothing is left.
    pub fn is_done(&self) -> bool {
        self.0.is_empty()
    }

    fn wide(&mut self) -> Option<u128> {
        let mut value = 0_u128;
        for shift in (0..u128::BITS).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            let part = u128::from(byte & 0x7f);
            value |= part
                .checked_shl(shift)
                .filter(|moved| moved >> shift == part)?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_packed_unpacks(
            number: u64,
            units in -(1_i128 << 120)..1_i128 << 120,
            text in ".{0,200}",
        ) {
            let amount = Amount::from_units(units);
            let packed = Packer::default().number(number).amount(amount).bytes(text.as_bytes());
            let packed = packed.finish();
            let mut read = Unpacker(&packed);
            prop_assert_eq!(read.number(), Some(number));
            prop_assert_eq!(read.amount(), Some(amount));
            prop_assert_eq!(read.text(), Some(text.as_str()));
            prop_assert!(read.is_done());
        }

        #[test]
        fn other_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut read = Unpacker(&bytes);
            while !read.is_done() {
                if read.number().is_none() || read.bytes().is_none() || read.amount().is_none() {
                    break;
                }
            }
        }
    }
}
