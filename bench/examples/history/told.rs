//! The rows in which banks, sources and the engine tell of a day.

use anyhow::Result;
use tieout_core::Date;
use tieout_core::schema::Table;

use crate::books::{Books, CENT, Item, Payment};
use crate::rows::{Cell, NONE, cells};
use crate::world::identity;
use crate::{RECIPE, Sink};

const NO_AMOUNT: Option<i128> = None;
const NO_COUNT: Option<u64> = None;

/// A bank line.
struct Line<'a> {
    id: &'a str,
    account: &'a str,
    currency: &'a str,
    day: i32,
    value_date: i32,
    is_credit: bool,
    amount: i128,
    type_code: Option<&'a str>,
    /// Name and account of the other side.
    other: (Option<&'a str>, Option<&'a str>),
    cheque: Option<&'a str>,
    text: Option<&'a str>,
    channel: &'a str,
    feed: &'a str,
    status: &'a str,
    charges: Option<i128>,
}

impl Books {
    pub fn tell_item(
        &mut self,
        sink: &mut Sink,
        posting: u64,
        day: i32,
        item: &Item,
    ) -> Result<()> {
        let party = &self.parties[item.party];
        let own = &self.accounts[party.home];
        let kind = match item.number % 50 {
            0 => "credit_memo",
            1 => "bill",
            _ => "invoice",
        };
        let discount = item
            .number
            .is_multiple_of(4)
            .then_some(item.amount / CENT / 50 * CENT);
        self.line += 1;
        sink.push(
            Table::OpenItems,
            cells![
                &item.id(),
                &own.entity,
                &party.id,
                kind,
                &format!("INV-{:08}", item.number),
                NONE,
                own.currency,
                item.amount,
                item.amount,
                day,
                day + 30,
                discount,
                discount.map(|_| day + 10),
                "in/open_items.csv",
                self.line,
                NONE,
                posting
            ],
        )
    }

    fn tell_line(
        &mut self,
        sink: &mut Sink,
        posting: u64,
        file: &str,
        line: &Line<'_>,
    ) -> Result<()> {
        self.line += 1;
        self.lines += 1;
        let start = self.line * 160;
        let reference = format!("{:08}{:06}", line.day, self.line);
        let direction = if line.is_credit { "CRDT" } else { "DBIT" };
        let statement = format!("{}/{}", line.account, Date::from_days(line.day));
        sink.push(
            Table::Transactions,
            cells![
                line.id,
                file,
                self.line,
                line.account,
                line.day,
                line.value_date,
                direction,
                line.currency,
                line.amount,
                line.type_code,
                &reference,
                NONE,
                line.cheque,
                line.other.0,
                line.other.1,
                line.text,
                false,
                line.status,
                line.channel,
                &statement,
                NONE,
                start,
                start + 160,
                line.feed,
                NONE,
                NONE,
                NONE,
                NONE,
                line.charges,
                posting
            ],
        )
    }

    pub fn tell_credit(
        &mut self,
        sink: &mut Sink,
        posting: u64,
        file: &str,
        payment: &Payment,
    ) -> Result<()> {
        let party = &self.parties[payment.items[0].party];
        let (name, account, home) = (party.name.clone(), party.account.clone(), party.home);
        let own = &mut self.accounts[home];
        let (number, currency) = (own.number.clone(), own.currency);
        let lockbox = own.lockbox.clone();
        if !payment.by_cheque {
            own.ledger += payment.amount;
        }
        let type_code = match (own.is_american, payment.by_cheque) {
            (_, true) => None,
            (true, _) => Some(if payment.amount > 1_000_000 * CENT {
                "195"
            } else {
                "165"
            }),
            _ => Some("PMNT-RCDT-ESCT"),
        };
        let cheque = payment.by_cheque.then(|| payment.id[..6].to_owned());
        let charges =
            (type_code == Some("PMNT-RCDT-ESCT") && self.dice.chance(15)).then_some(450 * CENT);
        self.tell_line(
            sink,
            posting,
            file,
            &Line {
                id: &payment.id,
                account: if payment.by_cheque { &lockbox } else { &number },
                currency,
                day: payment.day,
                value_date: payment.value_date,
                is_credit: true,
                amount: payment.amount,
                type_code,
                other: (Some(&name), Some(&account)),
                cheque: cheque.as_deref(),
                text: (!payment.by_cheque).then_some(payment.text.as_str()),
                channel: if payment.by_cheque {
                    "lockbox"
                } else {
                    "statement"
                },
                feed: "statement",
                status: "BOOK",
                charges,
            },
        )
    }

