//! Formats of US banks, clearing houses, customers and processors.

use std::io;

use super::Sink;
use super::words::decimal;

/// Lines of one account, batch or message; then the next begins.
const LINES_PER_GROUP: u64 = 500;

/// BAI2: one group, many accounts.
pub fn bai2(bytes: u64, sink: &mut Sink) -> io::Result<()> {
    sink.put("01,091000019,4400128871,260316,0605,1,,,2/\n")?;
    sink.put("02,4400128871,091000019,1,260316,,USD,2/\n")?;
    let (mut total, mut accounts, mut records) = (0, 0, 1);
    while sink.written < bytes {
        accounts += 1;
        sink.put(&format!("03,{},USD,,,,/\n", 4_400_000_000_u64 + accounts))?;
        let mut sum = 0;
        for line in 0..LINES_PER_GROUP {
            let cents = sink.words.cents();
            sum += cents;
            let (document, name) = (sink.words.document(), sink.words.name());
            sink.put(&format!(
                "16,142,{cents},0,26031{line:09},{document},{name} INV {document}\n\
                 88,EREF: INV{document} PAYMENT OF INVOICE\n"
            ))?;
        }
        let own = 2 + 2 * LINES_PER_GROUP;
        sink.put(&format!("49,{sum},{own}/\n"))?;
        records += own;
        total += sum;
    }
    sink.put(&format!("98,{total},{accounts},{}/\n", records + 1))?;
    sink.put(&format!("99,{total},1,{}/\n", records + 3))
}

/// Batches of one lockbox and lockboxes of one transmission, so that counts and totals fit their
/// columns.
const BATCHES_PER_LOCKBOX: u64 = 8;
const LOCKBOXES_PER_TRANSMISSION: u64 = 40;

/// A BAI lockbox with an amount for each invoice, in the default layout: transmissions one after
/// the other.
pub fn lockbox(bytes: u64, sink: &mut Sink) -> io::Result<()> {
    while sink.written < bytes {
        put_padded(sink, "10009100001944001288712603160605")?;
        put_padded(sink, "2091000019 4400128871 LOCKBOX   0800800002")?;
        let mut records = 2;
        for number in 1..=LOCKBOXES_PER_TRANSMISSION {
            records += one_lockbox(number, sink)?;
            if sink.written >= bytes {
                break;
            }
        }
        put_padded(sink, &format!("9{:06}", records + 1))?;
    }
    Ok(())
}

/// Writes the batches of lockbox `number`; gives the records.
fn one_lockbox(number: u64, sink: &mut Sink) -> io::Result<u64> {
    let (mut checks, mut total) = (0, 0);
    for batch in 1..=BATCHES_PER_LOCKBOX {
        put_padded(sink, &format!("5{batch:03}000{number:07}260316"))?;
        let mut sum = 0;
        for item in 1..=LINES_PER_GROUP {
            let cents = sink.words.cents();
            sum += cents;
            let (document, name) = (sink.words.document(), sink.words.name());
            let (account, check) = (sink.words.document(), sink.words.document());
            put_padded(
                sink,
                &format!(
                    "6{batch:03}{item:03}{cents:010}021000021{account:010}{check:010}031626{name}"
                ),
            )?;
            put_padded(
                sink,
                &format!("4{batch:03}{item:03}6019INV{document:<12}{cents:010}0000000000"),
            )?;
        }
        let count = LINES_PER_GROUP;
        put_padded(
            sink,
            &format!("7{batch:03}000{number:07}260316{count:03}{sum:010}"),
        )?;
        checks += count;
        total += sum;
    }
    put_padded(
        sink,
        &format!("8000000{number:07}260316{checks:04}{total:010}"),
    )?;
    Ok(1 + BATCHES_PER_LOCKBOX * (2 + 2 * LINES_PER_GROUP))
}

fn put_padded(sink: &mut Sink, record: &str) -> io::Result<()> {
    sink.put(&format!("{record:<80}\n"))
}

