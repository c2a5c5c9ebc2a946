//! Decisions as rows of the output tables.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Builder, Float64Array, Float64Builder, RecordBatch, StringArray,
    StringBuilder, UInt32Array, UInt64Builder,
};
use arrow::compute::take;
use tieout_core::schema::{AMOUNT_TYPE, Table};
use tieout_core::{
    Alternative, Amount, Application, ApplicationStatus, Decision, ItemIx, LineId, Status,
};
use tieout_ledger::Reversed;
use tieout_matcher::{ItemName, Labels};

use crate::EngineError;
use crate::intake::{arrow, column};

/// Bits of log-odds in a hundredth, as the evidence counts them.
const HUNDREDTHS: f64 = 100.0;

/// The columns of `transactions` that the tables of decisions repeat, in their order there.
const REPEATED: [&str; 17] = [
    "source_file",
    "source_line",
    "account",
    "booking_date",
    "value_date",
    "currency",
    "amount",
    "counterparty_name",
    "check_number",
    "bank_reference",
    "end_to_end_id",
    "direction",
    "channel",
    "counterparty_account",
    "remittance_text",
    "byte_start",
    "byte_end",
];
/// How many of them stand in front of the decision, and how many in front of the recipe.
const BEFORE_STATUS: usize = 11;
const BEFORE_RECIPE: usize = 15;

/// Payments with their decisions: some rows of `transactions` and one decision for each.
pub struct Decided {
    /// Rows of the table `transactions`.
    pub transactions: RecordBatch,
    /// Those that are decided, ascending.
    pub rows: Vec<u32>,
    /// What became of each.
    pub decisions: Vec<Decision>,
    /// What items and parties are called.
    pub labels: Arc<Labels>,
    /// The recipe's name and version.
    pub recipe: Arc<str>,
    /// The same for each row of `transactions`, where the recipe has several versions.
    pub recipes: Vec<String>,
    /// The earlier payments that decisions say are repeated, in the order of the decisions.
    pub originals: Vec<LineId>,
    /// The earlier payments that decisions undo, in the order of the decisions.
    pub undone: Vec<LineId>,
    /// Decisions of earlier runs that these replace.
    pub reversed: Vec<Reversed>,
}

/// An amount column in the making.
struct Amounts(Decimal128Builder);

impl Amounts {
    fn with_capacity(rows: usize) -> Self {
        Self(Decimal128Builder::with_capacity(rows).with_data_type(AMOUNT_TYPE))
    }

    fn push(&mut self, amount: Amount) {
        self.0.append_value(amount.units());
    }

    fn finish(mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}

fn text() -> StringBuilder {
    StringBuilder::new()
}

fn text_of(rows: usize, bytes: usize) -> StringBuilder {
    StringBuilder::with_capacity(rows, rows * bytes)
}

fn done(mut builder: StringBuilder) -> ArrayRef {
    Arc::new(builder.finish())
}

fn ratios(mut builder: Float64Builder) -> ArrayRef {
    Arc::new(builder.finish())
}

fn batch(table: Table, columns: Vec<ArrayRef>) -> Result<RecordBatch, EngineError> {
    RecordBatch::try_new(table.schema(), columns).map_err(arrow)
}

impl Decided {
    fn id(&self, place: usize) -> Result<&str, EngineError> {
        let row = self.rows[place] as usize;
        Ok(column::<StringArray>(&self.transactions, 0)?.value(row))
    }

    /// The identifiers and the columns of [`REPEATED`], of the rows that are decided.
    fn repeated(&self) -> Result<(ArrayRef, Vec<ArrayRef>), EngineError> {
        let all = self.rows.len() == self.transactions.num_rows();
        let rows = UInt32Array::from(self.rows.clone());
        let of_rows = |column: &ArrayRef| {
            if all {
                Ok(Arc::clone(column))
            } else {
                take(column, &rows, None).map_err(arrow)
            }
        };
        let columns = REPEATED
            .map(|name| of_rows(self.transactions.column(Table::Transactions.column(name))))
            .into_iter()
            .collect::<Result<_, _>>()?;
        Ok((of_rows(self.transactions.column(0))?, columns))
    }

