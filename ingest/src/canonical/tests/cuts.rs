//! However a file is cut, the outcome is the same.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::canonical::fields::RECORD_BYTES_MAX;

/// A row, sound or not, and how many lines it takes.
fn row() -> impl Strategy<Value = Vec<u8>> {
    let texts: Vec<&[u8]> = vec![
        SOUND.as_bytes(),
        b"I2,,,invoice,\"a,\"\"b\"\"\nc\",,USD,1,1,,,,\r\n",
        b"I3,Caf\xe9,,invoice,5\" pipe,,USD,1,1,,,,\n",
        "I4,Café,,invoice,,,USD,1,1,,,,\n".as_bytes(),
        b"I5,,,invoice,,,USD,1,x,,,,\n",
        b"I6,,,invoice,\"a\"b,,USD,1,1,,,,\n",
        b"I7,,\n",
        b"\r\n",
        b"\n",
    ];
    proptest::sample::select(texts).prop_map(<[u8]>::to_vec)
}

fn file() -> impl Strategy<Value = Vec<u8>> {
    let tail = proptest::sample::select(vec!["", "I8,,,invoice,\"open", "I9,,,", "\"", "\r"]);
    (vec(row(), 0..25), tail)
        .prop_map(|(rows, tail)| [OPEN_ITEMS.as_bytes(), &rows.concat(), tail.as_bytes()].concat())
}

proptest! {
    #[test]
    fn separated_text(
        bytes in file(),
        chunk_bytes in 1..200_usize,
        batch_rows in 1..7_usize,
        threads in 1..5_usize,
    ) {
        let whole = read(&bytes);
        let cut = read_with(&bytes, &settings(chunk_bytes, batch_rows, threads));
        prop_assert_eq!(&cut, &whole);
        prop_assert_eq!(cut.counts.bytes, bytes.len() as u64);
    }

    #[test]
    fn quotes_anywhere(
        body in vec(prop_oneof![
            4 => Just(b'"'), 4 => Just(b','), 2 => Just(b'\n'), 1 => Just(b'\r'), 2 => Just(b'a'),
            1 => Just(0xe9_u8)], 0..120),
        chunk_bytes in 1..20_usize,
        threads in 1..4_usize,
    ) {
        let bytes = [b"party_id,name\n", &body[..]].concat();
        let whole = read(&bytes);
        prop_assert_eq!(&read_with(&bytes, &settings(chunk_bytes, 3, threads)), &whole);
    }

    #[test]
    fn json_lines(
        rows in vec(proptest::sample::select(vec![
            "{\"party_id\":\"C1\",\"name\":\"Acme\",\"rank\":1.50}\n",
            "{\"party_id\":\"C2\",\"name\":\"a\\nb\",\"city\":\"x\"}\r\n",
            "{\"party_id\":\"C3\"\n", "\n", "{\"name\":\"none\"}\n", "x\n",
        ]), 0..25),
        chunk_bytes in 1..100_usize,
        threads in 1..4_usize,
    ) {
        let text = "{\"party_id\":\"C0\",\"name\":\"First\"}\n".to_owned() + &rows.concat();
        let whole = read(text.as_bytes());
        let cut = read_with(text.as_bytes(), &settings(chunk_bytes, 3, threads));
        prop_assert_eq!(&cut, &whole);
        let blank = text.lines().filter(|line| line.trim().is_empty()).count() as u64;
        let counts = &whole.counts;
        prop_assert_eq!(counts.rows + counts.quarantined + blank, counts.lines);
    }

    /// Every line is the header, a row, in quarantine, or blank.
    #[test]
    fn nothing_is_lost(rows in vec(proptest::sample::select(vec![
        SOUND, "I5,,,invoice,,,USD,1,x,,,,\n", "I7\n", "\n", "I6,,,invoice,\"a\"b,,USD,1,1,,,,\n",
    ]), 0..40)) {
        let text = OPEN_ITEMS.to_owned() + &rows.concat();
        let outcome = read(text.as_bytes());
        let blank = rows.iter().filter(|row| **row == "\n").count() as u64;
        let counts = &outcome.counts;
        prop_assert_eq!(counts.lines, rows.len() as u64 + 1);
        prop_assert_eq!(counts.rows + counts.quarantined + blank + 1, counts.lines);
        let bytes: Vec<u8> = outcome.quarantine.iter().flat_map(|line| line.raw.clone()).collect();
        let named = outcome.quarantine.iter().flat_map(|line| {
            text.as_bytes()[line.byte_start as usize..line.byte_end as usize].to_vec()
        });
        prop_assert_eq!(bytes, named.collect::<Vec<_>>());
    }

    #[test]
    fn any_bytes_after_any_header(
        head in proptest::sample::select(vec![
            "", OPEN_ITEMS, "party_id,name\n", "PAR1", "{\"party_id\":1,\"name\":2}\n", "truth_file,truth_line\n",
        ]),
        body in vec(any::<u8>(), 0..300),
    ) {
        let bytes = [head.as_bytes(), &body].concat();
        let whole = try_read(&bytes, &settings(1 << 16, 8_192, 1));
        prop_assert_eq!(try_read(&bytes, &settings(7, 2, 2)), whole);
    }
}