/// Batches of one NACHA file, so that its total has no more than twelve digits.
const BATCHES_PER_FILE: u64 = 1_500;

/// NACHA: CCD credits with one addendum each, files one after the other.
pub fn nacha(bytes: u64, sink: &mut Sink) -> io::Result<()> {
    while sink.written < bytes {
        nacha_file(bytes, sink)?;
    }
    Ok(())
}

fn nacha_file(bytes: u64, sink: &mut Sink) -> io::Result<()> {
    put_record(
        sink,
        "101 091000019 0440012882603160605A094101FIRST BANK             NORTHWIND TRADING",
    )?;
    let count = 2 * LINES_PER_GROUP;
    let (mut batches, mut hash, mut total) = (0, 0, 0);
    while sink.written < bytes && batches < BATCHES_PER_FILE {
        batches += 1;
        let sum = nacha_batch(batches, sink)?;
        hash += LINES_PER_GROUP * RECEIVER;
        total += sum;
    }
    let records = 2 + batches * (2 + count);
    let blocks = records.div_ceil(10);
    put_record(
        sink,
        &format!(
            "9{batches:06}{blocks:06}{:08}{:010}{:012}{total:012}",
            batches * count,
            hash % 10_000_000_000,
            0
        ),
    )?;
    for _ in records..blocks * 10 {
        sink.put(&format!("{}\n", "9".repeat(94)))?;
    }
    Ok(())
}

/// The first eight digits of the bank that the entries go to, as the hash counts them.
const RECEIVER: u64 = 2_100_002;

/// Writes batch `number`; gives the sum of its entries.
fn nacha_batch(number: u64, sink: &mut Sink) -> io::Result<u64> {
    put_record(
        sink,
        &format!(
            "5220NORTHWIND TRADIN                    1044001288CCDPAYMENT   260316260316   109100001{number:07}"
        ),
    )?;
    let mut sum = 0;
    for entry in 1..=LINES_PER_GROUP {
        let cents = sink.words.cents();
        let (document, name) = (sink.words.document(), sink.words.name());
        let account = sink.words.document();
        let trace = format!("09100001{entry:07}");
        put_record(
            sink,
            &format!("622021000021{account:<17}{cents:010}{document:<15}{name:<22}  1{trace}"),
        )?;
        let text = format!("RMR*IV*INV{document}*PI*{}\\", decimal(cents, '.'));
        put_record(sink, &format!("705{text:<80}0001{entry:07}"))?;
        sum += cents;
    }
    let (count, hash) = (2 * LINES_PER_GROUP, LINES_PER_GROUP * RECEIVER);
    put_record(
        sink,
        &format!(
            "8220{count:06}{:010}{:012}{sum:012}1044001288{:25}09100001{number:07}",
            hash % 10_000_000_000,
            0,
            ""
        ),
    )?;
    Ok(sum)
}

fn put_record(sink: &mut Sink, record: &str) -> io::Result<()> {
    sink.put(&format!("{record:<94}\n"))
}

/// Transaction sets of one interchange, so that their count has no more than six digits.
const SETS_PER_INTERCHANGE: u64 = 900_000;

/// X12 820: one payment a transaction set, a few invoices each; interchanges one after the other.
pub fn x12_820(bytes: u64, sink: &mut Sink) -> io::Result<()> {
    let mut interchange = 0;
    while sink.written < bytes {
        interchange += 1;
        x12_interchange(interchange, bytes, sink)?;
    }
    Ok(())
}