    /// Rows of the table `payments`.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the batches do not have their shapes.
    pub fn payments(&self) -> Result<RecordBatch, EngineError> {
        let rows = self.decisions.len();
        let [mut status, mut party, mut reason, mut rule, mut recipe] =
            std::array::from_fn(|_| text_of(rows, 20));
        let mut applied = Amounts::with_capacity(rows);
        let mut on_account = Amounts::with_capacity(rows);
        let mut unapplied = Amounts::with_capacity(rows);
        let [mut score, mut margin] = [
            Float64Builder::with_capacity(rows),
            Float64Builder::with_capacity(rows),
        ];
        let mut undone = self.undone.iter();
        let mut reverses = text();
        for (&row, decision) in self.rows.iter().zip(&self.decisions) {
            // The equation was checked when the decision was made; here it is checked again
            // where the figures are written.
            let parts = decision.applied() + decision.on_account() + decision.unapplied();
            if parts != decision.amount() {
                return Err(crate::intake::internal("a decision does not balance"));
            }
            status.append_value(decision.status().code());
            party.append_option(decision.party().map(|party| self.labels.party(party)));
            applied.push(decision.applied());
            on_account.push(decision.on_account());
            unapplied.push(decision.unapplied());
            reason.append_option(decision.reason().map(tieout_core::Reason::code));
            rule.append_value(decision.rule().code());
            score.append_value(decision.score());
            margin.append_value(decision.margin());
            let version = self.recipes.get(row as usize);
            recipe.append_value(version.map_or(&*self.recipe, String::as_str));
            let original = decision.reverses().and_then(|_| undone.next());
            reverses.append_option(original.map(LineId::to_string));
        }
        let (ids, mut repeated) = self.repeated()?;
        let bytes = repeated.split_off(BEFORE_RECIPE);
        let channel = repeated.split_off(BEFORE_STATUS);
        let mut columns = vec![ids];
        columns.extend(repeated);
        columns.extend([done(status), done(party)]);
        columns.extend([applied.finish(), on_account.finish(), unapplied.finish()]);
        columns.extend([done(reason), done(rule), ratios(score), ratios(margin)]);
        columns.extend(channel);
        columns.push(done(recipe));
        columns.extend(bytes);
        columns.push(done(reverses));
        batch(Table::Payments, columns)
    }

    /// Rows of the table `applications`.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the batches do not have their shapes.
    pub fn applications(&self) -> Result<RecordBatch, EngineError> {
        // Items lie all over the memory: naming them in a loop of its own lets the processor wait
        // for many at a time. Each column is a loop for the same reason.
        let mut parts = Vec::with_capacity(self.decisions.len() * 2);
        for (place, decision) in self.decisions.iter().enumerate() {
            parts.extend(decision.applications().iter().map(|part| Part {
                place,
                decision,
                applied: part,
                item: self.labels.item(part.item),
            }));
        }
        let ids = column::<StringArray>(&self.transactions, 0)?;
        let id = |part: &Part| ids.value(self.rows[part.place] as usize);
        let state = |part: &Part| {
            let status = if part.decision.opens_items() && part.decision.takes_effect() {
                ApplicationStatus::Reversed
            } else if part.decision.takes_effect() {
                ApplicationStatus::Applied
            } else {
                ApplicationStatus::Proposed
            };
            status.code()
        };
        let scores = parts.iter().map(|part| part.decision.score());
        let columns = vec![
            texts(parts.iter().map(|part| Some(id(part)))),
            texts(parts.iter().map(|part| Some(part.item.id))),
            texts(parts.iter().map(|part| Some(part.item.number))),
            texts(parts.iter().map(|part| part.item.party)),
            texts(parts.iter().map(|part| Some(part.item.currency.as_str()))),
            amounts(parts.iter().map(|part| part.applied.applied)),
            amounts(parts.iter().map(|part| part.applied.discount)),
            amounts(parts.iter().map(|part| part.applied.write_off)),
            amounts(parts.iter().map(|part| part.applied.deduction)),
            texts(
                parts
                    .iter()
                    .map(|part| part.applied.deduction_reason.as_deref()),
            ),
            texts(parts.iter().map(|part| Some(part.decision.rule().code()))),
            Arc::new(scores.collect::<Float64Array>()),
            texts(parts.iter().map(|part| Some(state(part)))),
        ];
        batch(Table::Applications, columns)
    }

    /// Rows of the table `exceptions`: payments that a person has to look at.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the batches do not have their shapes.
    pub fn exceptions(&self) -> Result<RecordBatch, EngineError> {
        let [mut payment, mut reason, mut candidates] = [text(), text(), text()];
        let mut amount = Amounts::with_capacity(0);
        for (row, decision) in self.decisions.iter().enumerate() {
            if !is_exception(decision) {
                continue;
            }
            payment.append_value(self.id(row)?);
            reason.append_value(decision.reason().map_or("", tieout_core::Reason::code));
            amount.push(decision.amount());
            let listed = self.candidates(decision);
            candidates.append_option((!listed.is_empty()).then_some(listed));
        }
        batch(
            Table::Exceptions,
            vec![
                done(payment),
                done(reason),
                amount.finish(),
                done(candidates),
            ],
        )
    }

