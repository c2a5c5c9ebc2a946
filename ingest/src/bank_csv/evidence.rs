//! What the whole file shows of its conventions. Only counts are kept, whatever its size.

use tieout_core::Currency;

use super::amount::{Mark, Told, Written};
use super::columns::Columns;
use super::content::is_comment;
use super::date::DateEvidence;
use super::entry::LastDates;
use super::money::{MoneyReading, Way};
use super::plan::Plan;
use super::preamble::{self, Preamble};
use super::row::Row;
use super::running_balance::RunningBalance;
use super::shared::Shared;
use super::words::{Meaning, words};

/// Everything that was counted.
#[derive(Debug)]
pub(super) struct Evidence {
    pub preamble: Preamble,
    pub dates: DateEvidence,
    /// Amounts that can only have this mark.
    pub sure: [u64; 2],
    /// Amounts that have thousands or three decimals behind this mark, with the first line.
    pub perhaps: [u64; 2],
    pub example: Option<(u64, String)>,
    /// Running balances if the mark is a point, and if it is a comma.
    pub balances: [RunningBalance; 2],
    /// The same if a fee beside the amount is taken off too.
    pub balances_after_fees: [RunningBalance; 2],
    /// Rows with a date.
    pub rows: u64,
    pub money: MoneyCounts,
    /// The currency whose sign stands with amounts, and whether it means no other.
    pub symbol: Option<(Currency, bool)>,
    /// The first code in the column of currencies.
    pub code: Option<Currency>,
    readings: [MoneyReading; 2],
    neighbour: Shared,
    last_dates: LastDates,
}

/// How amounts and words of direction meet.
#[derive(Clone, Debug, Default)]
pub(super) struct MoneyCounts {
    pub negative: u64,
    pub positive: u64,
    pub negative_debits: u64,
    pub positive_debits: u64,
    /// Negative amounts beside a word for credit.
    pub negative_beside_credit: u64,
    /// Words of the column that may tell the direction.
    pub words: u64,
    pub other_words: u64,
}

impl Evidence {
    pub fn new(plan: &Plan) -> Self {
        let reading = |mark| MoneyReading {
            mark,
            thousands: plan.profile.as_ref().and_then(|profile| profile.thousands),
            way: provisional_way(&plan.columns),
            has_signed_debits: true,
            has_fee_beside: false,
            credit_words: plan
                .profile
                .as_ref()
                .map(|p| p.credit_words.clone())
                .unwrap_or_default(),
            debit_words: plan
                .profile
                .as_ref()
                .map(|p| p.debit_words.clone())
                .unwrap_or_default(),
        };
        Self {
            preamble: Preamble::default(),
            dates: DateEvidence::default(),
            sure: [0; 2],
            perhaps: [0; 2],
            example: None,
            balances: Default::default(),
            balances_after_fees: Default::default(),
            rows: 0,
            money: MoneyCounts::default(),
            symbol: None,
            code: None,
            readings: Mark::BOTH.map(reading),
            neighbour: Shared::default(),
            last_dates: LastDates::default(),
        }
    }

    /// How money is read under this mark.
    pub fn reading(&self, mark: Mark) -> &MoneyReading {
        let [point, comma] = &self.readings;
        match mark {
            Mark::Point => point,
            Mark::Comma => comma,
        }
    }

    /// Takes the next row into account.
    pub fn add(&mut self, columns: &Columns, row: &Row) {
        if Some(row.line) < columns.heading_line {
            self.preamble.add(row);
            self.dates.add_period(row.cells());
            return;
        }
        let is_remark = columns.heading_line.is_none() && is_comment(row);
        let is_other = Some(row.line) == columns.heading_line || row.is_cut || row.is_unclosed;
        let text = columns.cell(row, Meaning::Date);
        let dated = self.last_dates.date.read(text);
        let Some(dated) = dated.filter(|_| !is_remark && !is_other) else {
            if preamble::section(row).is_some() {
                self.interrupt();
            }
            return;
        };
        self.rows += 1;
        self.dates.add(&dated, true, row.line, text);
        let text = columns.cell(row, Meaning::ValueDate);
        if let Some(dated) = self.last_dates.value_date.read(text) {
            self.dates.add(&dated, false, row.line, text);
        }
        for column in columns.money().chain(columns.place(Meaning::Balance)) {
            self.add_amount(row, column);
        }
        self.code = self
            .code
            .or_else(|| words().code(columns.cell(row, Meaning::Currency)));
        self.add_direction(columns, row);
        self.add_balance(columns, row);
    }

