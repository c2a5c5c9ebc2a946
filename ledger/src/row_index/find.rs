//! How rows are found by an index.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::{Range, RangeInclusive};

use super::{ABSENT, BLOCK_PAIRS, Key, check_sum, damaged};

/// Bytes behind the directory: its size and its check sum.
const END_BYTES: usize = 12;
/// Bytes in front of the pairs of a block, and behind them.
const HEAD_BYTES: usize = 10;
const SUM_BYTES: usize = 4;

/// Where the rows of a column lie by their values: the directory of an index.
#[derive(Debug)]
pub struct RowIndex {
    groups: Vec<Group>,
}

/// A row group.
#[derive(Debug)]
struct Group {
    rows: u32,
    /// None if it has no index.
    blocks: Option<Vec<Block>>,
}

#[derive(Clone, Copy, Debug)]
struct Block {
    first: Key,
    /// In the file.
    offset: u64,
    bytes: u32,
    pairs: u32,
}

impl RowIndex {
    /// Reads the directory of the index that lies at `place` in `file`.
    ///
    /// # Errors
    /// If it cannot be read, or is not as it was written.
    pub fn read(file: &mut (impl Read + Seek), place: Range<u64>) -> io::Result<Self> {
        let end = read_at(file, place.clone(), END_BYTES as u64)?;
        let (size, sum) = end.split_at(4);
        let size = u64::from(number(size)?);
        let behind = place.start..place.end - END_BYTES as u64;
        let directory = read_at(file, behind, size)?;
        if check_sum(&directory) != sum {
            return Err(damaged());
        }
        let (mut rest, mut offset) = (&directory[..], place.start);
        let mut groups = Vec::new();
        while !rest.is_empty() {
            let rows = number(rest)?;
            let pairs = number(&rest[4..])?;
            rest = &rest[8..];
            let blocks = if pairs == ABSENT {
                None
            } else {
                let count = pairs.div_ceil(BLOCK_PAIRS as u32) as usize;
                Some(blocks(&mut rest, count, pairs, &mut offset)?)
            };
            groups.push(Group { rows, blocks });
        }
        Ok(Self { groups })
    }

    /// How many rows each row group has.
    pub fn group_rows(&self) -> impl ExactSizeIterator<Item = u32> {
        self.groups.iter().map(|group| group.rows)
    }

    /// The rows of a row group that may have a key in `keys`, in their order. None if the row group has no
    /// index, or if they may be more than `rows_max`.
    ///
    /// # Errors
    /// If the file cannot be read, or is not as it was written.
    pub fn rows(
        &self,
        file: &mut (impl Read + Seek),
        group: usize,
        keys: &RangeInclusive<Key>,
        rows_max: usize,
    ) -> io::Result<Option<Vec<u32>>> {
        let group = self.groups.get(group);
        let Some((group, blocks)) = group.and_then(|group| Some((group, group.blocks.as_ref()?)))
        else {
            return Ok(None);
        };
        // The block in front of the first that begins with such a key may end with some.
        let begin = blocks.partition_point(|block| block.first < *keys.start());
        let end = blocks.partition_point(|block| block.first <= *keys.end());
        let within = &blocks[begin.saturating_sub(1).min(end)..end];
        // All but the first and the last have nothing else.
        if within.len().saturating_sub(2) * BLOCK_PAIRS > rows_max {
            return Ok(None);
        }
        let mut rows = Vec::new();
        for block in within {
            let bytes = read_at(
                file,
                block.offset..block.offset + u64::from(block.bytes),
                block.bytes.into(),
            )?;
            unpack(block, &bytes, |key, row| {
                if keys.contains(&key) {
                    rows.push(row);
                }
            })?;
        }
        rows.sort_unstable();
        if rows.last().is_some_and(|row| *row >= group.rows) {
            return Err(damaged());
        }
        Ok((rows.len() <= rows_max).then_some(rows))
    }
}

/// The next blocks of a directory, which have so many pairs together.
fn blocks(rest: &mut &[u8], count: usize, pairs: u32, offset: &mut u64) -> io::Result<Vec<Block>> {
    let mut left = pairs;
    let mut blocks = Vec::new();
    for _ in 0..count {
        let (first, behind) = rest.split_first_chunk().ok_or_else(damaged)?;
        let bytes = number(behind)?;
        *rest = &behind[4..];
        blocks.push(Block {
            first: Key(i64::from_le_bytes(*first)),
            offset: *offset,
            bytes,
            pairs: left.min(BLOCK_PAIRS as u32),
        });
        *offset += u64::from(bytes);
        left = left.saturating_sub(BLOCK_PAIRS as u32);
    }
    Ok(blocks)
}

