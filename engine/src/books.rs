//! What the business knows, loaded before the first bank line: parties, open items, remittance
//! advice.

use arrow::array::{Array, BooleanArray, Decimal128Array, RecordBatch, StringArray, UInt64Array};
use arrow::compute::{filter_record_batch, not};
use tieout_core::schema::Table;
use tieout_core::{Currency, Date, Finding, FindingCode, ItemKind, Severity};
use tieout_ingest::{Batch, Counts, ReadError, Role, Settings, Stopped};
use tieout_ledger::journal::Place;
use tieout_matcher::{Loaded, LoadedBatch, Parties, Recipe, Session, Source};

use crate::carried::{self, Earlier};
use crate::conditions::Conditions;
use crate::files::{Found, Known};
use crate::intake::{arrow, column, internal};
use crate::reading::{AsParsed, Message, read};
use crate::redelivery::Redelivery;
use crate::report::Report;
use crate::sides::{self, Parsed};
use crate::spoken::Spoken;
use crate::standing::{Standing, StandingNotes};
use crate::{EngineError, Progress, RunOptions};

/// Reads a file that brings no rows, for its findings and counts.
///
/// # Errors
/// [`EngineError::Internal`] if the writer has stopped.
pub fn skip(file: &Known, settings: &Settings, report: &mut Report) -> Result<(), EngineError> {
    let mut findings = Vec::new();
    let mut receive = |batch| {
        if let Batch::Finding(finding) = batch {
            findings.push(finding);
        }
        Ok(())
    };
    let counts = match file.format.read(&file.source, settings, &mut receive) {
        Ok(counts) => counts,
        Err(ReadError::Internal { message, .. }) => return Err(internal(message)),
        Err(ReadError::Io { .. } | ReadError::Stopped(_)) => Counts::default(),
    };
    report.findings(&findings)?;
    report.file(file, counts, 0)
}

/// What was loaded before the first bank line.
pub struct Books {
    /// Parties, items and advice.
    pub session: Session,
    /// Payments that came among them, with the number of the file, for recipes that take some
    /// from there.
    pub payments: Vec<(usize, Parsed)>,
}

/// Loads parties, open items and remittance advice into a session, with what earlier runs have
/// left of them.
///
/// # Errors
/// [`EngineError::Internal`] for more items than the program can hold, or a mistake in it.
pub fn load(
    found: &Found,
    options: &RunOptions,
    conditions: &Conditions,
    progress: &dyn Progress,
    total_bytes: u64,
    report: &mut Report,
    earlier: &Earlier,
) -> Result<Books, EngineError> {
    let explain = report.desk.explains;
    let mut session = Session::new(options.recipe.clone(), options.as_of, explain);
    let mut shelf = Shelf {
        session: &mut session,
        conditions,
        payments: Vec::new(),
        parties: Redelivery::new("party"),
        remittances: Redelivery::after("remittance", earlier),
        standing: Standing::of(earlier, found.of(Role::OpenItems).next().is_some())?,
        spoken: Spoken::of(&options.recipe, conditions, earlier)?,
    };
    carried::seed(earlier, &mut shelf.parties, &mut shelf.remittances)?;
    let job = Job {
        found,
        options,
        progress,
        total_bytes,
    };
    job.read(&[Role::Parties], &mut shelf, report)?;
    carried::add_parties(earlier, shelf.session, report)?;
    job.read(&[Role::OpenItems, Role::Remittances], &mut shelf, report)?;
    let Shelf {
        payments,
        standing,
        spoken,
        ..
    } = shelf;
    report.findings(standing.absent().as_slice())?;
    let closed = match spoken {
        Some(spoken) => job.read_ahead(spoken, &payments)?,
        None => Vec::new(),
    };
    let left = (earlier, closed.as_slice());
    carried::add_items(left, standing, conditions, &mut session, report)?;
    carried::add_memory(earlier, &mut session);
    session.finish_loading();
    report.findings(circular(session.parties()).as_slice())?;
    Ok(Books { session, payments })
}

