//! Walks the records of a CNAB 400 file.

use std::borrow::Cow;

use tieout_core::{Amount, FindingCode, QuarantineReason, Severity};

use super::RECORD_BYTES;
use super::layout::{Choice, Layout};
use crate::cnab::{Company, Events, Span, Title, account_name, date_at, field, money_at, said};
use crate::fixed::{columns, digits, trimmed};
use crate::format::{Counts, ReadError};
use crate::intake::Notice;
use crate::lines::Line;
use crate::national::{Desk, Oddity, RecordReader, Refusal, control_count, control_total, decode};

const COMPLEMENTS: Oddity = Oddity {
    severity: Severity::Info,
    code: FindingCode::UnexpectedRecord,
    what: "records that go with a title (fines, messages, apportionment)",
    expected: "",
    action: "The title is read without them.",
};
const OUT_OF_SEQUENCE: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::ControlCount,
    what: "records whose number is not their place",
    expected: "numbers from 1 in columns 395 to 400",
    action: "Look whether records between them are missing.",
};

const LONG: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::UnexpectedRecord,
    what: "titles longer than their record",
    expected: "400 characters, or 444 with an invoice key",
    action: "Fields behind the surplus are not where they should be; compare them with the bank's \
             report.",
};
/// Characters of a title with the key of its invoice.
const WITH_INVOICE_BYTES: usize = 444;

/// Titles of one kind.
#[derive(Clone, Copy, Default)]
struct Sum {
    count: u64,
    face: Amount,
}

pub(super) struct Reader<'a> {
    desk: Desk<'a>,
    choice: Choice,
    company: Company,
    /// The header came, and no trailer yet.
    is_open: bool,
    has_title: bool,
    records: u64,
    /// What was read for each count of the trailer.
    sums: Vec<Sum>,
}

impl<'a> RecordReader<'a> for Reader<'a> {
    fn record(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        let first = columns(line.bytes, 1, 1);
        if first == b"0" {
            self.begin(line)?;
        }
        self.records += 1;
        self.check_number(line);
        let outcome = match first {
            b"0" => Ok(()),
            b"9" => return self.end(line),
            _ if !self.is_open => Err((
                QuarantineReason::MisplacedRecord,
                "it stands before the header or behind the trailer".to_owned(),
            )),
            _ if self.choice.layout.is_title(line.bytes) => self.title(line)?,
            [b'2'..=b'8'] if self.has_title => {
                self.desk.note(&COMPLEMENTS, line.number, String::new);
                Ok(())
            }
            _ => Err((
                QuarantineReason::UnknownRecord,
                "the record is no title of this bank's layout, and goes with none".to_owned(),
            )),
        };
        outcome.or_else(|refusal| self.desk.refuse(line, refusal))
    }

    fn desk(&mut self) -> &mut Desk<'a> {
        &mut self.desk
    }
}

impl<'a> Reader<'a> {
    /// Reads a file by the layout of its choice, and says which that is.
    pub fn new(mut desk: Desk<'a>, choice: Option<Choice>) -> Result<Self, ReadError> {
        let Some(choice) = choice else {
            return Err(ReadError::Internal {
                file: String::new(),
                message: "no CNAB 400 layout".to_owned(),
            });
        };
        desk.set_profile(&choice.layout.name);
        desk.report(Some(chosen(choice)))?;
        Ok(Self {
            sums: vec![Sum::default(); choice.layout.trailer.len()],
            desk,
            choice,
            company: Company::default(),
            is_open: false,
            has_title: false,
            records: 0,
        })
    }