    /// Money out, a fee now and then, and lines of reports during the day.
    pub fn spend(&mut self, sink: &mut Sink, posting: u64, day: i32, file: &str) -> Result<()> {
        let place = self.dice.below(self.accounts.len() as u64) as usize;
        let (is_fee, is_interim) = (self.dice.chance(8), self.dice.chance(20));
        let units = if is_fee {
            self.dice.between(500, 9_000)
        } else {
            self.dice.between(1_000, 350_000)
        };
        let amount = i128::from(units) * CENT;
        let id = identity(&mut self.dice);
        let is_pending = is_interim && self.dice.chance(500);
        let is_credit = is_interim && self.dice.chance(500);
        let own = &mut self.accounts[place];
        if !is_interim {
            own.ledger -= amount;
        }
        let (number, currency) = (own.number.clone(), own.currency);
        let type_code = match (own.is_american, is_fee) {
            (true, true) => "698",
            (true, false) => "475",
            (false, true) => "ACMT-MDOP-CHRG",
            (false, false) => "PMNT-ICDT-ESCT",
        };
        let vendor = format!("Vendor {:05}", self.dice.below(3_000));
        self.tell_line(
            sink,
            posting,
            file,
            &Line {
                id: &id,
                account: &number,
                currency,
                day,
                value_date: day,
                is_credit,
                amount,
                type_code: Some(type_code),
                other: ((!is_fee).then_some(vendor.as_str()), None),
                cheque: None,
                text: None,
                channel: "statement",
                feed: if is_interim { "interim" } else { "statement" },
                status: if is_pending { "PDNG" } else { "BOOK" },
                charges: NO_AMOUNT,
            },
        )
    }

    /// What each bank states of the day: opening, closing and float. Now and then a statement is
    /// missing, or does not tie.
    pub fn tell_balances(
        &mut self,
        sink: &mut Sink,
        posting: u64,
        day: i32,
        file: &str,
        opening: &[i128],
    ) -> Result<()> {
        for (place, &opened) in opening.iter().enumerate() {
            if self.dice.chance(1) {
                continue;
            }
            let off = if self.dice.chance(1) {
                10_000 * CENT
            } else {
                0
            };
            let own = &self.accounts[place];
            let closing = own.ledger + off;
            let names: &[(&str, &str, i128)] = if own.is_american {
                &[
                    ("010", "opening_ledger", opened),
                    ("015", "closing_ledger", closing),
                    ("045", "closing_available", closing - 90_000 * CENT),
                    ("072", "float_1_day", 70_000 * CENT),
                    ("074", "float_2_or_more_days", 20_000 * CENT),
                ]
            } else {
                &[
                    ("OPBD", "opening_booked", opened),
                    ("CLBD", "closing_booked", closing),
                ]
            };
            for &(code, name, amount) in names {
                self.line += 1;
                sink.push(
                    Table::Balances,
                    cells![
                        file,
                        self.line,
                        &own.number,
                        own.currency,
                        code,
                        name,
                        day,
                        amount,
                        NO_COUNT,
                        posting
                    ],
                )?;
            }
        }
        let digest = identity(&mut self.dice).repeat(2);
        sink.push(
            Table::Files,
            cells![
                file,
                "bai2",
                NONE,
                &digest,
                self.line * 160,
                self.line,
                self.line,
                0_u64,
                0_u64,
                posting
            ],
        )
    }

    pub fn tell_rates(&mut self, sink: &mut Sink, posting: u64, day: i32) -> Result<()> {
        for (line, (currency, rate)) in [("EUR", 1_080), ("GBP", 1_270), ("CAD", 730)]
            .into_iter()
            .enumerate()
        {
            let rate = i128::from(rate + self.dice.between(-20, 20)) * 1_000_000_000;
            sink.push(
                Table::ExchangeRates,
                cells![
                    day,
                    currency,
                    "USD",
                    rate,
                    "central bank",
                    "in/rates.csv",
                    line as u64 + 2,
                    NONE,
                    posting
                ],
            )?;
        }
        Ok(())
    }