/// What a business knows, as an earlier run had received it.
pub struct Again<'a> {
    /// The recipe to decide by.
    pub recipe: &'a Recipe,
    /// Its conditions.
    pub conditions: &'a Conditions,
    /// The day that decides what is past due.
    pub as_of: Option<Date>,
    /// What earlier runs have left.
    pub earlier: &'a Earlier,
}

impl Again<'_> {
    /// Loads the rows that `rows` gives of a table into a session, as [`load`] does those of files.
    ///
    /// # Errors
    /// Those of [`load`] and of `rows`.
    pub fn load(
        &self,
        report: &mut Report,
        rows: impl Fn(Table) -> Result<Vec<RecordBatch>, EngineError>,
    ) -> Result<Session, EngineError> {
        let earlier = self.earlier;
        let items = rows(Table::OpenItems)?;
        let mut session = Session::new(self.recipe.clone(), self.as_of, false);
        let mut shelf = Shelf {
            session: &mut session,
            conditions: self.conditions,
            payments: Vec::new(),
            parties: Redelivery::new("party"),
            remittances: Redelivery::new("remittance"),
            standing: Standing::of(earlier, !items.is_empty())?,
            spoken: None,
        };
        carried::seed(earlier, &mut shelf.parties, &mut shelf.remittances)?;
        let mut notes = Notes::default();
        for batch in rows(Table::Parties)? {
            shelf.take_parties(batch, &mut notes, report)?;
        }
        carried::add_parties(earlier, shelf.session, report)?;
        for batch in items {
            // Items that pay others came as lines too.
            let batch = shelf.take_mirrors(0, batch, report)?;
            shelf.take_items(&batch, &mut notes, report)?;
        }
        for batch in rows(Table::RemittanceLines)? {
            shelf.session.load_remittances(&batch).map_err(internal)?;
        }
        let standing = shelf.standing;
        // In a scratch all items are carried.
        let left = (earlier, [].as_slice());
        carried::add_items(left, standing, self.conditions, &mut session, report)?;
        carried::add_memory(earlier, &mut session);
        session.finish_loading();
        Ok(session)
    }
}

/// Parties that are their own parents.
fn circular(parties: &Parties) -> Option<Finding> {
    let circular = parties.circular();
    let first = parties.id(*circular.first()?);
    Some(Finding {
        severity: Severity::Warning,
        code: FindingCode::CircularParent,
        file: "parties".to_owned(),
        line: None,
        found: format!(
            "parties that are their own parent, directly or by way of others: {}, the first {first}",
            circular.len()
        ),
        expected: "parents that end in a party without one".to_owned(),
        action: "correct parent_id; until then each of these parties stands for itself".to_owned(),
    })
}

/// The files of a run, and how they are read.
struct Job<'a> {
    found: &'a Found,
    options: &'a RunOptions,
    progress: &'a dyn Progress,
    total_bytes: u64,
}

impl Job<'_> {
    fn read(
        &self,
        roles: &[Role],
        shelf: &mut Shelf,
        report: &mut Report,
    ) -> Result<(), EngineError> {
        let of_role = |&role: &Role| self.found.of(role);
        let files: Vec<&Known> = roles.iter().flat_map(of_role).collect();
        let mut notes: Vec<Notes> = files.iter().map(|_| Notes::default()).collect();
        let take = |message: Message<(usize, Batch)>| match message {
            Message::Item((place, batch)) if files[place].is_again && !is_own(&batch) => Ok(()),
            Message::Done(place, _) | Message::Failed(place, _) if files[place].is_again => Ok(()),
            Message::Item((place, batch)) => {
                shelf.take(place as u32, batch, &mut notes[place], report)
            }
            Message::Done(place, counts) => {
                self.progress.bytes(counts.bytes);
                report.findings(&notes[place].findings(&files[place].source.name))?;
                report.file(files[place], counts, notes[place].known_before())
            }
            Message::Failed(place, finding) => report.failed(files[place], &finding),
        };
        let settings = &self.options.settings;
        read(
            &files,
            settings,
            self.progress,
            self.total_bytes,
            AsParsed,
            take,
        )
        .map(drop)
    }

    /// Reads the bank's files for what they may name, and with the payments that came among the
    /// business's own tells which closed items are spoken of. What cannot be read is told when
    /// the file is read in its turn.
    fn read_ahead(
        &self,
        mut spoken: Spoken,
        payments: &[(usize, Parsed)],
    ) -> Result<Vec<Place>, EngineError> {
        for (_, payments) in payments {
            spoken.lines(&payments.transactions, &payments.remittance_lines)?;
        }
        let roles = [Role::Details, Role::BankLines];
        for file in roles.into_iter().flat_map(|role| self.found.of(role)) {
            let mut failure = None;
            let mut receive = |batch| {
                spoken.batch(&batch).map_err(|error| {
                    failure = Some(error);
                    Stopped
                })
            };
            let settings = &self.options.settings;
            let read = file.format.read(&file.source, settings, &mut receive);
            if let Some(error) = failure {
                return Err(error);
            }
            if let Err(ReadError::Internal { message, .. }) = read {
                return Err(internal(message));
            }
        }
        spoken.places()
    }
}

