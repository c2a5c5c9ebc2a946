//! Decisions as rows of the output tables.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Builder, Float64Builder, RecordBatch, StringArray, StringBuilder,
    UInt32Array, UInt64Builder,
};
use arrow::compute::take;
use tieout_core::schema::{AMOUNT_TYPE, Table};
use tieout_core::{
    Alternative, Amount, Application, ApplicationStatus, Decision, ItemIx, LineId, Status,
};
use tieout_matcher::Labels;

use crate::EngineError;
use crate::intake::{arrow, column};

/// Bits of log-odds in a hundredth, as the evidence counts them.
const HUNDREDTHS: f64 = 100.0;

/// Payments with their decisions: the rows of `transactions` and one decision for each.
pub struct Decided {
    /// Rows of the table `transactions`.
    pub transactions: RecordBatch,
    /// What became of each.
    pub decisions: Vec<Decision>,
    /// What items and parties are called.
    pub labels: Arc<Labels>,
    /// The recipe's name and version.
    pub recipe: Arc<str>,
    /// The earlier payments that decisions say are repeated, in the order of the decisions.
    pub originals: Vec<LineId>,
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
    fn id(&self, row: usize) -> Result<&str, EngineError> {
        Ok(column::<StringArray>(&self.transactions, 0)?.value(row))
    }

    fn copied(&self, name: &str) -> ArrayRef {
        Arc::clone(self.transactions.column(Table::Transactions.column(name)))
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
        for decision in &self.decisions {
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
            recipe.append_value(&*self.recipe);
        }
        let mut columns = vec![Arc::clone(self.transactions.column(0))];
        columns.extend(
            [
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
            ]
            .map(|name| self.copied(name)),
        );
        columns.extend([done(status), done(party)]);
        columns.extend([applied.finish(), on_account.finish(), unapplied.finish()]);
        columns.extend([done(reason), done(rule), ratios(score), ratios(margin)]);
        columns.extend(
            [
                "direction",
                "channel",
                "counterparty_account",
                "remittance_text",
            ]
            .map(|name| self.copied(name)),
        );
        columns.push(done(recipe));
        columns.extend(["byte_start", "byte_end"].map(|name| self.copied(name)));
        batch(Table::Payments, columns)
    }

    /// Rows of the table `applications`.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the batches do not have their shapes.
    pub fn applications(&self) -> Result<RecordBatch, EngineError> {
        let count = self
            .decisions
            .iter()
            .map(|decision| decision.applications().len())
            .sum();
        let mut rows = Applications::with_capacity(count);
        for (row, decision) in self.decisions.iter().enumerate() {
            let status = if decision.takes_effect() {
                ApplicationStatus::Applied
            } else {
                ApplicationStatus::Proposed
            };
            for part in decision.applications() {
                rows.push(self, self.id(row)?, decision, part, status);
            }
        }
        rows.finish()
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
            out.push_str(self.labels.item_id(item));
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

/// Rows of the table `applications` in the making.
struct Applications {
    text: [StringBuilder; 8],
    amounts: [Amounts; 4],
    score: Float64Builder,
}

impl Applications {
    fn with_capacity(rows: usize) -> Self {
        Self {
            text: std::array::from_fn(|_| text_of(rows, 16)),
            amounts: std::array::from_fn(|_| Amounts::with_capacity(rows)),
            score: Float64Builder::with_capacity(rows),
        }
    }

    fn push(
        &mut self,
        decided: &Decided,
        payment: &str,
        decision: &Decision,
        part: &Application,
        status: ApplicationStatus,
    ) {
        let labels = &decided.labels;
        let [id, item, number, owner, currency, reason, rule, state] = &mut self.text;
        id.append_value(payment);
        item.append_value(labels.item_id(part.item));
        number.append_value(labels.item_number(part.item));
        owner.append_option(labels.item_party(part.item));
        currency.append_value(labels.item_currency(part.item).as_str());
        reason.append_option(part.deduction_reason.as_deref());
        rule.append_value(decision.rule().code());
        state.append_value(status.code());
        let parts = [part.applied, part.discount, part.write_off, part.deduction];
        for (column, amount) in self.amounts.iter_mut().zip(parts) {
            column.push(amount);
        }
        self.score.append_value(decision.score());
    }

    fn finish(self) -> Result<RecordBatch, EngineError> {
        let [id, item, number, owner, currency, reason, rule, state] = self.text.map(done);
        let [applied, discount, write_off, deduction] = self.amounts.map(Amounts::finish);
        let score = ratios(self.score);
        batch(
            Table::Applications,
            vec![
                id, item, number, owner, currency, applied, discount, write_off, deduction, reason,
                rule, score, state,
            ],
        )
    }
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