fn x12_interchange(number: u64, bytes: u64, sink: &mut Sink) -> io::Result<()> {
    const INVOICES: u64 = 8;
    sink.put(&format!(
        "ISA*00*          *00*          *ZZ*NORTHWIND      *ZZ*FIRSTBANK      *260316*0605*U*00401*{number:09}*0*P*>~\n\
         GS*RA*NORTHWIND*FIRSTBANK*20260316*0605*1*X*004010~\n"
    ))?;
    let mut sets = 0;
    while sink.written < bytes && sets < SETS_PER_INTERCHANGE {
        sets += 1;
        let amounts: Vec<u64> = (0..INVOICES).map(|_| sink.words.cents()).collect();
        let total: u64 = amounts.iter().sum();
        let name = sink.words.name();
        sink.put(&format!(
            "ST*820*{sets:09}~\n\
             BPR*C*{}*C*ACH*CTX*01*021000021*DA*123456789*1044001288**01*091000019*DA*987654321*20260316~\n\
             TRN*1*TR{number}{sets:09}~\nN1*PR*{name}~\nN1*PE*TIEOUT DISTRIBUTION~\nENT*1~\n",
            decimal(total, '.')
        ))?;
        for cents in amounts {
            let document = sink.words.document();
            let amount = decimal(cents, '.');
            sink.put(&format!(
                "RMR*IV*INV{document}*PO*{amount}*{amount}*0.00~\nDTM*003*20260210~\n"
            ))?;
        }
        sink.put(&format!("SE*{}*{sets:09}~\n", 7 + 2 * INVOICES))?;
    }
    sink.put(&format!("GE*{sets}*1~\nIEA*1*{number:09}~\n"))
}

/// OFX 1.0.2.
pub fn ofx(bytes: u64, sink: &mut Sink) -> io::Result<()> {
    sink.put(
        "OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nSECURITY:NONE\nENCODING:USASCII\nCHARSET:1252\n\
         COMPRESSION:NONE\nOLDFILEUID:NONE\nNEWFILEUID:NONE\n\n<OFX><SIGNONMSGSRSV1><SONRS><STATUS>\
         <CODE>0<SEVERITY>INFO</STATUS><DTSERVER>20260316060500<LANGUAGE>ENG</SONRS></SIGNONMSGSRSV1>\n\
         <BANKMSGSRSV1><STMTTRNRS><TRNUID>1<STATUS><CODE>0<SEVERITY>INFO</STATUS><STMTRS><CURDEF>USD\n\
         <BANKACCTFROM><BANKID>091000019<ACCTID>4400128871<ACCTTYPE>CHECKING</BANKACCTFROM>\n\
         <BANKTRANLIST><DTSTART>20260301<DTEND>20260316\n",
    )?;
    let (mut number, mut total) = (0, 0);
    while sink.written < bytes {
        number += 1;
        let cents = sink.words.cents();
        total += cents;
        let (document, name) = (sink.words.document(), sink.words.name());
        sink.put(&format!(
            "<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20260316120000[-5:EST]<TRNAMT>{}<FITID>20260316{number:09}\n\
             <NAME>{name}<MEMO>INV {document} PAYMENT</STMTTRN>\n",
            decimal(cents, '.')
        ))?;
    }
    sink.put(&format!(
        "</BANKTRANLIST><LEDGERBAL><BALAMT>{}<DTASOF>20260316</LEDGERBAL></STMTRS></STMTTRNRS>\
         </BANKMSGSRSV1></OFX>\n",
        decimal(total, '.')
    ))
}

/// Stripe's payout reconciliation report.
pub fn stripe(bytes: u64, sink: &mut Sink) -> io::Result<()> {
    sink.put(
        "balance_transaction_id,created_utc,available_on_utc,currency,gross,fee,net,reporting_category,\
         source_id,description,customer_facing_amount,automatic_payout_id,payment_intent_id\n",
    )?;
    let mut number = 0_u64;
    while sink.written < bytes {
        number += 1;
        let cents = sink.words.cents();
        let fee = cents * 29 / 1_000 + 30;
        let document = sink.words.document();
        sink.put(&format!(
            "txn_{number:016},2026-03-14 12:{:02}:05,2026-03-16 00:00:00,usd,{},{},{},charge,ch_{number:016},\
             INV {document},{},po_{:016},pi_{number:016}\n",
            number % 60,
            decimal(cents, '.'),
            decimal(fee, '.'),
            decimal(cents - fee, '.'),
            decimal(cents, '.'),
            number / 1_000
        ))?;
    }
    Ok(())
}