/// Rows of the business's own, which are taken before the bank's lines.
fn is_own(batch: &Batch) -> bool {
    let own = [Table::Parties, Table::OpenItems, Table::RemittanceLines];
    matches!(batch, Batch::Rows(table, _) if own.contains(table))
}

/// What is to be said of one file, said once for all its rows.
#[derive(Default)]
struct Notes {
    repeated: u64,
    conflicting: Occurrences,
    unnamed: Occurrences,
    /// The party of the first of them.
    unnamed_party: String,
    repeated_parties: Occurrences,
    negative: Occurrences,
    /// The first of them.
    negative_item: String,
    unlisted: Occurrences,
    /// The currency of the first of them.
    unlisted_currency: String,
    standing: StandingNotes,
}

/// How often, and on which line first.
#[derive(Default)]
pub struct Occurrences {
    /// How often.
    pub count: u64,
    /// The first line.
    pub first: u64,
}

impl Occurrences {
    /// Counts one more.
    pub fn add(&mut self, line: u64) {
        if self.count == 0 {
            self.first = line;
        }
        self.count += 1;
    }
}

impl Notes {
    fn known_before(&self) -> u64 {
        self.repeated + self.standing.same
    }

    fn items(&mut self, loaded: &LoadedBatch, rows: &RecordBatch) -> Result<(), EngineError> {
        let lines = source_lines(rows, Table::OpenItems)?;
        let parties: &StringArray = column(rows, Table::OpenItems.column("party_id"))?;
        for (row, outcome) in loaded.rows.iter().enumerate() {
            match outcome {
                Loaded::New | Loaded::NothingOpen => {}
                Loaded::Repeated => self.repeated += 1,
                Loaded::Conflicting => self.conflicting.add(lines.value(row)),
            }
        }
        for &row in &loaded.unnamed_parties {
            if self.unnamed.count == 0 {
                parties
                    .value(row as usize)
                    .clone_into(&mut self.unnamed_party);
            }
            self.unnamed.add(lines.value(row as usize));
        }
        Ok(())
    }

    /// Notes amounts and currencies that are taken as they stand, but are rarely meant.
    fn oddities(&mut self, rows: &RecordBatch, session: &Session) -> Result<(), EngineError> {
        let lines = source_lines(rows, Table::OpenItems)?;
        let text = |name| column::<StringArray>(rows, Table::OpenItems.column(name));
        let (kinds, currencies, ids) = (text("kind")?, text("currency")?, text("item_id")?);
        let open: &Decimal128Array = column(rows, Table::OpenItems.column("open_amount"))?;
        let side = &session.recipe().items;
        let mut known = "";
        for row in 0..rows.num_rows() {
            if open.is_valid(row) && open.value(row) < 0 {
                let kind = ItemKind::from_code(kinds.value(row));
                let is_owed = [Some(ItemKind::Invoice), Some(ItemKind::DebitMemo)].contains(&kind);
                if is_owed && !kind.is_some_and(|kind| side.is_told_by_sign(kind)) {
                    if self.negative.count == 0 {
                        ids.value(row).clone_into(&mut self.negative_item);
                    }
                    self.negative.add(lines.value(row));
                }
            }
            let code = currencies.value(row);
            if code == known {
                continue;
            }
            if code.parse().is_ok_and(Currency::is_listed) {
                known = code;
                continue;
            }
            if self.unlisted.count == 0 {
                code.clone_into(&mut self.unlisted_currency);
            }
            self.unlisted.add(lines.value(row));
        }
        Ok(())
    }

