//! The bank statement in BAI2: lockbox deposits in one sum, ACH credits and wires with what
//! the payer says, some debits, balances that roll forward and totals that tie; and the
//! remittance advice of those who send it, as a CSV file beside it.

use std::io::Write as _;
use std::path::Path;

use anyhow::Result;

use super::advice::Advice;
use super::calendar::{TODAY, yymmdd};
use super::dice::Dice;
use super::lockbox::Deposit;
use super::mix::{Channel, Scenario};
use super::plan::Payment;
use super::reference::Form;
use super::shown::{Morning, Shown, as_text};
use super::sink::{Bystander, Entry, Sink, create};

const FILE: &str = "statement.bai2";
const BANK: &str = "091000019";
const COMPANY: &str = "HARBOR STATE DISTRIBUTING";
const ACCOUNTS: [(&str, &str); 2] = [("4400128871", "USD"), ("4400128897", "CAD")];
/// Characters of a text record after its code and tag.
const TEXT_WIDTH: usize = 64;

/// Writes `statement.bai2` and `remittances.csv`.
pub fn write(morning: &Morning, deposits: &[Deposit], dir: &Path, sink: &mut Sink) -> Result<()> {
    sink.start_file(FILE.to_owned());
    let mut out = create(dir, FILE)?;
    let date = yymmdd(TODAY);
    writeln!(out, "01,{BANK},4400128871,{date},0605,1,,,2/")?;
    writeln!(out, "02,4400128871,{BANK},1,{date},,USD,2/")?;
    let mut advice = Advice::create(dir)?;
    let mut dice = Dice::new(morning.seed, 20);
    // The group's records so far: its 02.
    let (mut total, mut records, mut accounts) = (0, 1, 0);
    for (account, currency) in ACCOUNTS {
        let payments = morning
            .plan
            .arriving(|p| !p.channel.is_check() && morning.currency(p) == currency);
        if payments.is_empty() && currency != "USD" {
            continue;
        }
        let mut page = Page::new(morning, currency, records + 2, &mut dice);
        let lump = if currency == "USD" { deposits } else { &[] };
        page.fill(&payments, lump, &mut advice, sink)?;
        let (sum, count) = page.write(account, &mut out)?;
        total += sum;
        records += count;
        accounts += 1;
    }
    writeln!(out, "98,{total},{accounts},{}/", records + 1)?;
    writeln!(out, "99,{total},1,{}/", records + 3)?;
    out.flush()?;
    advice.finish()
}

/// One account's records, kept until its summary is known.
struct Page<'a> {
    morning: &'a Morning,
    currency: &'static str,
    dice: &'a mut Dice,
    /// Records between the 03 and the 49.
    body: Vec<u8>,
    /// Line of the next record of the body.
    next_line: u32,
    records: u32,
    /// Count and sum.
    credits: (u32, i64),
    debits: (u32, i64),
}

impl<'a> Page<'a> {
    /// A page whose 03 record is on line `line`.
    fn new(morning: &'a Morning, currency: &'static str, line: u32, dice: &'a mut Dice) -> Self {
        Self {
            morning,
            currency,
            dice,
            body: Vec::new(),
            next_line: line + 1,
            records: 0,
            credits: (0, 0),
            debits: (0, 0),
        }
    }

    fn fill(
        &mut self,
        payments: &[u32],
        deposits: &[Deposit],
        advice: &mut Advice,
        sink: &mut Sink,
    ) -> Result<()> {
        for deposit in deposits {
            self.deposit(deposit, sink);
        }
        for &index in payments {
            self.credit(index, advice, sink)?;
        }
        for _ in 0..=payments.len() / 60 {
            self.debit(sink);
        }
        Ok(())
    }

    /// Writes the account's 03, body and 49; returns its control total and record count.
    fn write(self, account: &str, out: &mut impl std::io::Write) -> Result<(i64, u32)> {
        let opening = 125_000_000 + self.debits.1;
        let closing = opening + self.credits.1 - self.debits.1;
        let (credits, debits) = (self.credits, self.debits);
        let currency = self.currency;
        writeln!(
            out,
            "03,{account},{currency},010,{opening},,,015,{closing},,,100,{},{},,400,{},{},/",
            credits.1, credits.0, debits.1, debits.0
        )?;
        out.write_all(&self.body)?;
        let summaries = opening + closing + credits.1 + debits.1;
        let total = summaries + credits.1 + debits.1;
        let records = self.records + 2;
        writeln!(out, "49,{total},{records}/")?;
        Ok((total, records))
    }

    fn put(&mut self, record: &str) {
        self.body.extend_from_slice(record.as_bytes());
        self.body.push(b'\n');
        self.records += 1;
        self.next_line += 1;
    }

    fn bank_reference(&mut self) -> String {
        format!("2603{:04}{:08}", self.dice.below(10_000), self.next_line)
    }

    /// A lockbox's checks in one sum; the customer reference is the lockbox's number.
    fn deposit(&mut self, deposit: &Deposit, sink: &mut Sink) {
        let Deposit { lockbox, total } = *deposit;
        self.stand_by(Scenario::LockboxDeposit, total, sink);
        let reference = self.bank_reference();
        self.credits = (self.credits.0 + 1, self.credits.1 + total);
        self.put(&format!(
            "16,115,{total},0,{reference},{lockbox:07},LOCKBOX DEPOSIT BOX {lockbox:07}"
        ));
    }

