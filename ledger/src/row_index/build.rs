//! How an index is made while a file is written.

use std::io;

use arrow::array::{Array, Decimal128Array, StringArray};

use super::{ABSENT, BLOCK_PAIRS, Key, check_sum};

/// Bytes of an index at most: row groups that come after so many have none.
const BYTES_MAX: usize = 64 << 20;

/// The index of a column in the making. It keeps the pairs of one row group and the packed ones before.
pub(super) struct IndexBuilder {
    group_rows: u32,
    rows: u32,
    /// None if a value of the row group has no key.
    pairs: Option<Vec<(Key, u32)>>,
    packed: Vec<u8>,
    directory: Vec<u8>,
}

impl IndexBuilder {
    /// For a file with so many rows in each row group but the last.
    pub(super) fn new(group_rows: u32) -> Self {
        Self {
            group_rows,
            rows: 0,
            pairs: Some(Vec::new()),
            packed: Vec::new(),
            directory: Vec::new(),
        }
    }

    /// Adds the next rows.
    ///
    /// # Errors
    /// If they are neither texts nor amounts.
    pub(super) fn add(&mut self, column: &dyn Array) -> io::Result<()> {
        let any = column.as_any();
        if let Some(texts) = any.downcast_ref::<StringArray>() {
            for text in texts {
                self.push(text.map(Key::of_text));
            }
        } else if let Some(amounts) = any.downcast_ref::<Decimal128Array>() {
            for amount in amounts {
                let key = amount.map(Key::of_amount);
                if key == Some(None) {
                    self.pairs = None;
                }
                self.push(key.flatten());
            }
        } else {
            let found = format!("an index of a column of {}", column.data_type());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, found));
        }
        Ok(())
    }

    /// Adds a row, with its key if it has a value.
    fn push(&mut self, key: Option<Key>) {
        if let (Some(key), Some(pairs)) = (key, &mut self.pairs) {
            pairs.push((key, self.rows));
        }
        self.rows += 1;
        if self.rows == self.group_rows {
            self.end_group();
        }
    }

    fn end_group(&mut self) {
        let pairs = self.pairs.replace(Vec::new());
        let pairs = pairs.filter(|_| self.packed.len() < BYTES_MAX);
        self.directory.extend(self.rows.to_le_bytes());
        self.rows = 0;
        let Some(mut pairs) = pairs else {
            self.directory.extend(ABSENT.to_le_bytes());
            return;
        };
        pairs.sort_unstable();
        self.directory.extend((pairs.len() as u32).to_le_bytes());
        for block in pairs.chunks(BLOCK_PAIRS) {
            let begin = self.packed.len();
            pack(block, &mut self.packed);
            let bytes = (self.packed.len() - begin) as u32;
            self.directory.extend(block[0].0.0.to_le_bytes());
            self.directory.extend(bytes.to_le_bytes());
        }
        // What one row group needed the next one needs as well.
        pairs.clear();
        self.pairs = Some(pairs);
    }

    /// The bytes of the index.
    pub(super) fn finish(mut self) -> Vec<u8> {
        if self.rows > 0 {
            self.end_group();
        }
        let mut bytes = self.packed;
        bytes.extend(&self.directory);
        bytes.extend((self.directory.len() as u32).to_le_bytes());
        bytes.extend(check_sum(&self.directory));
        bytes
    }
}

/// Packs pairs, which are in order, behind what is there.
fn pack(block: &[(Key, u32)], bytes: &mut Vec<u8>) {
    let begin = bytes.len();
    let steps = block
        .windows(2)
        .map(|pair| pair[1].0.0.abs_diff(pair[0].0.0));
    let unit = steps.clone().fold(0, greatest_divisor).max(1);
    let step_bits = u64::BITS
        - steps
            .clone()
            .max()
            .map_or(0, |step| step / unit)
            .leading_zeros();
    let last_row = block.iter().map(|(_, row)| *row).max().unwrap_or(0);
    let row_bits = u32::BITS - last_row.leading_zeros();
    bytes.extend(unit.to_le_bytes());
    bytes.extend([step_bits as u8, row_bits as u8]);
    let mut bits = Bits {
        bytes,
        held: 0,
        count: 0,
    };
    for ((_, row), step) in block.iter().zip([0].into_iter().chain(steps)) {
        bits.put(step / unit, step_bits);
        bits.put((*row).into(), row_bits);
    }
    bits.end();
    let sum = check_sum(&bytes[begin..]);
    bytes.extend(&sum[..4]);
}

fn greatest_divisor(one: u64, other: u64) -> u64 {
    let (mut one, mut other) = (one, other);
    while other > 0 {
        (one, other) = (other, one % other);
    }
    one
}

/// Writes numbers bit by bit.
struct Bits<'a> {
    bytes: &'a mut Vec<u8>,
    held: u128,
    count: u32,
}

impl Bits<'_> {
    fn put(&mut self, number: u64, bits: u32) {
        self.held |= u128::from(number) << self.count;
        self.count += bits;
        while self.count >= u8::BITS {
            self.bytes.push(self.held as u8);
            self.held >>= u8::BITS;
            self.count -= u8::BITS;
        }
    }

    fn end(self) {
        if self.count > 0 {
            self.bytes.push(self.held as u8);
        }
    }
}