    fn findings(&self, file: &str) -> Vec<Finding> {
        let finding =
            |severity, code, seen: &Occurrences, found: String, expected: &str, action: &str| {
                (seen.count > 0).then(|| Finding {
                    severity,
                    code,
                    file: file.to_owned(),
                    line: Some(seen.first),
                    found,
                    expected: expected.to_owned(),
                    action: action.to_owned(),
                })
            };
        let findings = [
            finding(
                Severity::Error,
                FindingCode::RepeatedItem,
                &self.conflicting,
                format!(
                    "{} open items whose identifier came before with other content",
                    self.conflicting.count
                ),
                "every item_id once",
                "the first of each was kept; correct the file and run again",
            ),
            finding(
                Severity::Warning,
                FindingCode::UnknownParty,
                &self.unnamed,
                format!(
                    "open items of parties that no parties file names: {}, the first of party {}",
                    self.unnamed.count, self.unnamed_party
                ),
                "a row in a parties file for every party_id",
                "add the parties; until then only references lead to these items",
            ),
            finding(
                Severity::Warning,
                FindingCode::RepeatedItem,
                &self.repeated_parties,
                format!("{} parties that came before", self.repeated_parties.count),
                "every party_id once",
                "the first of each was kept; join the rows and run again",
            ),
            finding(
                Severity::Warning,
                FindingCode::NegativeItem,
                &self.negative,
                format!(
                    "invoices and debit memos open for less than zero: {}, the first {}",
                    self.negative.count, self.negative_item
                ),
                "what is owed above zero",
                "they count as credits; give them the kind credit_memo, or correct the sign",
            ),
            finding(
                Severity::Warning,
                FindingCode::UnknownCurrency,
                &self.unlisted,
                format!(
                    "open items in a currency that ISO 4217 does not have: {}, the first in {}",
                    self.unlisted.count, self.unlisted_currency
                ),
                "a code such as USD",
                "only a payment of the same code settles them; correct the currency if it is none",
            ),
        ];
        let standing = self.standing.findings(file);
        findings.into_iter().flatten().chain(standing).collect()
    }
}

/// Where rows of the business's own files are put.
struct Shelf<'a, 'b> {
    session: &'b mut Session,
    conditions: &'a Conditions,
    payments: Vec<(usize, Parsed)>,
    parties: Redelivery,
    remittances: Redelivery,
    /// Items of earlier runs, against which new files are held.
    standing: Standing<'a>,
    /// What rows may name, where closed items are looked up by it.
    spoken: Option<Spoken<'a>>,
}

impl Shelf<'_, '_> {
    fn take(
        &mut self,
        delivery: u32,
        batch: Batch,
        notes: &mut Notes,
        report: &mut Report,
    ) -> Result<(), EngineError> {
        match batch {
            Batch::Rows(Table::Parties, rows) => {
                let new = self.parties.new_rows(delivery, &rows)?;
                notes.repeated += new.known_before;
                self.take_parties(new.rows, notes, report)
            }
            Batch::Rows(Table::OpenItems, rows) => {
                let rows = self.take_mirrors(delivery, rows, report)?;
                self.take_items(&rows, notes, report)
            }
            Batch::Rows(Table::SettlementLines, rows) => {
                self.take_settlement(delivery, rows, notes, report)
            }
            Batch::Rows(Table::RemittanceLines, rows) => {
                let new = self.remittances.new_rows(delivery, &rows)?;
                notes.repeated += new.known_before;
                report.desk.know(new.ids)?;
                if let Some(spoken) = &mut self.spoken {
                    spoken.advice(&new.rows)?;
                }
                self.session.load_remittances(&new.rows).map_err(internal)
            }
            Batch::Finding(finding) => report.findings(&[finding]),
            Batch::Quarantine(line) => report.quarantine(&line),
            Batch::Rows(table, rows) => report.rows(table, rows),
            // Read in their turn.
            Batch::Transactions { .. } | Batch::Statement(_) => Ok(()),
        }
    }

