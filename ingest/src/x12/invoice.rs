//! Transaction set 810: an invoice, which is an open item.

use tieout_core::{Amount, Currency, FindingCode, ItemKind, Severity};

use super::fields::Fields;
use super::segment::Segment;
use super::set::{Heading, TransactionSet};
use super::tables::{Oddity, Tables};
use super::terms::{Days, Terms};
use crate::format::ReadError;
use crate::intake::Notice;
use crate::rows::OpenItem;

/// Codes of BIG07 for what the seller owes (credit memo, credit invoice).
const CREDITS: &[&[u8]] = &[b"CR", b"CN"];
/// Codes of BIG07 for a charge beside an invoice.
const DEBITS: &[&[u8]] = &[b"DR", b"DB"];
/// Roles of an N1 that sell: seller, issuer of invoice, remit-to, vendor, supplier.
const SELLERS: &[&[u8]] = &[b"SE", b"II", b"RI", b"RE", b"VN", b"SU"];
/// Roles of an N1 that buy: bill-to, buyer, payer, ship-to.
const BUYERS: &[&[u8]] = &[b"BT", b"BY", b"PR", b"ST"];

static SUM_DIFFERS: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::ControlTotal,
    what: "invoices whose total is not lines, charges, allowances and taxes added up",
    expected: "TDS01 equal to the sum of IT1, SAC and TXI",
    action: "The total counts; ask the seller for the calculation.",
};

/// Reads one 810.
pub(super) struct Invoice {
    heading: Heading,
    big: Option<Big>,
    currency: Currency,
    seller: Party,
    buyer: Party,
    terms: Terms,
    days: Days,
    total: Option<Amount>,
    /// What the discount is counted from, if it is not the total.
    subject: Option<Amount>,
    lines: Lines,
}

struct Big {
    line: u64,
    number: String,
    order: String,
    kind: ItemKind,
}

#[derive(Default)]
struct Party {
    id: String,
    name: String,
    rank: usize,
}

/// What the lines of the invoice come to, in hundred-thousandths of hundred-thousandths.
#[derive(Default)]
struct Lines {
    count: u64,
    quantity: i128,
    sum: i128,
    /// A quantity or price did not read, or is of a kind that does not multiply.
    is_open: bool,
}

impl Invoice {
    pub fn new(heading: Heading) -> Self {
        Self {
            heading,
            big: None,
            currency: Currency::USD,
            seller: Party::default(),
            buyer: Party::default(),
            terms: Terms::default(),
            days: Days::default(),
            total: None,
            subject: None,
            lines: Lines::default(),
        }
    }

    fn begin(&mut self, big: &Segment<'_>, tables: &mut Tables<'_>) -> Result<(), ReadError> {
        self.days.issued = tables.date(big, 1)?;
        let code = big.element(7);
        self.big = Some(Big {
            line: big.line,
            number: big.text(2).into_owned(),
            order: big.text(4).into_owned(),
            kind: kind_of(code),
        });
        Ok(())
    }

    fn total(&mut self, tds: &Segment<'_>, tables: &mut Tables<'_>) -> Result<(), ReadError> {
        self.total = tables.implied_amount(tds, 1)?;
        self.subject = tables.implied_amount(tds, 2)?;
        let discount = tables.implied_amount(tds, 4)?;
        self.terms.set_discount(discount);
        Ok(())
    }

    /// Counts and hash total of the lines.
    fn compare(&self, ctt: &Segment<'_>, tables: &mut Tables<'_>) -> Result<(), ReadError> {
        let count = ctt.text(1);
        if count.parse() != Ok(self.lines.count) {
            tables.report(wrong_count(
                ctt.line,
                &format!("the invoice says `{count}` lines"),
                self.lines.count.to_string(),
            ))?;
        }
        let hash = tables.amount(ctt, 2)?.map(Amount::units);
        if hash.is_some_and(|hash| hash != self.lines.quantity) && !self.lines.is_open {
            tables.report(wrong_count(
                ctt.line,
                &format!("the invoice says a quantity of {}", ctt.text(2)),
                Amount::from_units(self.lines.quantity).to_string(),
            ))?;
        }
        Ok(())
    }

    fn write(&self, big: &Big, total: Amount, tables: &mut Tables<'_>) -> Result<(), ReadError> {
        // An invoice below zero is what the seller owes.
        let kind = match big.kind {
            ItemKind::Invoice | ItemKind::DebitMemo if total.is_negative() => ItemKind::CreditMemo,
            kind => kind,
        };
        let total = total.abs();
        let seller = self.seller.known_as(&self.heading.sender);
        let row = OpenItem {
            item_id: &format!("{seller}/{}", big.number),
            entity: seller,
            party_id: self.buyer.known_as(""),
            number: &big.number,
            po_number: &big.order,
            amount: total,
            open_amount: total,
            issue_date: self.days.issued,
            due_date: self.terms.due_date(self.days),
            discount_amount: self.terms.discount(self.subject.unwrap_or(total)),
            discount_date: self.terms.discount_date(self.days),
            source_line: big.line,
            ..OpenItem::blank(kind, self.currency)
        };
        tables.push_item(&row)
    }
}

