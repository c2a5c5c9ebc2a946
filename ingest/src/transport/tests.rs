#![allow(clippy::unwrap_used)]

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

const STATEMENT: &str = "01,091000019,4400128871,260316,0605,1,,,2/\nZürich 42 €\n";

fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let options = SimpleFileOptions::default();
        archive.start_file(*name, options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn contents(path: &Path) -> io::Result<Vec<(String, String)>> {
    unpack(path, "given")?
        .into_iter()
        .map(|file| {
            let mut text = String::new();
            file.open()?.read_to_string(&mut text)?;
            Ok((file.name, text))
        })
        .collect()
}

fn utf16(text: &str, mark: bool, big: bool) -> Vec<u8> {
    let units = mark
        .then_some(0xfeff)
        .into_iter()
        .chain(text.encode_utf16());
    let bytes = |unit: u16| {
        if big {
            unit.to_be_bytes()
        } else {
            unit.to_le_bytes()
        }
    };
    units.flat_map(bytes).collect()
}

#[test]
fn packed_files_give_their_content() {
    let mut twice = gzip(b"first\n");
    twice.extend(gzip(b"second\n"));
    for (bytes, text) in [
        (STATEMENT.as_bytes().to_vec(), STATEMENT),
        (gzip(STATEMENT.as_bytes()), STATEMENT),
        (twice, "first\nsecond\n"),
        (gzip(&utf16(STATEMENT, true, true)), STATEMENT),
    ] {
        let file = file(&bytes);
        let expected = vec![("given".to_owned(), text.to_owned())];
        assert_eq!(contents(file.path()).unwrap(), expected);
    }
}

#[test]
fn archives_give_their_members() {
    let packed = archive(&[("a/one.txt", b"1\n"), ("two", STATEMENT.as_bytes())]);
    let file = file(&packed);
    let expected = [("given/a/one.txt", "1\n"), ("given/two", STATEMENT)];
    let expected = expected.map(|(name, text)| (name.to_owned(), text.to_owned()));
    assert_eq!(contents(file.path()).unwrap(), expected);
}

#[test]
fn packings_lie_inside_each_other() {
    let statement = STATEMENT.as_bytes();
    let inner = archive(&[("a/one.txt", b"1\n"), ("two.gz", &gzip(statement))]);
    let wide = utf16(STATEMENT, true, false);
    let members: [(&str, &[u8]); 3] = [("in.zip", &inner), ("in.gz", &gzip(&inner)), ("w", &wide)];
    let file_of_all = file(&archive(&members));
    let expected = [
        ("given/in.zip/a/one.txt", "1\n"),
        ("given/in.zip/two.gz", STATEMENT),
        ("given/in.gz/a/one.txt", "1\n"),
        ("given/in.gz/two.gz", STATEMENT),
        ("given/w", STATEMENT),
    ];
    let expected = expected.map(|(name, text)| (name.to_owned(), text.to_owned()));
    assert_eq!(contents(file_of_all.path()).unwrap(), expected);
    let name = format!("{}/in.zip/two.gz", file_of_all.path().display());
    let found = locate(&name).unwrap();
    assert_eq!(found.head(10).unwrap(), statement[..10]);
    let packed = file(&gzip(&archive(&members[..1])));
    assert_eq!(contents(packed.path()).unwrap(), expected[..2]);
    // Nobody packs so often; it is left as it is.
    let mut packed = statement.to_vec();
    for _ in 0..=PACKINGS_MAX {
        packed = gzip(&packed);
    }
    let files = unpack(file(&packed).path(), "given").unwrap();
    assert_eq!(files.len(), 1);
}

#[test]
fn a_workbook_is_one_file() {
    let file = file(&archive(&[("xl/workbook.xml", b"<workbook/>")]));
    let files = unpack(file.path(), "given").unwrap();
    assert_eq!(files.len(), 1);
    assert!(files[0].is_plain());
}

#[test]
fn damage_is_told() {
    let mut packed = archive(&[("one", &b"12345678".repeat(500))]);
    let at = packed.windows(3).position(|name| name == b"one").unwrap() + 8;
    packed[at] ^= 0xff;
    let damaged = file(&packed);
    assert!(contents(damaged.path()).is_err());
    let cut = file(&gzip(STATEMENT.as_bytes())[..30]);
    assert!(contents(cut.path()).is_err());
}

proptest! {
    #[test]
    fn utf16_reads_as_utf8(
        text in "[ -~]{20}[ -~äß€\u{1f4b6}\r\n]{0,300}",
        mark: bool,
        big: bool,
    ) {
        let file = file(&utf16(&text, mark, big));
        prop_assert_eq!(contents(file.path()).unwrap(), [("given".to_owned(), text)]);
    }
}
