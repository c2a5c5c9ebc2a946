//! The files that banks send: lines of the model as statements and lockbox files.

use std::fmt::Write as _;

use super::model::money;
use crate::desk::{Line, statement};
use crate::feeds::camt;

#[derive(Clone, Copy, Debug)]
pub enum Format {
    Bai2,
    Camt,
    Lockbox,
}

/// A line that brings money.
#[derive(Clone, Debug)]
pub struct Paid {
    /// The bank's reference, or the check's number.
    pub reference: String,
    pub cents: i64,
    payer: String,
    /// The document that it names.
    number: Option<String>,
}

impl Paid {
    /// The line number `line`, of a payer that nobody knows and that resembles no other.
    pub fn new(format: Format, line: u32, cents: i64, number: Option<String>) -> Self {
        let mut spread = u64::from(line).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut word = || {
            let letters = (0..7).map(|_| {
                spread = spread.rotate_left(9).wrapping_mul(0x2545_F491_4F6C_DD1D);
                char::from(b'A' + (spread >> 40) as u8 % 26)
            });
            letters.collect::<String>()
        };
        Self {
            reference: format!("{}{:05}", format.letter(), 10_000 + line),
            cents,
            payer: format!("{} {}", word(), word()),
            number,
        }
    }

    fn text(&self) -> String {
        format!(
            "{} {}",
            self.payer,
            self.number.as_deref().unwrap_or_default()
        )
    }
}

impl Format {
    /// What references begin with.
    fn letter(self) -> char {
        match self {
            Self::Bai2 => 'B',
            Self::Camt => 'E',
            Self::Lockbox => 'K',
        }
    }

    /// Whether advice can name a payment by its reference; checks have numbers alone.
    pub fn has_references(self) -> bool {
        !matches!(self, Self::Lockbox)
    }

    /// The file number `file` with these lines.
    pub fn write(self, file: u32, lines: &[Paid]) -> String {
        match self {
            Self::Bai2 => bai2(lines),
            Self::Camt => statement_of_entries(file, lines),
            Self::Lockbox => lockbox(lines),
        }
    }
}

fn bai2(lines: &[Paid]) -> String {
    let texts: Vec<String> = lines.iter().map(Paid::text).collect();
    let lines: Vec<Line> = lines
        .iter()
        .zip(&texts)
        .map(|(line, text)| {
            let cents = u64::try_from(line.cents).unwrap();
            ("142", cents, line.reference.as_str(), text.trim())
        })
        .collect();
    statement(&lines)
}

fn statement_of_entries(file: u32, lines: &[Paid]) -> String {
    let mut entries = String::new();
    for line in lines {
        let (amount, text) = (money(line.cents), line.text());
        let Paid {
            reference, payer, ..
        } = line;
        write!(entries,
                "<Ntry><Amt Ccy=\"USD\">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>\
                 <BookgDt><Dt>2026-03-16</Dt></BookgDt><ValDt><Dt>2026-03-16</Dt></ValDt><NtryDtls><TxDtls>\
                 <Refs><EndToEndId>{reference}</EndToEndId></Refs><Amt Ccy=\"USD\">{amount}</Amt>\
                 <CdtDbtInd>CRDT</CdtDbtInd><RltdPties><Dbtr><Pty><Nm>{payer}</Nm></Pty></Dbtr></RltdPties>\
                 <RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
            ).unwrap();
    }
    camt("camt.053", "BkToCstmrStmt", "Stmt", &entries)
        .replace("<Id>S1</Id>", &format!("<Id>S{file}</Id>"))
}

/// One deposit in the layout with an amount per invoice.
fn lockbox(lines: &[Paid]) -> String {
    let mut records = vec![
        "100HARBORST0000910000192603160615".to_owned(),
        "2HARBORST000091000019000000000040008000801".to_owned(),
        "50000000061001260316HARBORST000091000019".to_owned(),
    ];
    for (item, line) in (1..).zip(lines) {
        let check = line.reference.trim_start_matches('K');
        let Paid { cents, payer, .. } = line;
        records.push(format!(
            "6001{item:03}{cents:010}021000021{check:0>10}{check:0>10}031226{payer}"
        ));
        if let Some(number) = &line.number {
            records.push(format!("4001{item:03}6019{number:<15}{cents:010}{:010}", 0));
        }
    }
    let (count, total) = (
        lines.len(),
        lines.iter().map(|line| line.cents).sum::<i64>(),
    );
    records.push(format!("70010000061001260316{count:03}{total:010}"));
    records.push(format!("80000000061001260316{count:04}{total:010}"));
    records.push(format!("9{:06}", records.len() + 1));
    let mut file = String::new();
    for record in records {
        writeln!(file, "{record:<80}").unwrap();
    }
    file
}

/// The day that the bank booked a line on.
pub fn booked(reference: &str) -> &'static str {
    if reference.starts_with('E') {
        "2026-03-16"
    } else {
        "2026-03-31"
    }
}
