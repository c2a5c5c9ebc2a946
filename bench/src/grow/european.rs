//! Formats of SWIFT, ISO 20022 and European banks.

use std::io;

use super::Sink;
use super::words::decimal;

/// Lines of one statement; then the next begins.
const LINES_PER_STATEMENT: u64 = 200;

/// MT940 with German `:86:` fields.
pub fn mt940(bytes: u64, sink: &mut Sink) -> io::Result<()> {
    let (mut number, mut balance) = (0, 0);
    while sink.written < bytes {
        number = number % 99_999 + 1;
        sink.put(&format!(
            ":20:STARTUMS\n:25:37040044/0532013000\n:28C:{number:05}/001\n:60F:C260313EUR{}\n",
            decimal(balance, ',')
        ))?;
        for _ in 0..LINES_PER_STATEMENT {
            let cents = sink.words.cents();
            balance += cents;
            let (document, name) = (sink.words.document(), sink.words.name());
            sink.put(&format!(
                ":61:2603160316C{}NTRFNONREF//B{document}\n",
                decimal(cents, ',')
            ))?;
            put_wrapped(
                sink,
                &format!(
                    "166?00GUTSCHRIFT?109075?20EREF+E{document}?21SVWZ+RECHNUNG INV{document}?22VIELEN DANK\
                     ?30COBADEFFXXX?31DE89370400440532013000?32{name}"
                ),
            )?;
        }
        sink.put(&format!(":62F:C260316EUR{}\n-\n", decimal(balance, ',')))?;
    }
    Ok(())
}

/// Characters of a line of an `:86:` field.
const LINE_CHARACTERS: usize = 65;

/// Writes an `:86:` field, cut into lines wherever they are full.
fn put_wrapped(sink: &mut Sink, text: &str) -> io::Result<()> {
    sink.put(":86:")?;
    let mut rest = text;
    while let Some((line, more)) = rest.split_at_checked(LINE_CHARACTERS) {
        sink.put(&format!("{line}\n"))?;
        rest = more;
    }
    sink.put(&format!("{rest}\n"))
}

/// camt.053.001.08, one statement an account.
pub fn camt_053(bytes: u64, sink: &mut Sink) -> io::Result<()> {
    sink.put(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt>\n\
         <GrpHdr><MsgId>MSG1</MsgId><CreDtTm>2026-03-16T06:05:00</CreDtTm></GrpHdr>\n",
    )?;
    let (mut number, mut entry) = (0_u64, 0_u64);
    while sink.written < bytes {
        number += 1;
        let amounts: Vec<u64> = (0..LINES_PER_STATEMENT)
            .map(|_| sink.words.cents())
            .collect();
        let total: u64 = amounts.iter().sum();
        let balance = |code: &str, cents: u64| {
            format!(
                "<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">{}</Amt>\
                 <CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-03-16</Dt></Dt></Bal>\n",
                decimal(cents, '.')
            )
        };
        sink.put(&format!(
            "<Stmt><Id>S{number}</Id><ElctrncSeqNb>1</ElctrncSeqNb><CreDtTm>2026-03-16T06:05:00</CreDtTm>\
             <Acct><Id><Othr><Id>{number:012}</Id></Othr></Id><Ccy>EUR</Ccy></Acct>\n"
        ))?;
        sink.put(&balance("OPBD", 0))?;
        sink.put(&balance("CLBD", total))?;
        for cents in amounts {
            entry += 1;
            let (document, name) = (sink.words.document(), sink.words.name());
            sink.put(&format!(
                "<Ntry><NtryRef>{entry}</NtryRef><Amt Ccy=\"EUR\">{}</Amt><CdtDbtInd>CRDT</CdtDbtInd>\
                 <Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-03-16</Dt></BookgDt><ValDt><Dt>2026-03-16</Dt></ValDt>\
                 <AcctSvcrRef>B{entry:010}</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd>\
                 <SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>\n\
                 <NtryDtls><TxDtls><Refs><EndToEndId>E{document}</EndToEndId></Refs>\
                 <RltdPties><Dbtr><Pty><Nm>{name}</Nm></Pty></Dbtr><DbtrAcct><Id><IBAN>DE89370400440532013000</IBAN>\
                 </Id></DbtrAcct></RltdPties><RmtInf><Ustrd>Invoice INV{document}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>\n",
                decimal(cents, '.')
            ))?;
        }
        sink.put("</Stmt>\n")?;
    }
    sink.put("</BkToCstmrStmt></Document>\n")
}

