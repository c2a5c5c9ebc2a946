//! camt.052, .053 and .054: accounts with their balances and entries.

use tieout_core::{Amount, Currency, FindingCode, Severity};

use super::balance::{self, RollForward};
use super::detail::Owner;
use super::entry::{Account, Entry};
use super::message::Message;
use super::oddity::Oddity;
use super::reader::{Body, Output, Trouble};
use super::summary::{self, Summary};
use super::value::{Refusal, shared};
use crate::format::{NumberedStatement, ReadError};
use crate::intake::Notice;
use crate::rows::BookingStatus;
use crate::xml::{Element, Extent};

/// Elements of a report that say nothing about money or are read elsewhere.
const STRUCTURE: [&str; 16] = [
    "StmtPgntn",
    "RptPgntn",
    "NtfctnPgntn",
    "RptgSeq",
    "LglSeqNb",
    "CreDtTm",
    "FrToDt",
    "CpyDplctInd",
    "RptgSrc",
    "RltdAcct",
    "Intrst",
    "AddtlStmtInf",
    "AddtlRptInf",
    "AddtlNtfctnInf",
    "SplmtryData",
    "RptPrd",
];

/// Elements that an entry may have.
const ENTRY_PARTS: [&str; 23] = [
    "NtryRef",
    "Amt",
    "CdtDbtInd",
    "RvslInd",
    "Sts",
    "BookgDt",
    "ValDt",
    "AcctSvcrRef",
    "Avlbty",
    "BkTxCd",
    "ComssnWvrInd",
    "AddtlInfInd",
    "AmtDtls",
    "Chrgs",
    "TechInptChanl",
    "Intrst",
    "CardTx",
    "NtryDtls",
    "AddtlNtryInf",
    "Btch",
    "TxDtls",
    "MktPrctc",
    "SplmtryData",
];

/// Elements that a payment behind an entry may have.
const DETAIL_PARTS: [&str; 29] = [
    "Refs",
    "Amt",
    "CdtDbtInd",
    "AmtDtls",
    "Avlbty",
    "BkTxCd",
    "Chrgs",
    "Intrst",
    "RltdPties",
    "RltdAgts",
    "LclInstrm",
    "PmtTpInf",
    "Purp",
    "RltdRmtInf",
    "RmtInf",
    "RltdDts",
    "RltdPric",
    "RltdQties",
    "FinInstrmId",
    "Tax",
    "RtrInf",
    "CorpActn",
    "SfkpgAcct",
    "CshDpst",
    "CardTx",
    "AddtlTxInf",
    "SplmtryData",
    "Poi",
    "AcctSvcrTxRef",
];

/// One report of an account.
#[derive(Default)]
struct Report {
    account: Account,
    line: u64,
    number: String,
    is_numbered: bool,
    roll: RollForward,
    summary: Summary,
    /// Entries in quarantine: nothing can tie.
    refused: u64,
    /// The entry that comes in pieces.
    pieces: Option<Pieces>,
}

impl Report {
    /// The statement as it is held against those of other files, if it has a number.
    fn numbered(&self) -> Option<NumberedStatement> {
        if self.account.message != "camt.053" {
            return None;
        }
        let currency = self.account.currency?;
        let (opening, closing, date) = self.roll.stated(currency);
        Some(NumberedStatement {
            file: String::new(),
            line: self.line,
            series: "camt.053",
            account: self.account.owner.account.clone(),
            currency,
            number: self.number.parse().ok()?,
            page: 0,
            date,
            opening,
            closing,
        })
    }
}

/// An entry with so many payments that they are read piece by piece.
enum Pieces {
    /// It goes into quarantine at its end.
    Refused(Refusal),
    /// The sum of the payments so far.
    Read(Amount),
}

/// Reads reports.
pub(super) struct Reports {
    message: &'static Message,
    report: Report,
}

impl Reports {
    pub fn new(message: &'static Message) -> Self {
        Self {
            message,
            report: Report::default(),
        }
    }

    fn entry(
        &mut self,
        element: Element<'_>,
        extent: Extent,
        out: &mut Output<'_>,
    ) -> Result<(), Trouble> {
        Self::note_parts(element, out);
        let is_in_pieces = extent == Extent::Paused || self.report.pieces.is_some();
        if is_in_pieces {
            return self.piece(element, extent, out);
        }
        let entry = self.check(element, out)??;
        let account = &self.report.account;
        let is_whole = extent == Extent::Whole;
        let (rows, intake) = (&mut out.rows, &mut out.intake);
        entry.write(account, is_whole, rows, intake, &mut out.oddities)?;
        Ok(())
    }

