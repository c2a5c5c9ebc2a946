//! Entries with very many payments, and what identifies a line.
#![allow(clippy::unwrap_used)]

mod reading;

use reading::{Reading, read_with};
use tieout_ingest::Settings;

/// A statement with one entry of `payments` payments of 1.00.
fn batch(payments: usize, total: &str) -> String {
    let payment = "<TxDtls><Refs><EndToEndId>E</EndToEndId></Refs><Amt>1.00</Amt></TxDtls>\n";
    let groups = "</NtryDtls>\n<NtryDtls>";
    format!(
        "<Document><BkToCstmrStmt><Stmt><Id>S</Id><Ntry><Amt Ccy=\"EUR\">{total}</Amt>\
         <CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><AcctSvcrRef>B</AcctSvcrRef>\n<NtryDtls>\
         {}{groups}{}</NtryDtls></Ntry></Stmt></BkToCstmrStmt></Document>",
        payment.repeat(payments / 2),
        payment.repeat(payments - payments / 2),
    )
}

fn read_in_chunks(text: &str, chunk_bytes: usize) -> Reading {
    let settings = Settings {
        chunk_bytes,
        ..Settings::default()
    };
    read_with("camt.053", text.as_bytes(), &settings)
}

#[test]
fn a_large_entry_is_read_in_pieces() {
    let payments = 30_000;
    let reading = read_in_chunks(&batch(payments, "30000.00"), 1 << 20);
    assert_eq!(reading.problems(), []);
    assert_eq!(reading.rows.len(), payments);
    let last = &reading.rows[payments - 1];
    assert_eq!(last["entry_reference"], "B");
    assert_eq!(last["source_line"], (payments + 2).to_string());
    assert!(last["byte_end"].parse::<u64>().unwrap() <= reading.counts.bytes);
    let in_small_chunks = read_in_chunks(&batch(payments, "30000.00"), 997);
    assert_eq!(in_small_chunks, reading);
}

#[test]
fn a_large_entry_that_does_not_tie_is_told() {
    let reading = read_in_chunks(&batch(30_000, "30000.01"), 1 << 16);
    assert_eq!(reading.rows.len(), 30_000);
    assert_eq!(reading.problems(), [("control_total", Some(1))]);
    let refused = read_in_chunks(&batch(30_000, "x"), 1 << 16);
    assert_eq!(refused.rows.len(), 0);
    assert_eq!(refused.refused(), [("bad_amount", 1)]);
}

fn identities(text: &str) -> Vec<String> {
    let reading = read_with("camt.053", text.as_bytes(), &Settings::default());
    let column = reading.column("identity");
    column.into_iter().map(str::to_owned).collect()
}

#[test]
fn a_line_is_the_same_wherever_it_stands() {
    let one = batch(2, "2.00");
    let twins = identities(&one);
    assert_eq!(twins[0], twins[1]);
    let moved = one.replace("<Stmt>", "\n<GrpHdr><MsgId>again</MsgId></GrpHdr>\n<Stmt>");
    assert_eq!(identities(&moved), twins);
    let other = one.replace("<Id>S</Id>", "<Id>T</Id>");
    assert_ne!(identities(&other), twins);
}

#[test]
fn the_last_line_of_a_broken_file_counts_however_it_is_cut() {
    let broken = "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\">\n<BkToCstmrStmt>\n\
                  <GrpHdr></Stmt>\nand more without an end";
    for chunk_bytes in [1, 7, 16, 1 << 16] {
        let settings = Settings {
            chunk_bytes,
            ..Settings::default()
        };
        let reading = read_with("camt.053", broken.as_bytes(), &settings);
        assert_eq!(reading.counts.lines, 4, "{chunk_bytes}");
    }
}