/// The last `size` bytes in front of the end of `place`.
fn read_at(file: &mut (impl Read + Seek), place: Range<u64>, size: u64) -> io::Result<Vec<u8>> {
    if place.start > place.end || size > place.end - place.start {
        return Err(damaged());
    }
    let mut bytes = vec![0; usize::try_from(size).map_err(|_| damaged())?];
    file.seek(SeekFrom::Start(place.end - size))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn unpack(block: &Block, bytes: &[u8], mut each: impl FnMut(Key, u32)) -> io::Result<()> {
    let (packed, sum) = bytes.split_last_chunk::<SUM_BYTES>().ok_or_else(damaged)?;
    if check_sum(packed)[..SUM_BYTES] != *sum {
        return Err(damaged());
    }
    let (head, packed) = packed
        .split_first_chunk::<HEAD_BYTES>()
        .ok_or_else(damaged)?;
    let (unit, widths) = head.split_first_chunk().ok_or_else(damaged)?;
    let unit = u64::from_le_bytes(*unit);
    let (step_bits, row_bits) = (u32::from(widths[0]), u32::from(widths[1]));
    if step_bits > u64::BITS || row_bits > u32::BITS {
        return Err(damaged());
    }
    let mut bits = Bits {
        bytes: packed.iter(),
        held: 0,
        count: 0,
    };
    let mut key = block.first.0;
    for _ in 0..block.pairs {
        let step = bits.take(step_bits)?.wrapping_mul(unit);
        key = key.wrapping_add_unsigned(step);
        each(Key(key), bits.take(row_bits)? as u32);
    }
    Ok(())
}

/// Reads numbers bit by bit.
struct Bits<'a> {
    bytes: std::slice::Iter<'a, u8>,
    held: u128,
    count: u32,
}

impl Bits<'_> {
    fn take(&mut self, bits: u32) -> io::Result<u64> {
        while self.count < bits {
            let byte = self.bytes.next().ok_or_else(damaged)?;
            self.held |= u128::from(*byte) << self.count;
            self.count += u8::BITS;
        }
        let number = (self.held & ((1 << bits) - 1)) as u64;
        self.held >>= bits;
        self.count -= bits;
        Ok(number)
    }
}