/// CODA: one account a file within the file.
pub fn coda(bytes: u64, sink: &mut Sink) -> io::Result<()> {
    let line = |text: String| format!("{text:<128}\n");
    let (mut statement, mut balance) = (0, 0);
    while sink.written < bytes {
        statement = statement % 999 + 1;
        let head = format!(
            "0000016032672505        00000000  {:<26}{:<11}00000000000 00000",
            "TIEOUT DISTRIBUTION", "KREDBEBB"
        );
        sink.put(&format!("{head:<127}2\n"))?;
        sink.put(&line(format!(
            "12{statement:03}{:<34}EUR0{:015}130326{:<26}{:<35}{statement:03}",
            "BE68539007547034",
            balance * 10,
            "TIEOUT DISTRIBUTION",
            "CURRENT ACCOUNT"
        )))?;
        let mut sum = 0;
        for place in 1..=LINES_PER_STATEMENT {
            let cents = sink.words.cents();
            sum += cents;
            let (document, name) = (sink.words.document(), sink.words.name());
            sink.put(&line(format!(
                "21{place:04}0000B{document:<20}0{:015}160326001500000{:<53}160326{statement:03}01 0",
                cents * 10,
                format!("INV{document} PAYMENT")
            )))?;
            sink.put(&line(format!(
                "22{place:04}0000{:53}{document:<35}{:11}   {:8}       1 0",
                "", "KREDBEBB", ""
            )))?;
            sink.put(&line(format!(
                "23{place:04}0000{:<37}{name:<35}{:43}0 0",
                "BE71096123456769                  EUR", ""
            )))?;
        }
        balance += sum;
        sink.put(&line(format!(
            "8{statement:03}{:<34}EUR0{:015}160326{:64}0",
            "BE68539007547034",
            balance * 10,
            ""
        )))?;
        let records = 2 + 3 * LINES_PER_STATEMENT;
        let more = if sink.written < bytes { 1 } else { 2 };
        sink.put(&line(format!(
            "9{:15}{records:06}{:015}{:015}{:75}{more}",
            "",
            0,
            sum * 10,
            ""
        )))?;
    }
    Ok(())
}

/// CFONB 120, one account after the other.
pub fn cfonb120(bytes: u64, sink: &mut Sink) -> io::Result<()> {
    let line = |text: String| format!("{text:<120}\n");
    let mut account = 0_u64;
    while sink.written < bytes {
        account += 1;
        let head = |kind: &str, cents: u64, date: &str| {
            format!(
                "{kind}30004    00001EUR2 {account:011}  {date}{:50}{}{:16}",
                "",
                overpunched(cents),
                ""
            )
        };
        sink.put(&line(head("01", 0, "130326")))?;
        let mut sum = 0;
        for _ in 0..LINES_PER_STATEMENT {
            let cents = sink.words.cents();
            sum += cents;
            let (document, name) = (sink.words.document(), sink.words.name());
            sink.put(&line(format!(
                "0430004    00001EUR2 {account:011}05160326  160326{:<31}  {document:07}  {}INV{document:<13}",
                format!("VIR {name}"),
                overpunched(cents)
            )))?;
            sink.put(&line(format!(
                "0530004    00001EUR2 {account:011}05160326     LCC{:<70}",
                format!("FACTURE INV{document}")
            )))?;
        }
        sink.put(&line(head("07", sum, "160326")))?;
    }
    Ok(())
}

/// Fourteen digits, the last with the sign of a credit.
fn overpunched(cents: u64) -> String {
    let last = b"{ABCDEFGHI"[(cents % 10) as usize];
    format!("{:013}{}", cents / 10, char::from(last))
}

/// Norma 43, one account after the other.
pub fn norma43(bytes: u64, sink: &mut Sink) -> io::Result<()> {
    let line = |text: String| format!("{text:<80}\n");
    let (mut account, mut records) = (0_u64, 0_u64);
    while sink.written < bytes {
        account += 1;
        sink.put(&line(format!(
            "1121000418{account:010}2603132603162{:014}9783{:<26}",
            0, "TIEOUT DISTRIBUTION"
        )))?;
        let mut sum = 0;
        for _ in 0..LINES_PER_STATEMENT {
            let cents = sink.words.cents();
            sum += cents;
            let (document, name) = (sink.words.document(), sink.words.name());
            sink.put(&line(format!(
                "22    0418260316260316020012{cents:014}{:010}{document:012}{:<16}",
                document, "TRANSFERENCIA"
            )))?;
            sink.put(&line(format!(
                "2301{:<38}{:<38}",
                name,
                format!("FACTURA INV{document}")
            )))?;
        }
        sink.put(&line(format!(
            "3321000418{account:010}{:05}{:014}{LINES_PER_STATEMENT:05}{sum:014}2{sum:014}978",
            0, 0
        )))?;
        records += 2 + 2 * LINES_PER_STATEMENT;
        // The count has six digits: then the next transmission begins.
        if records > 900_000 || sink.written >= bytes {
            sink.put(&line(format!("88{}{records:06}", "9".repeat(18))))?;
            records = 0;
        }
    }
    Ok(())
}

/// A German bank's CSV with a running balance.
pub fn bank_csv(bytes: u64, sink: &mut Sink) -> io::Result<()> {
    sink.put("Buchungstag;Valuta;Auftraggeber;Verwendungszweck;Betrag;Saldo;Währung\n")?;
    let mut balance = 0;
    while sink.written < bytes {
        let cents = sink.words.cents();
        balance += cents;
        let (document, name) = (sink.words.document(), sink.words.name());
        sink.put(&format!(
            "16.03.2026;16.03.2026;{name};Rechnung INV{document};{};{};EUR\n",
            decimal(cents, ','),
            decimal(balance, ',')
        ))?;
    }
    Ok(())
}
