//! Statements that banks number: one that is missing between files or runs is told, in whichever
//! order they come, and whoever brings it later closes the gap.

use crate::desk::Desk;

/// Number, day of March, opening and closing balance of one account's statements.
const STATEMENTS: [(u32, u32, u32, u32); 3] = [
    (118, 16, 100, 150),
    (119, 17, 150, 170),
    (120, 18, 170, 200),
];

fn mt940((number, day, opening, closing): (u32, u32, u32, u32)) -> String {
    let paid = closing - opening;
    format!(
        ":20:S{number}\n:25:DE89370400440532013000\n:28C:{number:05}/001\n\
         :60F:C2603{day}EUR{opening},00\n:61:2603{day}03{day}C{paid},00NTRFREF{number}\n\
         :86:Payment {number}\n:62F:C2603{day}EUR{closing},00\n-\n"
    )
}

fn camt((number, day, opening, closing): (u32, u32, u32, u32)) -> String {
    let balance = |code: &str, amount: u32| {
        format!(
            "<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">{amount}</Amt>\
             <CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-03-{day}</Dt></Dt></Bal>"
        )
    };
    format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt><GrpHdr>\
         <MsgId>M{number}</MsgId><CreDtTm>2026-03-{day}T20:00:00</CreDtTm></GrpHdr><Stmt>\
         <Id>S{number}</Id><ElctrncSeqNb>{number}</ElctrncSeqNb>\
         <CreDtTm>2026-03-{day}T20:00:00</CreDtTm>\
         <Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy></Acct>{}{}\
         <Ntry><Amt Ccy=\"EUR\">{}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>\
         <BookgDt><Dt>2026-03-{day}</Dt></BookgDt><AcctSvcrRef>R{number}</AcctSvcrRef></Ntry>\
         </Stmt></BkToCstmrStmt></Document>",
        balance("OPBD", opening),
        balance("CLBD", closing),
        closing - opening,
    )
}

/// A record of 128 characters, with texts at their columns, counted from 1.
fn record(texts: &[(usize, &str)]) -> String {
    let mut record = " ".repeat(128);
    for (column, text) in texts {
        record.replace_range(column - 1..column - 1 + text.len(), text);
    }
    record + "\r\n"
}

fn coda((number, day, opening, closing): (u32, u32, u32, u32)) -> String {
    let (number, date) = (format!("{number:03}"), format!("{day}0326"));
    let amount = |units: u32| format!("{:015}", units * 1_000);
    let account = "BE68539007547034";
    [
        record(&[
            (1, "00000"),
            (6, &date),
            (12, "30005"),
            (61, "KREDBEBB"),
            (128, "2"),
        ]),
        record(&[
            (1, "12"),
            (3, &number),
            (6, account),
            (40, "EUR0"),
            (44, &amount(opening)),
            (59, &date),
            (126, &number),
        ]),
        record(&[
            (1, "2100010000"),
            (11, &format!("R{number}")),
            (32, "0"),
            (33, &amount(closing - opening)),
            (48, &date),
            (54, "001500000"),
            (116, &date),
            (122, &number),
            (126, "0 0"),
        ]),
        record(&[
            (1, "8"),
            (2, &number),
            (5, account),
            (39, "EUR0"),
            (43, &amount(closing)),
            (58, &date),
            (128, "0"),
        ]),
        record(&[
            (1, "9"),
            (17, "000003"),
            (23, &amount(0)),
            (38, &amount(closing - opening)),
            (128, "2"),
        ]),
    ]
    .concat()
}

/// What a run of these files says of gaps: severity, file, what is missing.
fn gaps(desk: &Desk, files: &[&str], ledger: &[&str]) -> Vec<String> {
    let words = [&["run"], files, ledger, &["--out", "out"]].concat();
    let told = desk.tieout(&words);
    assert_eq!(told.status, 0, "{}{}", told.stdout, told.stderr);
    let findings = desk.table("findings");
    let gaps = findings.rows_where("code", "statement_gap");
    let cell = |row, name| findings.cell(row, name).to_owned();
    gaps.into_iter()
        .map(|row| {
            let [severity, file, expected] =
                ["severity", "source_file", "expected"].map(|name| cell(row, name));
            format!("{severity} {file}: {expected}")
        })
        .collect()
}

#[test]
fn a_statement_missing_between_files_is_told() {
    for write in [mt940, camt, coda] {
        let desk = Desk::empty();
        for statement in STATEMENTS {
            std::fs::write(desk.path(&statement.0.to_string()), write(statement)).unwrap();
        }
        let missing = ["warning 120: statement 119"];
        assert_eq!(gaps(&desk, &["118", "120"], &[]), missing);
        assert_eq!(gaps(&desk, &["120", "118"], &[]), missing);
        assert_eq!(gaps(&desk, &["120", "119", "118"], &[]), [""; 0]);
    }
}

#[test]
fn a_statement_missing_between_runs_is_told_until_one_brings_it() {
    let ledger = ["--ledger", "ledger"];
    for (order, told) in [
        (["118", "120", "119"], "warning 120: statement 119"),
        (["120", "118", "119"], "warning 118: statement 119"),
    ] {
        let desk = Desk::empty();
        for statement in STATEMENTS {
            std::fs::write(desk.path(&statement.0.to_string()), mt940(statement)).unwrap();
        }
        std::fs::write(desk.path("121"), mt940((121, 19, 200, 210))).unwrap();
        assert_eq!(gaps(&desk, &order[..1], &ledger), [""; 0]);
        assert_eq!(gaps(&desk, &order[1..2], &ledger), [told]);
        assert_eq!(gaps(&desk, &order[2..], &ledger), [""; 0]);
        assert_eq!(gaps(&desk, &["121"], &ledger), [""; 0]);
        let verified = desk.tieout(&["audit", "verify", "--ledger", "ledger"]);
        assert_eq!(verified.status, 0, "{}{}", verified.stdout, verified.stderr);
    }
}

#[test]
fn another_file_fills_the_gap_that_one_has() {
    let desk = Desk::empty();
    let [a, b, c] = STATEMENTS;
    std::fs::write(desk.path("week"), mt940(a) + &mt940(c)).unwrap();
    std::fs::write(desk.path("tuesday"), mt940(b)).unwrap();
    assert_eq!(gaps(&desk, &["week"], &[]), ["warning week: statement 119"]);
    assert_eq!(gaps(&desk, &["week", "tuesday"], &[]), [""; 0]);
}