    /// Checks an entry and takes its amount.
    fn check<'t>(
        &mut self,
        element: Element<'t>,
        out: &mut Output<'_>,
    ) -> Result<Result<Entry<'t>, Refusal>, ReadError> {
        self.number(out)?;
        if element.at(&["Sts"]).is_none() {
            let oddity = Oddity {
                severity: Severity::Warning,
                code: FindingCode::MissingRecord,
                what: "entries without `Sts`".into(),
                expected: "BOOK, PDNG or INFO",
                action: "They were read as booked.",
            };
            out.oddities.note(oddity, element.line(), 1);
        }
        let report = &mut self.report;
        let checked = Entry::check(element, &report.account);
        match &checked {
            Ok(entry) => {
                report.summary.entry(entry);
                if entry.status == BookingStatus::Booked {
                    report.roll.entry(entry.currency, entry.signed_amount());
                }
            }
            Err(_) => report.refused += 1,
        }
        Ok(checked)
    }

    /// Reads the next payments of an entry whose first ones were read before, or the first ones.
    fn piece(
        &mut self,
        element: Element<'_>,
        extent: Extent,
        out: &mut Output<'_>,
    ) -> Result<(), Trouble> {
        let before = match self.report.pieces.take() {
            Some(Pieces::Refused(refusal)) => Err(refusal),
            Some(Pieces::Read(sum)) => {
                Entry::check(element, &self.report.account).map(|entry| (entry, sum))
            }
            None => self.check(element, out)?.map(|entry| (entry, Amount::ZERO)),
        };
        let is_last = extent != Extent::Paused;
        let (entry, sum) = match before {
            Ok(before) => before,
            Err(refusal) if is_last => return Err(refusal.into()),
            Err(refusal) => {
                self.report.pieces = Some(Pieces::Refused(refusal));
                return Ok(());
            }
        };
        let account = &self.report.account;
        let (rows, intake) = (&mut out.rows, &mut out.intake);
        let sum = sum + entry.write_piece(account, rows, intake, &mut out.oddities)?;
        if is_last {
            entry.check_pieces(sum, &mut out.oddities);
        } else {
            self.report.pieces = Some(Pieces::Read(sum));
        }
        Ok(())
    }

    fn note_parts(element: Element<'_>, out: &mut Output<'_>) {
        for part in element.children() {
            if !ENTRY_PARTS.contains(&part.name()) {
                out.oddities
                    .unknown_element(part.name(), "Ntry", part.line());
            }
        }
        for group in element.all("NtryDtls") {
            for part in group.all("TxDtls").flat_map(Element::children) {
                if !DETAIL_PARTS.contains(&part.name()) {
                    out.oddities
                        .unknown_element(part.name(), "TxDtls", part.line());
                }
            }
        }
    }

    /// Compares the statement's number with that before, once it is known whose it is.
    fn number(&mut self, out: &mut Output<'_>) -> Result<(), ReadError> {
        let report = &mut self.report;
        if std::mem::replace(&mut report.is_numbered, true) || report.number.is_empty() {
            return Ok(());
        }
        let account = &report.account.owner.account;
        let notice = out.pages.statement(account, &report.number, report.line);
        out.tell(notice)
    }

    fn balance(&mut self, element: Element<'_>, out: &mut Output<'_>) -> Result<(), Trouble> {
        let account = &mut self.report.account;
        let row = balance::read(element, &account.owner.account, account.currency)?;
        account.currency.get_or_insert(row.currency);
        self.report.roll.balance(&row);
        out.balances.push(&row, &mut out.intake)?;
        Ok(())
    }

    fn summary(&mut self, element: Element<'_>, out: &mut Output<'_>) -> Result<(), ReadError> {
        self.report.summary.tell(element);
        let account = &self.report.account;
        let Some(currency) = account.currency else {
            return Ok(());
        };
        for row in summary::rows(element, &account.owner.account, currency) {
            out.balances.push(&row, &mut out.intake)?;
        }
        Ok(())
    }

    fn account(&mut self, element: Element<'_>) {
        let account = &mut self.report.account;
        account.owner = Owner::of(element);
        let currency = element.text_at(&["Ccy"]);
        account.currency = Currency::parse(currency.as_bytes()).ok();
    }
}

impl Body for Reports {
    fn is_container(&self, name: &str) -> bool {
        matches!(name, "Stmt" | "Rpt" | "Ntfctn")
    }

    fn enter(&mut self, _name: &str, line: u64) {
        self.report = Report {
            line,
            ..Report::default()
        };
        self.report.account.message = self.message.name;
    }

    fn unit(
        &mut self,
        element: Element<'_>,
        parent: &str,
        extent: Extent,
        out: &mut Output<'_>,
    ) -> Result<(), Trouble> {
        match element.name() {
            "GrpHdr" => {
                if let Some(pagination) = element.at(&["MsgPgntn"]) {
                    let notice = out.pages.page(pagination);
                    out.tell(notice)?;
                }
                Ok(())
            }
            "Ntry" if self.is_container(parent) => self.entry(element, extent, out),
            "Bal" => self.balance(element, out),
            "TxsSummry" => Ok(self.summary(element, out)?),
            "Acct" => {
                self.account(element);
                Ok(())
            }
            "Id" => {
                shared(element.text()).clone_into(&mut self.report.account.statement_id);
                Ok(())
            }
            "ElctrncSeqNb" => {
                shared(element.text()).clone_into(&mut self.report.number);
                Ok(())
            }
            name => {
                if !STRUCTURE.contains(&name) {
                    out.oddities.unknown_element(name, parent, element.line());
                }
                Ok(())
            }
        }
    }

    fn leave(&mut self, _name: &str, out: &mut Output<'_>) -> Result<(), ReadError> {
        self.number(out)?;
        let report = &self.report;
        if let Some(statement) = report.numbered() {
            out.intake.statement(statement)?;
        }
        if report.refused > 0 {
            return Ok(());
        }
        let account = &report.account.owner.account;
        let notices: Vec<Notice> = if self.message.name == "camt.053" {
            let roll = report.roll.check(account, report.line);
            roll.chain(report.summary.check()).collect()
        } else if report.summary.has_no_entries() {
            // Some banks report totals alone during the day.
            Vec::new()
        } else {
            report.summary.check().collect()
        };
        for notice in notices {
            out.tell(Some(notice))?;
        }
        Ok(())
    }

    fn finish(&mut self, _out: &mut Output<'_>) -> Result<(), ReadError> {
        Ok(())
    }
}