    /// `ITEM+ITEM=0.9312|ITEM=0.2000`, the best first.
    fn candidates(&self, decision: &Decision) -> String {
        let mut listed = String::new();
        let proposed: Vec<ItemIx> = decision
            .applications()
            .iter()
            .map(|part| part.item)
            .collect();
        let best = (!proposed.is_empty()).then_some((proposed.as_slice(), decision.score()));
        let others = decision
            .alternatives()
            .iter()
            .map(|other: &Alternative| (other.items.as_slice(), other.score));
        for (items, score) in best.into_iter().chain(others) {
            if items.is_empty() {
                continue;
            }
            if !listed.is_empty() {
                listed.push('|');
            }
            self.push_items(items, &mut listed);
            let _ = write!(listed, "={score:.4}");
        }
        listed
    }

    fn push_items(&self, items: &[ItemIx], out: &mut String) {
        for (place, &item) in items.iter().enumerate() {
            if place > 0 {
                out.push('+');
            }
            out.push_str(self.labels.item(item).id);
        }
    }

    /// Rows of the table `duplicates`.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the batches do not have their shapes.
    pub fn duplicates(&self) -> Result<RecordBatch, EngineError> {
        let mut originals = self.originals.iter();
        let [mut payment, mut original, mut evidence] = [text(), text(), text()];
        for (row, decision) in self.decisions.iter().enumerate() {
            if decision.duplicate_of().is_none() {
                continue;
            }
            payment.append_value(self.id(row)?);
            let id = originals.next().map(LineId::to_string);
            original.append_value(id.unwrap_or_default());
            let reason = decision.reason().map_or("", tieout_core::Reason::code);
            let detail = decision.evidence().first().map_or("", |part| &part.detail);
            evidence.append_value(format!("{reason}: {detail}"));
        }
        batch(
            Table::Duplicates,
            vec![done(payment), done(original), done(evidence)],
        )
    }

    /// Rows of the table `evidence`.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the batches do not have their shapes.
    pub fn evidence(&self) -> Result<RecordBatch, EngineError> {
        let [mut payment, mut kind, mut name, mut items, mut detail] =
            [text(), text(), text(), text(), text()];
        let [mut weight, mut score] = [Float64Builder::new(), Float64Builder::new()];
        let mut sequence = UInt64Builder::new();
        for (row, decision) in self.decisions.iter().enumerate() {
            let id = self.id(row)?;
            for (place, part) in decision.evidence().iter().enumerate() {
                payment.append_value(id);
                sequence.append_value(place as u64 + 1);
                kind.append_value("evidence");
                name.append_value(part.feature.code());
                weight.append_value(f64::from(part.weight) / HUNDREDTHS);
                score.append_null();
                items.append_null();
                detail.append_value(&part.detail);
            }
            let first = decision.evidence().len() as u64 + 1;
            for (place, other) in decision.alternatives().iter().enumerate() {
                payment.append_value(id);
                sequence.append_value(first + place as u64);
                kind.append_value("alternative");
                name.append_value("");
                weight.append_null();
                score.append_value(other.score);
                let mut listed = String::new();
                self.push_items(&other.items, &mut listed);
                items.append_value(listed);
                detail.append_value(&other.why);
            }
        }
        let columns = vec![
            done(payment),
            Arc::new(sequence.finish()),
            done(kind),
            done(name),
            ratios(weight),
            ratios(score),
            done(items),
            done(detail),
        ];
        batch(Table::Evidence, columns)
    }
}

/// Whether a person has to look at the payment.
pub fn is_exception(decision: &Decision) -> bool {
    matches!(
        decision.status(),
        Status::Proposed | Status::Unidentified | Status::OnAccount
    )
}

/// One application of a decision, with the item's name.
struct Part<'a> {
    /// The place of the decision.
    place: usize,
    decision: &'a Decision,
    applied: &'a Application,
    item: ItemName<'a>,
}

fn texts<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    let rows = values.size_hint().0;
    let mut column = text_of(rows, 16);
    values.for_each(|value| column.append_option(value));
    done(column)
}

fn amounts(values: impl Iterator<Item = Amount>) -> ArrayRef {
    let mut column = Amounts::with_capacity(values.size_hint().0);
    values.for_each(|value| column.push(value));
    column.finish()
}

/// Rows of the table `remittance_lines`, with the identifiers of the payments that they belong
/// to in place of their rows.
///
/// # Errors
/// [`EngineError::Internal`] if the batches do not have their shapes.
pub fn remittance_lines(
    lines: &RecordBatch,
    transactions: &RecordBatch,
) -> Result<RecordBatch, EngineError> {
    let owners = column::<UInt32Array>(lines, 0)?;
    let ids = take(transactions.column(0), owners, None).map_err(arrow)?;
    let mut columns = lines.columns().to_vec();
    columns[0] = ids;
    batch(Table::RemittanceLines, columns)
}