    /// The row of a payment, and those of what it was applied to, or why it was not.
    pub fn decide(
        &mut self,
        sink: &mut Sink,
        posting: u64,
        file: &str,
        payment: &Payment,
    ) -> Result<()> {
        let party = &self.parties[payment.items[0].party];
        let own = &self.accounts[party.home];
        let applied = if matches!(payment.status, "applied" | "partially_applied") {
            payment.amount - payment.extra
        } else {
            0
        };
        let on_account = match payment.status {
            "partially_applied" => payment.extra,
            "on_account" => payment.amount,
            _ => 0,
        };
        let unapplied = payment.amount - applied - on_account;
        let known = !matches!(payment.status, "unidentified" | "out_of_scope");
        let cheque = payment.by_cheque.then(|| payment.id[..6].to_owned());
        let score = if applied > 0 { 0.9987 } else { 0.41 };
        sink.push(
            Table::Payments,
            cells![
                &payment.id,
                file,
                payment.line,
                if payment.by_cheque {
                    own.lockbox.as_str()
                } else {
                    own.number.as_str()
                },
                payment.day,
                payment.value_date,
                own.currency,
                payment.amount,
                &party.name,
                cheque.as_deref(),
                NONE,
                NONE,
                payment.status,
                known.then_some(party.id.as_str()),
                applied,
                on_account,
                unapplied,
                payment.reason,
                payment.rule,
                score,
                score,
                "CRDT",
                if payment.by_cheque {
                    "lockbox"
                } else {
                    "statement"
                },
                &party.account,
                &payment.text,
                RECIPE,
                payment.line * 160,
                payment.line * 160 + 160,
                NONE,
                posting
            ],
        )?;
        let row = Row {
            party: &party.id,
            currency: own.currency,
            score,
        };
        for (place, item) in payment
            .items
            .iter()
            .enumerate()
            .filter(|_| applied > 0 || payment.status == "proposed")
        {
            apply(sink, posting, payment, item, place == 0, &row)?;
        }
        let currency = own.currency;
        self.explain(sink, posting, payment, currency)?;
        self.except(sink, posting, payment, unapplied)
    }

    /// Its evidence, and what it repeats.
    fn explain(
        &mut self,
        sink: &mut Sink,
        posting: u64,
        payment: &Payment,
        currency: &str,
    ) -> Result<()> {
        for (sequence, (name, weight)) in [("prior", -12.0), ("amount_exact", 12.64)]
            .into_iter()
            .enumerate()
        {
            sink.push(
                Table::Evidence,
                cells![
                    &payment.id,
                    sequence as u64 + 1,
                    "evidence",
                    name,
                    weight,
                    Option::<f64>::None,
                    NONE,
                    NONE,
                    posting
                ],
            )?;
        }
        if payment.status == "duplicate" {
            let detail = format!(
                "resubmitted_payment: amount {} {}",
                payment.amount / CENT,
                currency
            );
            let earlier = identity(&mut self.dice);
            sink.push(
                Table::Duplicates,
                cells![&payment.id, &earlier, &detail, posting],
            )?;
        }
        Ok(())
    }

    fn except(
        &mut self,
        sink: &mut Sink,
        posting: u64,
        payment: &Payment,
        unapplied: i128,
    ) -> Result<()> {
        let Some(reason) = payment.reason else {
            return Ok(());
        };
        let candidates = payment
            .items
            .iter()
            .map(|item| format!("{}=0.4431", item.id()));
        let candidates = candidates.collect::<Vec<_>>().join("|");
        sink.push(
            Table::Exceptions,
            cells![&payment.id, reason, unapplied, &candidates, posting],
        )?;
        if self.dice.chance(300) {
            let owner = self.dice.pick(&["ann", "bob", "carla", "dieter"]);
            self.note(
                sink,
                posting,
                payment.day,
                "action",
                Some(&payment.id),
                Some(owner),
            )?;
        }
        Ok(())
    }

    /// An event of the journal.
    pub fn note(
        &mut self,
        sink: &mut Sink,
        posting: u64,
        day: i32,
        kind: &str,
        payment: Option<&str>,
        owner: Option<&str>,
    ) -> Result<()> {
        self.sequence += 1;
        let hash = identity(&mut self.dice).repeat(2);
        let at = format!("{}T06:30:00.000000Z", Date::from_days(day));
        sink.push(
            Table::Journal,
            cells![
                self.sequence,
                posting,
                &at,
                kind,
                NONE,
                owner,
                owner.map(|_| "assign"),
                NONE,
                &hash,
                payment,
                owner,
                NONE
            ],
        )
    }
}

/// What the applications of one payment have in common.
struct Row<'a> {
    party: &'a str,
    currency: &'a str,
    score: f64,
}

fn apply(
    sink: &mut Sink,
    posting: u64,
    payment: &Payment,
    item: &Item,
    is_first: bool,
    row: &Row<'_>,
) -> Result<()> {
    let kept_back = if is_first { payment.kept_back } else { 0 };
    let reason =
        (kept_back != 0).then(|| ["damaged", "short_shipped", "price"][(item.number % 3) as usize]);
    let status = if payment.status == "proposed" {
        "proposed"
    } else {
        "applied"
    };
    sink.push(
        Table::Applications,
        cells![
            &payment.id,
            &item.id(),
            &format!("INV-{:08}", item.number),
            row.party,
            row.currency,
            item.amount - kept_back,
            0_i128,
            0_i128,
            kept_back,
            reason.filter(|_| !item.number.is_multiple_of(4)),
            payment.rule,
            row.score,
            status,
            posting
        ],
    )
}