    fn add_amount(&mut self, row: &Row, column: usize) {
        let text = row.cell(column);
        let Some(written) = Written::of(text) else {
            return;
        };
        self.symbol = self.symbol.or(written.currency);
        if row.is_number(column) {
            return;
        }
        match written.told() {
            // Of damaged amounts nothing is learnt.
            Told::Surely(mark) if written.amount(mark, None).is_some() => {
                self.sure[mark as usize] += 1;
            }
            Told::Nothing | Told::Surely(_) => {}
            Told::Perhaps(mark) => {
                self.perhaps[mark as usize] += 1;
                self.example
                    .get_or_insert_with(|| (row.line, text.to_owned()));
            }
        }
    }

    fn add_direction(&mut self, columns: &Columns, row: &Row) {
        let is_negative = |meaning| {
            let text = columns.cell(row, meaning);
            let amount = Mark::BOTH.into_iter().find_map(|mark| {
                let reading = Written::of(text)?.amount(mark, None)?;
                (!reading.is_zero()).then_some(reading)
            });
            amount.map(tieout_core::Amount::is_negative)
        };
        match is_negative(Meaning::Debit) {
            Some(true) => self.money.negative_debits += 1,
            Some(false) => self.money.positive_debits += 1,
            None => {}
        }
        let Some(is_below_zero) = is_negative(Meaning::Amount) else {
            return;
        };
        self.money.negative += u64::from(is_below_zero);
        self.money.positive += u64::from(!is_below_zero);
        if let Some(column) = direction_column(columns) {
            let direction = self.reading(Mark::Point).direction(row.cell(column));
            self.money.words += u64::from(direction.is_some());
            self.money.other_words += u64::from(direction.is_none());
            let is_beside_credit = is_below_zero && direction == Some(true);
            self.money.negative_beside_credit += u64::from(is_beside_credit);
        }
    }

    fn add_balance(&mut self, columns: &Columns, row: &Row) {
        let Some(column) = columns.place(Meaning::Balance) else {
            return;
        };
        if self.neighbour.update(&neighbour(columns, row)) {
            self.interrupt();
        }
        let after_fees = self.balances.iter_mut().zip(&mut self.balances_after_fees);
        for (reading, (balances, after_fees)) in self.readings.iter().zip(after_fees) {
            let balance = reading.amount(row, column).ok().flatten();
            let effect = reading.effect(columns, row).ok().flatten().or_else(|| {
                // Before it is known whether the words tell the direction.
                let amount = columns.place(Meaning::Amount)?;
                reading.amount(row, amount).ok().flatten()
            });
            if let (Some(effect), Some(balance)) = (effect, balance) {
                balances.add(effect.amount, balance.amount);
                let fee = reading.fee(columns, row).ok().flatten().unwrap_or_default();
                after_fees.add(effect.amount - fee, balance.amount);
            } else {
                balances.interrupt();
                after_fees.interrupt();
            }
        }
    }

    fn interrupt(&mut self) {
        let balances = self.balances.iter_mut();
        let all = balances.chain(&mut self.balances_after_fees);
        all.for_each(RunningBalance::interrupt);
    }

    /// Whether the balances follow only if fees are taken off beside the amounts.
    pub fn has_fee_beside(&self, mark: Mark) -> bool {
        let (before, after) = (
            &self.balances[mark as usize],
            &self.balances_after_fees[mark as usize],
        );
        after.ties() > before.ties() && after.ties() >= before.turned_ties()
    }
}

/// What lines must share for their balances to follow from each other.
pub(super) fn neighbour<'a>(columns: &Columns, row: &'a Row) -> [&'a str; 2] {
    [Meaning::Account, Meaning::Currency].map(|meaning| columns.cell(row, meaning))
}

/// The column whose words may tell the direction.
pub(super) fn direction_column(columns: &Columns) -> Option<usize> {
    if columns.is_pair() {
        return None;
    }
    columns
        .place(Meaning::Direction)
        .or_else(|| columns.place(Meaning::TypeCode))
}

fn provisional_way(columns: &Columns) -> Way {
    match direction_column(columns) {
        _ if columns.is_pair() => Way::Pair,
        Some(column) => Way::Word {
            column,
            has_double_sign: true,
        },
        None => Way::Signed,
    }
}
