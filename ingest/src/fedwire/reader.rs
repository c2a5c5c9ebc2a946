//! Puts tags together to messages and hands over what they become.

use tieout_core::check_digits::is_routing_number;
use tieout_core::{FindingCode, QuarantineReason, Severity};

use super::entry::Entry;
use super::framing::Piece;
use super::message::Message;
use super::remittance::Documents;
use super::tags::{Tag, name};
use crate::format::{Counts, ReadError};
use crate::intake::Intake;
use crate::lines::Line;
use crate::oddities::{Oddities, Oddity};
use crate::rows::{BankLines, PaymentInstruction, TableRows, decode};

/// Tags that every message has, beside the amount.
const MANDATORY: &[Tag] = &[1500, 1510, 1520, 3100, 3400, 3600];
const FUNCTIONS: &[&[u8]] = &[
    b"BTR", b"CKS", b"CTP", b"CTR", b"DEP", b"DRB", b"DRC", b"DRW", b"FFR", b"FFS", b"SVC",
];

static MISSING_TAG: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::MissingRecord,
    what: "tags missing from messages",
    expected: "{1500}, {1510}, {1520}, {3100}, {3400} and {3600} in every message",
    action: "The message was read without them; ask for it again.",
};
static UNKNOWN_FUNCTION: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::UnknownCode,
    what: "messages with an unknown business function {3600}",
    expected: "BTR, CKS, CTP, CTR, DEP, DRB, DRC, DRW, FFR, FFS or SVC",
    action: "They were read as payments; look whether they are.",
};
static TEST: Oddity = Oddity {
    severity: Severity::Info,
    code: FindingCode::TestDelivery,
    what: "test messages",
    expected: "",
    action: "They were read as information and not booked.",
};
static DUPLICATE: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::RepeatedDelivery,
    what: "messages that their sender marked as possible duplicates",
    expected: "",
    action: "A copy with the same accountability data {1520} counts once.",
};
static ROUTING: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::CheckDigit,
    what: "routing numbers with a wrong check digit",
    expected: "nine digits, the last by weights 3, 7, 1",
    action: "Look whether the bank is the one that the message names.",
};
static DOCUMENT_AMOUNT: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::UnknownCode,
    what: "messages with remittance amounts that do not read",
    expected: "a currency and a decimal number",
    action: "The documents were kept without them.",
};
static DOCUMENT_SUM: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::ControlTotal,
    what: "messages with documents whose figures do not tie",
    expected: "gross less discount and adjustment as the amount paid",
    action: "Ask the payer which figure is right.",
};

pub(super) struct Reader<'a> {
    intake: Intake<'a>,
    rows: BankLines,
    instructions: TableRows<PaymentInstruction<'static>>,
    oddities: Oddities,
    message: Message,
    refused: Option<u64>,
}

impl<'a> Reader<'a> {
    pub fn new(intake: Intake<'a>, batch_rows: usize) -> Self {
        Self {
            rows: BankLines::new(intake.file_name(), batch_rows),
            instructions: TableRows::new(intake.file_name(), batch_rows),
            intake,
            oddities: Oddities::default(),
            message: Message::default(),
            refused: None,
        }
    }

    /// Takes the next piece.
    pub fn piece(&mut self, piece: &Piece<'_>) -> Result<(), ReadError> {
        if piece.bytes.is_empty() {
            return Ok(());
        }
        if piece.is_unfinished_tag() {
            let message = "the file ends inside a tag; ask for it again";
            return self.refuse_piece(piece, QuarantineReason::BadStructure, message);
        }
        let Some(tag) = piece.tag else {
            if self.message.is_empty() {
                let message = "the text stands before any tag";
                return self.refuse_piece(piece, QuarantineReason::MisplacedRecord, message);
            }
            self.message.add(piece);
            return Ok(());
        };
        if self.message.is_complete_before(tag) {
            self.end_message()?;
        }
        if name(tag).is_none() {
            let message = "FAIM has no such tag; ask the sender what it means";
            return self.refuse_piece(piece, QuarantineReason::UnknownRecord, message);
        }
        self.message.add(piece);
        Ok(())
    }

    fn refuse_piece(
        &mut self,
        piece: &Piece<'_>,
        reason: QuarantineReason,
        message: &str,
    ) -> Result<(), ReadError> {
        let line = Line {
            number: piece.line,
            start: piece.start,
            end: piece.end,
            bytes: piece.bytes,
            is_cut: false,
        };
        self.refused.get_or_insert(piece.line);
        Ok(self.intake.quarantine(&line, reason, message)?)
    }

    fn end_message(&mut self) -> Result<(), ReadError> {
        let message = std::mem::take(&mut self.message);
        if message.is_empty() {
            return Ok(());
        }
        let entry = match Entry::check(&message) {
            Ok(entry) => entry,
            Err((reason, words)) => {
                self.refused.get_or_insert(message.line_number());
                return Ok(self.intake.quarantine(&message.line(), reason, words)?);
            }
        };
        let documents = Documents::of(&message);
        self.note(&message, &entry, &documents);
        entry.write(&documents, &mut self.rows, &mut self.intake)?;
        entry.instruct(&mut self.instructions, &mut self.intake)
    }

    fn note(&mut self, message: &Message, entry: &Entry<'_>, documents: &Documents<'_>) {
        let line = message.line_number();
        for tag in MANDATORY.iter().filter(|tag| !message.has(**tag)) {
            let name = format!("{{{tag}}}");
            self.oddities.note(&MISSING_TAG, line, &name);
        }
        let function = message.element(3600, 0);
        if message.has(3600) && !FUNCTIONS.contains(&function) {
            self.oddities
                .note(&UNKNOWN_FUNCTION, line, &decode(function));
        }
        for tag in [3100, 3400] {
            let number = message.element(tag, 0);
            if message.has(tag) && !is_routing_number(number) {
                self.oddities.note(&ROUTING, line, &decode(number));
            }
        }
        if entry.is_test() {
            self.oddities.note(&TEST, line, "");
        }
        if entry.may_be_duplicate() {
            self.oddities.note(&DUPLICATE, line, "");
        }
        if let Some(line) = documents.unreadable {
            self.oddities.note(&DOCUMENT_AMOUNT, line, "");
        }
        if !documents.tie() {
            self.oddities.note(&DOCUMENT_SUM, line, "");
        }
    }

    /// Hands over what is left.
    pub fn finish(mut self, (bytes, lines): (u64, u64)) -> Result<Counts, ReadError> {
        self.end_message()?;
        self.rows.flush(&mut self.intake)?;
        self.instructions.flush(&mut self.intake)?;
        self.oddities.report(&mut self.intake)?;
        self.intake.counts.bytes = bytes;
        self.intake.counts.lines = lines;
        self.intake.report_quarantined(self.refused)?;
        Ok(self.intake.counts)
    }
}