    fn take_parties(
        &mut self,
        rows: RecordBatch,
        notes: &mut Notes,
        report: &mut Report,
    ) -> Result<(), EngineError> {
        report.parties += rows.num_rows() as u64;
        let lines = source_lines(&rows, Table::Parties)?;
        for row in self.session.load_parties(&rows).map_err(internal)? {
            notes.repeated_parties.add(lines.value(row));
        }
        report.desk.send(Table::Parties, rows)
    }

    /// Takes the items that pay others, where the recipe says so; the rest is given back.
    fn take_mirrors(
        &mut self,
        delivery: u32,
        rows: RecordBatch,
        report: &mut Report,
    ) -> Result<RecordBatch, EngineError> {
        if !self.conditions.pays_from(Source::OpenItems) {
            return Ok(rows);
        }
        let lines = sides::items_as_lines(&rows)?;
        let table = sides::as_table(&lines.transactions)?;
        let pays = self.conditions.takes_lines(&table)?;
        let pays: BooleanArray = pays.iter().map(|pays| Some(pays == Some(true))).collect();
        let transactions = filter_record_batch(&lines.transactions, &pays).map_err(arrow)?;
        let mirrors = filter_record_batch(&rows, &pays).map_err(arrow)?;
        report.open_items += mirrors.num_rows() as u64;
        report.desk.send(Table::OpenItems, mirrors)?;
        let lines = Parsed {
            transactions,
            ..lines
        };
        self.payments.push((delivery as usize, lines));
        let others = not(&pays).map_err(arrow)?;
        filter_record_batch(&rows, &others).map_err(arrow)
    }

    /// Takes a processor's lines as what they are to the recipe: payments, items, or neither.
    fn take_settlement(
        &mut self,
        delivery: u32,
        rows: RecordBatch,
        notes: &mut Notes,
        report: &mut Report,
    ) -> Result<(), EngineError> {
        let rows = report.new_rows(Table::SettlementLines, rows)?;
        if self.conditions.pays_from(Source::SettlementLines) {
            let lines = sides::settlement_as_lines(&rows)?;
            self.payments.push((delivery as usize, lines));
        }
        let side = &self.session.recipe().items;
        if side.from.contains(&Source::SettlementLines) {
            let items = sides::settlement_as_items(&rows)?;
            self.take_items(&items, notes, report)?;
        }
        report.desk.send(Table::SettlementLines, rows)
    }

    fn take_items(
        &mut self,
        rows: &RecordBatch,
        notes: &mut Notes,
        report: &mut Report,
    ) -> Result<(), EngineError> {
        let rows = &self.standing.hold(rows, &mut notes.standing)?;
        let taken = self.conditions.takes_items(rows)?;
        let as_matched = self.conditions.items_as_matched(rows)?;
        let mut loaded = self
            .session
            .load_items(&as_matched, taken.as_ref())
            .map_err(internal)?;
        if !self.conditions.names_parties() {
            loaded.unnamed_parties.clear();
        }
        notes.items(&loaded, rows)?;
        notes.oddities(rows, self.session)?;
        let is_first = |outcome: &Loaded| matches!(outcome, Loaded::New | Loaded::NothingOpen);
        let count = loaded.rows.iter().filter(|&row| is_first(row)).count();
        report.open_items += count as u64;
        if !report.desk.wants(Table::OpenItems) {
            return Ok(());
        }
        let rows = if count == rows.num_rows() {
            rows.clone()
        } else {
            let first: BooleanArray = loaded.rows.iter().map(|row| Some(is_first(row))).collect();
            filter_record_batch(rows, &first).map_err(arrow)?
        };
        report.desk.send(Table::OpenItems, rows)
    }
}

fn source_lines(rows: &RecordBatch, table: Table) -> Result<&UInt64Array, EngineError> {
    column(rows, table.column("source_line"))
}
