//! Walks through a file and hands each unit of a message to whoever reads it.

use std::io::Read;

use tieout_core::{FindingCode, QuarantineReason, Severity};

use super::advice::Advices;
use super::instruction::Instructions;
use super::message::{Content, Message, identifier_of, of_element, version_of};
use super::oddity::Oddities;
use super::page::Pages;
use super::statement::Reports;
use super::status::Statuses;
use super::value::Refusal;
use crate::format::{Counts, ReadError};
use crate::intake::{Intake, Notice};
use crate::lines::Line;
use crate::rows::{AdviceLine, Balance, BankLines, PaymentInstruction, PaymentStatus, TableRows};
use crate::transport::SourceFile;
use crate::xml::{Element, Extent, Step, Tree, XmlError, XmlReader};

/// Where everything that is read goes.
pub(super) struct Output<'a> {
    pub intake: Intake<'a>,
    pub rows: BankLines,
    pub balances: TableRows<Balance<'static>>,
    pub instructions: TableRows<PaymentInstruction<'static>>,
    pub statuses: TableRows<PaymentStatus<'static>>,
    pub advice: TableRows<AdviceLine<'static>>,
    pub oddities: Oddities,
    pub pages: Pages,
    /// The first line in quarantine.
    refused: Option<u64>,
}

impl Output<'_> {
    pub fn tell(&mut self, notice: Option<Notice>) -> Result<(), ReadError> {
        match notice {
            Some(notice) => Ok(self.intake.report(notice)?),
            None => Ok(()),
        }
    }

    fn refuse(&mut self, line: &Line<'_>, (reason, message): Refusal) -> Result<(), ReadError> {
        self.refused.get_or_insert(line.number);
        Ok(self.intake.quarantine(line, reason, message)?)
    }

    fn flush(&mut self) -> Result<(), ReadError> {
        let intake = &mut self.intake;
        self.balances.flush(intake)?;
        self.rows.flush(intake)?;
        self.instructions.flush(intake)?;
        self.statuses.flush(intake)?;
        self.advice.flush(intake)
    }
}