    fn debit(&mut self, sink: &mut Sink) {
        let amount = self.dice.between(5_000, 4_000_000);
        self.stand_by(Scenario::Debit, amount, sink);
        self.debits = (self.debits.0 + 1, self.debits.1 + amount);
        let reference = self.bank_reference();
        let number = self.dice.between(20_000, 99_999);
        let (code, customer, text) = match self.dice.below(3) {
            0 => (451, String::new(), "ACH DEBIT PAYROLL SERVICES".to_owned()),
            1 => (475, number.to_string(), format!("CHECK PAID {number}")),
            _ => (495, String::new(), "OUTGOING WIRE".to_owned()),
        };
        self.put(&format!(
            "16,{code},{amount},,{reference},{customer},{text}"
        ));
        if code == 495 {
            self.put("88,BNF NAME:=PACIFIC RIM MILLS LTD");
        }
    }

    fn stand_by(&self, scenario: Scenario, amount: i64, sink: &mut Sink) {
        let place = sink.place(self.next_line);
        sink.bystanders.push(Bystander {
            place,
            scenario,
            amount,
            currency: self.currency,
        });
    }

    fn credit(&mut self, index: u32, advice: &mut Advice, sink: &mut Sink) -> Result<()> {
        let payment = &self.morning.plan.payments[index as usize];
        let mut shown = self.morning.shown(index);
        let line = self.next_line;
        let amount = payment.amount;
        self.credits = (self.credits.0 + 1, self.credits.1 + amount);
        let bank_reference = self.bank_reference();
        let with_advice = payment.channel == Channel::BankAdvice && !shown.cited.is_empty();
        let text = if with_advice {
            String::new()
        } else {
            as_text(&mut shown, payment.form == Form::PurchaseOrder)
        };
        let wire = shown.dice.chance(300);
        let customer_reference = if wire {
            String::new()
        } else {
            format!("E{:010}", 7_000_000 + index)
        };
        if wire {
            self.wire(amount, &bank_reference, &shown, &text);
        } else {
            self.ach(amount, &bank_reference, &customer_reference, &shown, &text);
        }
        if with_advice {
            let reference = if wire {
                &bank_reference
            } else {
                &customer_reference
            };
            advice.add(reference, payment, self.currency, &shown)?;
        }
        note(
            sink,
            payment,
            self.currency,
            index,
            line,
            &shown,
            (!wire, &text),
        )
    }

    fn wire(&mut self, amount: i64, reference: &str, shown: &Shown, text: &str) {
        self.put(&format!("16,195,{amount},0,{reference},,INCOMING WIRE"));
        self.put(&format!("88,ORG:={}", shown.name));
        self.put(&format!("88,BNF NAME:={COMPANY}"));
        self.text("OBI:=", text);
    }

    fn ach(
        &mut self,
        amount: i64,
        reference: &str,
        customer_reference: &str,
        shown: &Shown,
        text: &str,
    ) {
        self.put(&format!(
            "16,142,{amount},0,{reference},{customer_reference},ACH CREDIT RECEIVED"
        ));
        self.put(&format!("88,EREF: {customer_reference}"));
        self.put(&format!("88,DBNM: {}", shown.name));
        if let Some(account) = shown.account {
            self.put(&format!("88,DACT: {}", account.number));
            self.put(&format!("88,DABA: {:09}", account.aba));
        }
        self.text("REMI: ", text);
    }

    /// Text under a tag, continued on further records after a separator.
    fn text(&mut self, tag: &str, text: &str) {
        let mut rest = text;
        let mut tag = tag;
        while !rest.is_empty() {
            let (piece, tail) = rest.split_at(record_end(rest));
            self.put(&format!("88,{tag}{piece}"));
            rest = tail;
            tag = "";
        }
    }
}

/// Where a text record ends: after the last separator that fits.
fn record_end(text: &str) -> usize {
    let cut = if text.len() > TEXT_WIDTH {
        let separator = text[..TEXT_WIDTH].rfind([' ', ',', '/']);
        separator.map_or(TEXT_WIDTH, |at| at + 1)
    } else {
        text.len()
    };
    // A record that ends in a slash would read as terminated: the slash moves down.
    let kept = text[..cut].trim_end();
    if kept.ends_with('/') && kept.len() > 1 {
        kept.len() - 1
    } else {
        cut
    }
}

fn note(
    sink: &mut Sink,
    payment: &Payment,
    currency: &'static str,
    index: u32,
    line: u32,
    shown: &Shown,
    (account_shown, text): (bool, &str),
) -> Result<()> {
    let with_advice = payment.channel == Channel::BankAdvice && !shown.cited.is_empty();
    let numbers: Vec<&str> = shown.cited.iter().map(|c| c.number.as_str()).collect();
    let listed = numbers.join(" ");
    sink.note(&Entry {
        index,
        line,
        currency,
        amount: payment.amount,
        shown,
        account_shown,
        check: "",
        text: if with_advice { &listed } else { text },
        with_lines: with_advice,
    })
}