fn kind_of(code: &[u8]) -> ItemKind {
    if CREDITS.contains(&code) {
        ItemKind::CreditMemo
    } else if DEBITS.contains(&code) {
        ItemKind::DebitMemo
    } else {
        ItemKind::Invoice
    }
}

fn wrong_count(line: u64, found: &str, expected: String) -> Notice {
    Notice {
        severity: Severity::Error,
        code: FindingCode::ControlCount,
        line: Some(line),
        found: found.to_owned(),
        expected,
        action: "Lines of the invoice may be missing; ask the seller for it again.".into(),
    }
}

impl Party {
    fn offer(&mut self, n1: &Segment<'_>, roles: &[&[u8]]) {
        let role = n1.element(1);
        let Some(rank) = roles.iter().position(|known| *known == role) else {
            return;
        };
        let is_known = !self.id.is_empty() || !self.name.is_empty();
        if !is_known || rank < self.rank {
            self.id = n1.text(4).into_owned();
            self.name = n1.text(2).into_owned();
            self.rank = rank;
        }
    }

    /// The identifier, or else the name, or else `other`.
    fn known_as<'a>(&'a self, other: &'a str) -> &'a str {
        let known = [self.id.as_str(), self.name.as_str()];
        known
            .into_iter()
            .find(|text| !text.is_empty())
            .unwrap_or(other)
    }
}

impl Lines {
    const ONE: i128 = 100_000;

    fn line(&mut self, it1: &Segment<'_>) {
        self.count += 1;
        let [_, quantity, _, price, basis] = it1.first();
        let [quantity, price] = [quantity, price].map(Amount::parse);
        if let Ok(quantity) = quantity {
            self.quantity += quantity.units();
        }
        let product = quantity.ok().zip(price.ok());
        let product = product.and_then(|(q, p)| q.units().checked_mul(p.units()));
        // A price of HP or TP is for a hundred or a thousand; others like them are rare.
        let is_each = !matches!(basis, b"HP" | b"TP" | b"PN" | b"HT" | b"TT");
        self.add(product.filter(|_| is_each));
    }

    fn charge(&mut self, sac: &Segment<'_>, tables: &mut Tables<'_>) -> Result<(), ReadError> {
        // Without an amount it is a rate, which nobody here applies.
        let amount = tables.implied_amount(sac, 5)?;
        let amount = amount.map(|amount| amount.units() * Self::ONE);
        match sac.element(1) {
            b"A" => self.add(amount.map(|amount| -amount)),
            b"C" => self.add(amount),
            _ => {}
        }
        Ok(())
    }

    fn tax(&mut self, txi: &Segment<'_>, tables: &mut Tables<'_>) -> Result<(), ReadError> {
        let amount = tables.amount(txi, 2)?.unwrap_or_default();
        self.add(Some(amount.units() * Self::ONE));
        Ok(())
    }

    fn add(&mut self, amount: Option<i128>) {
        match amount.and_then(|amount| self.sum.checked_add(amount)) {
            Some(sum) => self.sum = sum,
            None => self.is_open = true,
        }
    }

    /// Whether the lines come to `total`, each rounded to cents in its own way.
    fn fit(&self, total: Amount) -> bool {
        const HALF_CENT: i128 = 500;
        let difference = self.sum - total.units() * Self::ONE;
        let rounding = i128::from(self.count) * HALF_CENT * Self::ONE;
        self.is_open || self.count == 0 || difference.abs() <= rounding
    }
}

impl TransactionSet for Invoice {
    fn segment(
        &mut self,
        segment: &Segment<'_>,
        tables: &mut Tables<'_>,
    ) -> Result<bool, ReadError> {
        match &segment.tag {
            b"BIG" => self.begin(segment, tables)?,
            b"CUR" => {
                let currency = tables.currency(segment)?;
                self.currency = currency.unwrap_or(self.currency);
            }
            b"N1 " => {
                self.seller.offer(segment, SELLERS);
                self.buyer.offer(segment, BUYERS);
            }
            b"ITD" => self.terms.read(segment, tables)?,
            // The day of shipment.
            b"DTM" if segment.element(1) == b"011" => {
                self.days.shipped = tables.date(segment, 2)?;
            }
            b"IT1" => self.lines.line(segment),
            b"SAC" => self.lines.charge(segment, tables)?,
            b"TXI" => self.lines.tax(segment, tables)?,
            b"TDS" => self.total(segment, tables)?,
            b"CTT" => self.compare(segment, tables)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn finish(&mut self, _end: u64, tables: &mut Tables<'_>) -> Result<(), ReadError> {
        let named = self.big.take().filter(|big| !big.number.is_empty());
        let (Some(big), Some(total)) = (named, self.total) else {
            return tables.report(Notice {
                severity: Severity::Error,
                code: FindingCode::MissingRecord,
                line: Some(self.heading.line),
                found: format!(
                    "invoice set {} has no number or no total",
                    self.heading.control
                ),
                expected: "BIG with a number and TDS with an amount".to_owned(),
                action: "Nothing of it is an open item; ask the seller for it again.".into(),
            });
        };
        // Some write a credit's total below zero and its lines above.
        let is_credit = big.kind.is_credit();
        let fits = self.lines.fit(total) || (is_credit && self.lines.fit(-total));
        if !fits {
            tables.count(&SUM_DIFFERS, big.line);
        }
        self.write(&big, total, tables)
    }
}