/// Why a unit was not read.
pub(super) enum Trouble {
    /// It goes into quarantine.
    Refused(Refusal),
    /// Nothing more can be read.
    Read(ReadError),
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<ReadError> for Trouble {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

/// Reads the inside of one kind of message.
pub(super) trait Body {
    /// Whether the element is entered; any other is a unit and read as a whole.
    fn is_container(&self, name: &str) -> bool;

    /// A container begins.
    fn enter(&mut self, name: &str, line: u64);

    /// Reads a unit in the container or message `parent`. A paused unit comes again with its next
    /// pieces; of one that is cut, `element` has the beginning.
    fn unit(
        &mut self,
        element: Element<'_>,
        parent: &str,
        extent: Extent,
        out: &mut Output<'_>,
    ) -> Result<(), Trouble>;

    /// A container ends.
    fn leave(&mut self, name: &str, out: &mut Output<'_>) -> Result<(), ReadError>;

    /// The message ends.
    fn finish(&mut self, out: &mut Output<'_>) -> Result<(), ReadError>;
}

fn body_of(message: &'static Message, identifier: String, line: u64) -> Box<dyn Body> {
    match message.content {
        Content::Report => Box::new(Reports::new(message)),
        Content::Instructions => Box::new(Instructions::new(message, identifier, line)),
        Content::Statuses => Box::new(Statuses::new(message, identifier)),
        Content::Advice => Box::new(Advices),
    }
}

/// What an open element is.
enum Frame {
    /// Around messages; `Document`, or anything that carries one.
    Wrapper { is_document: bool },
    /// A message.
    Message(String),
    /// A part of a message that has units.
    Container(String),
}

/// Reads one file.
pub(super) struct Reader<'a> {
    out: Output<'a>,
    frames: Vec<Frame>,
    body: Option<Box<dyn Body>>,
    tree: Tree,
    messages: u64,
}

impl<'a> Reader<'a> {
    pub fn new(intake: Intake<'a>, batch_rows: usize) -> Self {
        let name = intake.file_name();
        Self {
            out: Output {
                rows: BankLines::new(name, batch_rows),
                balances: TableRows::new(name, batch_rows),
                instructions: TableRows::new(name, batch_rows),
                statuses: TableRows::new(name, batch_rows),
                advice: TableRows::new(name, batch_rows),
                oddities: Oddities::default(),
                pages: Pages::default(),
                refused: None,
                intake,
            },
            frames: Vec::new(),
            body: None,
            tree: Tree::default(),
            messages: 0,
        }
    }

    /// Reads the file to its end, or as far as it is XML.
    pub fn read<R: Read>(
        &mut self,
        xml: &mut XmlReader<R>,
        file: &SourceFile,
    ) -> Result<(), ReadError> {
        loop {
            let step = match xml.step() {
                Ok(Step::End) => return Ok(()),
                Ok(Step::Open) => self.open(xml),
                Ok(Step::Close) => self.close().map_err(Interrupted::Read),
                Ok(Step::Text) => {
                    self.text(xml.line());
                    Ok(())
                }
                Err(error) => {
                    xml.keep();
                    Err(Interrupted::Xml {
                        error,
                        in_unit: false,
                    })
                }
            };
            match step {
                Ok(()) => {}
                Err(Interrupted::Read(error)) => return Err(error),
                Err(Interrupted::Xml { error, in_unit }) => {
                    return self.stop(error, in_unit, xml, file);
                }
            }
        }
    }

    fn text(&mut self, line: u64) {
        if !matches!(self.frames.last(), None | Some(Frame::Wrapper { .. })) {
            self.out.oddities.stray_text(line, 1);
        }
    }

    fn open<R: Read>(&mut self, xml: &mut XmlReader<R>) -> Result<(), Interrupted> {
        let line = xml.line();
        let frame = match (self.frames.last(), &mut self.body) {
            (Some(Frame::Message(_) | Frame::Container(_)), Some(body)) => {
                if !body.is_container(xml.name()) {
                    return self.unit(xml);
                }
                body.enter(xml.name(), line);
                Frame::Container(xml.name().to_owned())
            }
            (around, _) => {
                let is_in_document = matches!(around, Some(Frame::Wrapper { is_document: true }));
                self.outside(xml, line, is_in_document)
            }
        };
        self.frames.push(frame);
        Ok(())
    }

    /// What begins outside of a message: one, or something around it.
    fn outside<R: Read>(&mut self, xml: &XmlReader<R>, line: u64, is_in_document: bool) -> Frame {
        let name = xml.name();
        if let Some(message) = of_element(name) {
            self.body = Some(body_of(message, identifier_in(xml, message), line));
            self.messages += 1;
            return Frame::Message(name.to_owned());
        }
        if is_in_document {
            self.out.oddities.unknown_element(name, "Document", line);
        }
        Frame::Wrapper {
            is_document: name == "Document",
        }
    }

    fn unit<R: Read>(&mut self, xml: &mut XmlReader<R>) -> Result<(), Interrupted> {
        xml.keep();
        let mut extent = xml
            .read_tree(&mut self.tree)
            .map_err(Interrupted::in_unit)?;
        loop {
            self.read_unit(xml, extent)?;
            if extent != Extent::Paused {
                return Ok(());
            }
            extent = xml.read_on(&mut self.tree).map_err(Interrupted::in_unit)?;
        }
    }

    fn read_unit<R: Read>(
        &mut self,
        xml: &mut XmlReader<R>,
        extent: Extent,
    ) -> Result<(), Interrupted> {
        let parent = match self.frames.last() {
            Some(Frame::Message(name) | Frame::Container(name)) => name.as_str(),
            _ => "",
        };
        let (Some(element), Some(body)) = (self.tree.root(), &mut self.body) else {
            return Ok(());
        };
        if extent != Extent::Paused {
            let mixed = self.tree.mixed();
            self.out.oddities.stray_text(element.line(), mixed);
        }
        match body.unit(element, parent, extent, &mut self.out) {
            Ok(()) => Ok(()),
            Err(Trouble::Read(error)) => Err(Interrupted::Read(error)),
            Err(Trouble::Refused(refusal)) => {
                let refused = self.out.refuse(&xml.kept(), refusal);
                refused.map_err(Interrupted::Read)
            }
        }
    }

    fn close(&mut self) -> Result<(), ReadError> {
        match (self.frames.pop(), &mut self.body) {
            (Some(Frame::Message(_)), Some(body)) => {
                body.finish(&mut self.out)?;
                self.body = None;
                Ok(())
            }
            (Some(Frame::Container(name)), Some(body)) => body.leave(&name, &mut self.out),
            _ => Ok(()),
        }
    }

    /// Says why nothing more was read, and puts the rest into quarantine.
    fn stop<R: Read>(
        &mut self,
        error: XmlError,
        in_unit: bool,
        xml: &mut XmlReader<R>,
        file: &SourceFile,
    ) -> Result<(), ReadError> {
        let line = xml.line();
        xml.skip_rest().map_err(|error| file.refused(error))?;
        match error {
            XmlError::Io(error) => Err(file.refused(error)),
            XmlError::Malformed(message) => {
                let message = format!("{message} (line {line}); nothing after it can be read");
                self.out
                    .refuse(&xml.kept(), (QuarantineReason::BadStructure, message))
            }
            XmlError::Truncated => {
                if in_unit {
                    let message = "the file ends inside this element".to_owned();
                    self.out
                        .refuse(&xml.kept(), (QuarantineReason::BadStructure, message))?;
                }
                self.out.tell(Some(Notice {
                    severity: Severity::Error,
                    code: FindingCode::TruncatedFile,
                    line: None,
                    found: "the file ends inside an element".to_owned(),
                    expected: "the end of every element".to_owned(),
                    action: "Ask for the file again: entries may be missing. What is here is read."
                        .into(),
                }))
            }
        }
    }

    /// Hands over what is left.
    pub fn finish<R: Read>(mut self, xml: &mut XmlReader<R>) -> Result<Counts, ReadError> {
        self.out.flush()?;
        let pages = self.out.pages.end();
        self.out.tell(pages)?;
        self.out.oddities.report(&mut self.out.intake)?;
        for notice in self.notices_of_file(xml) {
            self.out.tell(Some(notice))?;
        }
        self.out.intake.counts.bytes = xml.bytes();
        self.out.intake.counts.lines = xml.lines();
        let refused = self.out.refused;
        self.out.intake.report_quarantined(refused)?;
        Ok(self.out.intake.counts)
    }

    fn notices_of_file<R: Read>(&self, xml: &XmlReader<R>) -> Vec<Notice> {
        let missing = (self.messages == 0).then(|| Notice {
            severity: Severity::Error,
            code: FindingCode::MissingRecord,
            line: None,
            found: "no message in the file".to_owned(),
            expected: "the element of a message inside `Document`".to_owned(),
            action: "Ask for the file again.".into(),
        });
        let document_type = xml.document_type.map(|line| Notice {
            severity: Severity::Warning,
            code: FindingCode::UnexpectedRecord,
            line: Some(line),
            found: "a document type declaration".to_owned(),
            expected: "none in a message of ISO 20022".to_owned(),
            action: "It was not followed; entities that it defines stay as written.".into(),
        });
        let encoding = xml.unknown_encoding().map(|label| Notice {
            severity: Severity::Warning,
            code: FindingCode::Encoding,
            line: Some(1),
            found: format!("the character set `{label}`"),
            expected: "one that is known, such as UTF-8".to_owned(),
            action: "The file was read as UTF-8.".into(),
        });
        let converted = xml.converted().map(|(line, count)| Notice {
            severity: Severity::Info,
            code: FindingCode::ConvertedCharacters,
            line: Some(line),
            found: format!("{count} texts that are not UTF-8, the first here"),
            expected: "UTF-8, as the file says".to_owned(),
            action: "They were read as Windows-1252.".into(),
        });
        [missing, document_type, encoding, converted]
            .into_iter()
            .flatten()
            .collect()
    }
}

/// Why a step was not made.
enum Interrupted {
    Read(ReadError),
    Xml { error: XmlError, in_unit: bool },
}

impl Interrupted {
    fn in_unit(error: XmlError) -> Self {
        Self::Xml {
            error,
            in_unit: true,
        }
    }
}

/// The message with its version, as a namespace has it.
fn identifier_in<R: Read>(xml: &XmlReader<R>, message: &Message) -> String {
    let mut identifiers = xml.namespaces().map(identifier_of);
    let own = identifiers.find(|identifier| identifier.starts_with(message.name));
    own.map_or(message.name, version_of).to_owned()
}