    fn layout(&self) -> &'static Layout {
        self.choice.layout
    }

    fn begin(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        if self.is_open {
            let found = "the file before this header has no trailer".to_owned();
            self.desk
                .missing(line.number, found, "a record 9 before this line")?;
        }
        let layout = self.layout();
        let bank = decode(columns(line.bytes, 77, 79)).into_owned();
        let date = date_at(line.bytes, layout.file_date, "").ok().flatten();
        let date = date.map(|date| date.to_string()).unwrap_or_default();
        let account = account_name(bank.as_bytes(), field(line.bytes, layout.account));
        self.company = Company {
            format: "cnab400",
            file_id: format!("{bank}/{date}"),
            statement_id: format!("{account}/{date}"),
            account,
            name: decode(trimmed(line.bytes, 47, 76)).into_owned(),
            events: Events::of("cnab400", &bank),
            bank,
        };
        self.is_open = true;
        self.has_title = false;
        self.records = 0;
        self.sums.fill(Sum::default());
        Ok(())
    }

    fn check_number(&mut self, line: &Line<'_>) {
        let number = digits(columns(line.bytes, 395, 400));
        let place = i128::from(self.records);
        if let Some(number) = number.filter(|&number| number != place) {
            let words = || format!("{number} stands at {place}");
            self.desk.note(&OUT_OF_SEQUENCE, line.number, words);
        }
    }

    fn title(&mut self, line: &Line<'_>) -> Result<Result<(), Refusal>, ReadError> {
        self.has_title = true;
        let length = line.bytes.trim_ascii_end().len();
        if length > RECORD_BYTES && length != WITH_INVOICE_BYTES {
            let words = || format!("{length} characters");
            self.desk.note(&LONG, line.number, words);
        }
        self.set_account(line.bytes);
        let title = if self.choice.is_return {
            self.returned(line)
        } else {
            self.ordered(line)
        };
        let title = match title {
            Ok(title) => title,
            Err(refusal) => return Ok(Err(refusal)),
        };
        for (sum, trailer) in self.sums.iter_mut().zip(&self.choice.layout.trailer) {
            if trailer.event.is_empty() || title.event == trailer.event {
                sum.count += 1;
                sum.face += title.face;
            }
        }
        let (company, desk) = (&self.company, &mut self.desk);
        if self.choice.is_return {
            title.returned(company, desk)?;
        } else {
            title.ordered(company, desk)?;
        }
        Ok(Ok(()))
    }

    /// Takes the account from a title, in layouts that have it there.
    fn set_account(&mut self, record: &[u8]) {
        let layout = self.layout();
        if !(layout.is_account_in_title && self.choice.is_return) {
            return;
        }
        let number = field(record, layout.account);
        let account = account_name(self.company.bank.as_bytes(), number);
        if account != self.company.account {
            let (_, date) = self.company.file_id.split_once('/').unwrap_or_default();
            self.company.statement_id = format!("{account}/{date}");
            self.company.account = account;
        }
    }

    fn returned<'l>(&self, line: &Line<'l>) -> Result<Title<'l>, Refusal> {
        let (record, at) = (line.bytes, &self.layout().returned);
        let paid = money_at(record, at.paid, "amount paid")?;
        let credited = money_at(record, at.credited, "amount credited")?;
        Ok(Title {
            line: line.number,
            bytes: line.start..line.end,
            event: event(record, at.event, &at.event_if_blank),
            our_number: said(field(record, at.our_number)),
            document: said(field(record, at.document)),
            company_use: said(field(record, at.company_use)),
            payer_name: said(field(record, at.payer_name)),
            payer_id: Cow::Borrowed(""),
            reasons: decode(field(record, at.reasons)),
            event_date: date_at(record, at.event_date, "date of the event")?,
            due_date: date_at(record, at.due_date, "due date")?,
            credit_date: date_at(record, at.credit_date, "credit date")?,
            face: money_at(record, at.face, "amount of the title")?,
            credited: if credited.is_zero() { paid } else { credited },
            discount: money_at(record, at.discount, "discount")?,
            rebate: money_at(record, at.rebate, "rebate")?,
            interest: money_at(record, at.interest, "interest")?
                + money_at(record, at.other_credits, "other credits")?,
            fee: money_at(record, at.fee, "fee")?,
        })
    }

    fn ordered<'l>(&self, line: &Line<'l>) -> Result<Title<'l>, Refusal> {
        let (record, at) = (line.bytes, &self.layout().order);
        Ok(Title {
            line: line.number,
            bytes: line.start..line.end,
            event: event(record, at.event, &at.event_if_blank),
            our_number: said(field(record, at.our_number)),
            document: said(field(record, at.document)),
            company_use: said(field(record, at.company_use)),
            payer_name: said(field(record, at.payer_name)),
            payer_id: said(field(record, at.payer_id)),
            due_date: date_at(record, at.due_date, "due date")?,
            face: money_at(record, at.face, "amount of the title")?,
            ..Title::default()
        })
    }

    fn end(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        if !std::mem::take(&mut self.is_open) {
            let message = "a trailer (9) without a header (0)".to_owned();
            let refusal = (QuarantineReason::MisplacedRecord, message);
            return self.desk.refuse(line, refusal);
        }
        self.has_title = false;
        if !self.choice.is_return {
            return Ok(());
        }
        for (sum, at) in self.sums.iter().zip(&self.choice.layout.trailer) {
            let what = if at.event.is_empty() {
                "titles".to_owned()
            } else {
                format!("titles with event {}", at.event)
            };
            let count = digits(field(line.bytes, at.count)).and_then(|c| u64::try_from(c).ok());
            if let Some(count) = count {
                let what = format!("the trailer's count of {what} is");
                let notice = control_count(&what, line.number, count, sum.count);
                self.desk.report(notice)?;
            }
            if let Ok(total) = money_at(line.bytes, at.total, "") {
                let what = format!("the trailer's total of {what} is");
                let notice = control_total(&what, line.number, total, sum.face);
                self.desk.report(notice)?;
            }
        }
        Ok(())
    }

    /// Hands over what is left.
    pub fn finish(mut self, size: (u64, u64)) -> Result<Counts, ReadError> {
        if self.is_open || self.records == 0 {
            let found = "the file ends without its trailer".to_owned();
            self.desk.truncated(found, "a record 9")?;
        }
        self.desk.finish(size)
    }
}

fn event<'l>(record: &'l [u8], at: Span, if_blank: &str) -> Cow<'l, str> {
    let event = field(record, at);
    if event.is_empty() {
        return Cow::Owned(if_blank.to_owned());
    }
    decode(event)
}

/// What to say of the layout that was chosen.
fn chosen(choice: Choice) -> Notice {
    let name = &choice.layout.name;
    if choice.is_known {
        return Notice {
            severity: Severity::Info,
            code: FindingCode::ProfileChosen,
            line: None,
            found: format!("layout {name}"),
            expected: String::new(),
            action: "Compare a few titles with the bank's report if it is new to you.".into(),
        };
    }
    Notice {
        severity: Severity::Warning,
        code: FindingCode::ProfileUncertain,
        line: Some(1),
        found: "no layout of this bank fits".to_owned(),
        expected: "a bank whose columns are known".to_owned(),
        action: "It is read by the columns that most banks share; compare every field with the \
                 bank's guide before you rely on it."
            .into(),
    }
}