fn number(bytes: &[u8]) -> io::Result<u32> {
    let first = bytes.first_chunk().ok_or_else(damaged)?;
    Ok(u32::from_le_bytes(*first))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Cursor;

    use arrow::array::{Array, Decimal128Array, StringArray};
    use proptest::prelude::*;

    use super::super::build::IndexBuilder;
    use super::*;

    const GROUP_ROWS: u32 = 1500;

    /// The file with an index, and the index.
    fn indexed(columns: &[&dyn Array]) -> (Cursor<Vec<u8>>, RowIndex) {
        let mut builder = IndexBuilder::new(GROUP_ROWS);
        for column in columns {
            builder.add(*column).unwrap();
        }
        let bytes = [b"before".to_vec(), builder.finish(), b"behind".to_vec()].concat();
        let place = 6..bytes.len() as u64 - 6;
        let mut file = Cursor::new(bytes);
        let index = RowIndex::read(&mut file, place).unwrap();
        (file, index)
    }

    /// All rows of the file that it finds.
    fn found(file: &mut Cursor<Vec<u8>>, index: &RowIndex, keys: &RangeInclusive<Key>) -> Vec<u32> {
        let mut rows = Vec::new();
        for group in 0..index.group_rows().len() {
            let of_group = index.rows(file, group, keys, usize::MAX).unwrap().unwrap();
            rows.extend(of_group.iter().map(|row| group as u32 * GROUP_ROWS + row));
        }
        rows
    }

    fn key(units: i64) -> Key {
        Key::of_amount(units.into()).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn rows_are_found_by_ranges_of_amounts(
            scale in prop::sample::select(vec![1_i64, 1000, 1 << 40]),
            amounts in prop::collection::vec(prop::option::weighted(0.9, -300_i64..300), 0..5000),
            cut in 0_usize..5000,
            (from, size) in (-310_i64..310, 0_i64..40),
        ) {
            let amounts: Vec<_> = amounts.iter().map(|amount| amount.map(|amount| amount * scale)).collect();
            let (from, to) = (from * scale, (from + size) * scale);
            let column: Decimal128Array = amounts.iter().map(|amount| amount.map(i128::from)).collect();
            let cut = cut.min(amounts.len());
            let pieces = [column.slice(0, cut), column.slice(cut, amounts.len() - cut)];
            let (mut file, index) = indexed(&[&pieces[0], &pieces[1]]);
            let (mut whole, _) = indexed(&[&column]);
            prop_assert_eq!(file.get_mut(), whole.get_mut());
            let expected: Vec<u32> = (0..)
                .zip(&amounts)
                .filter(|(_, amount)| amount.is_some_and(|amount| (from..=to).contains(&amount)))
                .map(|(row, _)| row)
                .collect();
            prop_assert_eq!(found(&mut file, &index, &(key(from)..=key(to))), expected);
        }
    }

    #[test]
    fn rows_are_found_by_texts() {
        let texts: Vec<_> = (0..4000)
            .map(|row| format!("text {}", row % 1333))
            .collect();
        let column = StringArray::from_iter_values(&texts);
        let (mut file, index) = indexed(&[&column]);
        for text in ["text 0", "text 700", "text 1332"] {
            let key = Key::of_text(text);
            let rows = found(&mut file, &index, &(key..=key));
            let expected: Vec<u32> = (0..4000)
                .filter(|row| texts[*row as usize] == text)
                .collect();
            assert!(
                expected.iter().all(|row| rows.contains(row)),
                "{text}: {rows:?}"
            );
            assert!(rows.len() < expected.len() + 3, "{text}: {rows:?}");
        }
    }

    #[test]
    fn a_group_with_an_amount_beyond_keys_has_no_index() {
        let amounts = (0..4000).map(|row| if row == 2000 { i128::MAX } else { row });
        let column = Decimal128Array::from_iter_values(amounts);
        let (mut file, index) = indexed(&[&column]);
        let keys = key(10)..=key(3990);
        let mut rows = |group, max| index.rows(&mut file, group, &keys, max).unwrap();
        assert_eq!(rows(0, 1490).map(|rows| rows.len()), Some(1490));
        assert_eq!(rows(1, usize::MAX), None);
        assert_eq!(rows(2, usize::MAX).map(|rows| rows.len()), Some(991));
        assert_eq!(rows(0, 1489), None);
        assert_eq!(rows(0, 10), None);
    }

    #[test]
    fn a_pair_takes_few_bytes() {
        // Amounts in cents and texts of a full row group.
        let rows = 1 << 18;
        let amounts = (0..rows).map(|row: i128| (row * 7_919 % 10_000_019) * 1000);
        let texts = (0..rows).map(|row| format!("{row:064x}"));
        let columns: [Box<dyn Array>; 2] = [
            Box::new(Decimal128Array::from_iter_values(amounts)),
            Box::new(StringArray::from_iter_values(texts)),
        ];
        for (column, most) in columns.iter().zip([3.5, 3.9]) {
            let mut builder = IndexBuilder::new(rows as u32);
            builder.add(column.as_ref()).unwrap();
            let bytes = builder.finish().len() as f64 / rows as f64;
            assert!(
                bytes < most,
                "{bytes} bytes a pair of {}",
                column.data_type()
            );
        }
    }

    #[test]
    fn what_is_damaged_is_an_error() {
        let column = Decimal128Array::from_iter_values(0..2000);
        let (file, _) = indexed(&[&column]);
        let whole = file.into_inner();
        let place = 6..whole.len() as u64 - 6;
        let keys = key(0)..=key(2000);
        for at in 6..whole.len() - 6 {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            let mut file = Cursor::new(bytes);
            let all = RowIndex::read(&mut file, place.clone()).and_then(|index| {
                index.rows(&mut file, 0, &keys, usize::MAX)?;
                index.rows(&mut file, 1, &keys, usize::MAX)
            });
            assert!(all.is_err(), "byte {at}");
        }
        for end in 0..place.end {
            assert!(RowIndex::read(&mut Cursor::new(&whole), 6..end).is_err());
        }
    }
}