proptest! {
    /// What another writer of separated text writes is read back value by value.
    #[test]
    fn written_values_are_read_back(
        rows in vec(("[a-z\", é;\n\r|]{1,12}x", "[ -~é\n]{0,12}"), 1..20),
        separator in proptest::sample::select(vec![b',', b';', b'\t', b'|']),
        always in any::<bool>(),
    ) {
        let style = if always { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
        let mut writer = csv::WriterBuilder::new()
            .delimiter(separator)
            .quote_style(style)
            .from_writer(Vec::new());
        writer.write_record(["party_id", "name"]).unwrap();
        for (id, name) in &rows {
            writer.write_record([id, name]).unwrap();
        }
        let outcome = read(&writer.into_inner().unwrap());
        prop_assert_eq!(&outcome.quarantine, &[]);
        let ids: Vec<_> = rows.iter().map(|(id, _)| id.clone()).collect();
        prop_assert_eq!(outcome.cells("party_id"), ids);
        let name = |name: &String| if name.is_empty() { "-".to_owned() } else { name.clone() };
        let names: Vec<_> = rows.iter().map(|(_, text)| name(text)).collect();
        prop_assert_eq!(outcome.cells("name"), names);
    }
}

/// Records around the limit, with and without quotes that span lines.
#[test]
fn long_records() {
    let long = |length: usize| "x".repeat(length);
    let max = RECORD_BYTES_MAX;
    for (body, rows) in [
        (format!("C1,{}\r\n", long(max - 3)), 1),
        (format!("C1,{}\r\n", long(max - 2)), 0),
        (format!("C1,{}", long(max - 3)), 1),
        (format!("C1,{}\r", long(max - 2)), 0),
        (format!("\"C\n1\",{}\n", long(max - 6)), 1),
        (format!("\"C\n1\",{}\n", long(2 * max)), 0),
        (format!("C1,\"{}\"\n", long(max - 5)), 1),
        (format!("C1,\"{}\"\n", long(max - 4)), 0),
        (format!("C1,\"{}\n", long(3 * max)), 0),
        (format!("{},\"a\nb\"\n", long(max + 9)), 0),
    ] {
        let text = format!("party_id,name\n{body}\nC2,Last\n");
        let whole = read_with(text.as_bytes(), &settings(8 * max, 8_192, 1));
        let shown = &body[..20];
        assert_eq!(whole.cells("party_id").last().unwrap(), "C2", "{shown}");
        assert_eq!(whole.counts.rows, rows + 1, "{shown} {}", body.len());
        for (chunk_bytes, threads) in [(4_096, 1), (65_537, 2), (max + 1, 1)] {
            let cut = read_with(text.as_bytes(), &settings(chunk_bytes, 8_192, threads));
            assert!(cut == whole, "{shown} {} {chunk_bytes}", body.len());
        }
    }
}
