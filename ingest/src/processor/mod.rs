//! Reports of payment processors, to settlement lines.
//!
//! A processor pays out many payments in one sum. Its report names them: what a customer paid
//! (gross), what the processor keeps (fee), what is left (net), and the payout in which that
//! reached the bank. `gross - fee = net` in every line, signed in the merchant's favour; a line
//! whose figures do not tie is refused. Rows that move no balance (authorisations, declines, memo
//! rows) are payment statuses. The lines of a payout are added up against the payout itself.
//!
//! How a report is laid out is a table in `profiles/` (`profile`, `header`). `records` takes the
//! text apart, `sheet` and `row` read it by its profile with `figure` and `calendar`, `payouts`
//! and `running` check sums and balances, `settlement` hands over, and `remarks` are what is said
//! once for a file. PayPal's typed rows (`paypal`, `totals`), Trustly's files (`trustly`) and the
//! objects of APIs (`json_items`, `objects`, `stripe`, `adyen`, `braintree`) have code of their
//! own.

mod adyen;
mod braintree;
mod calendar;
mod figure;
mod header;
mod json_items;
mod objects;
mod payouts;
mod paypal;
mod profile;
mod records;
mod remarks;
mod row;
mod running;
mod settlement;
mod sheet;
mod stripe;
mod totals;
mod trustly;

use std::sync::LazyLock;

use memchr::memchr2;
use tieout_core::{FindingCode, Severity};

use crate::format::{Counts, Format, ReadError, Receiver, Role, Settings};
use crate::intake::{Intake, Notice};
use crate::lines::LineReader;
use crate::registry::HEAD_BYTES;
use crate::rows::decode;
use crate::transport::SourceFile;
use objects::Objects;
use paypal::TypedRows;
use profile::{DateStyle, Profile, column_name};
use records::{Records, split};
use settlement::Settlement;
use sheet::{Sheet, Told};
use trustly::Trustly;

/// What may separate fields, in the order of preference.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The reports of one processor.
pub struct Processor {
    name: &'static str,
    about: &'static str,
    /// Tables of its reports: of PayPal's typed rows and Trustly's files the first, of objects the
    /// last.
    profiles: fn() -> &'static [Profile],
}

macro_rules! processors {
    ($($name:ident = $code:literal, $about:literal, [$($profile:literal),+];)+) => {
        $(
            #[doc = $about]
            pub static $name: Processor = Processor {
                name: $code,
                about: $about,
                profiles: || {
                    static PROFILES: LazyLock<Vec<Profile>> = LazyLock::new(|| {
                        profiles($code, &[$(include_str!(concat!("profiles/", $profile, ".toml"))),+])
                    });
                    &PROFILES
                },
            };
        )+
        /// Every processor.
        #[cfg(test)]
        static PROCESSORS: &[(&Processor, usize)] = &[$((&$name, [$($profile),+].len())),+];
    };
}

processors! {
    STRIPE = "stripe",
        "Stripe balance and payout reports in any selection of columns, and objects of its API (balance transactions, charges, refunds, disputes, payouts)",
        ["stripe"];
    ADYEN = "adyen",
        "Adyen settlement detail and payments accounting reports, and notifications",
        ["adyen_settlement", "adyen_accounting", "adyen_events"];
    PAYPAL = "paypal",
        "PayPal settlement (STL), transaction detail (TRR) and subscription (SAR) reports; activity reports in English, German, Spanish, French and Italian",
        ["paypal_typed", "paypal_en", "paypal_de", "paypal_es", "paypal_fr", "paypal_it"];
    BRAINTREE = "braintree",
        "Braintree transactions, refunds and disputes as JSON",
        ["braintree"];
    TRUSTLY = "trustly",
        "Trustly funding (P11KFUN) and reconciliation (P11KREC) files",
        ["trustly"];
    DLOCAL = "dlocal",
        "dLocal settlement and transaction reports",
        ["dlocal_summary", "dlocal_lines", "dlocal_transactions"];
    CHECKOUT = "checkout.com",
        "Checkout.com settlement breakdown and payouts",
        ["checkout_breakdown", "checkout_payouts"];
    CHARIOT = "chariot",
        "Chariot disbursements",
        ["chariot"];
    GRAVY = "gravy",
        "Gravy transaction report: what became of payments that others settle",
        ["gravy"];
}

/// A profile that does not parse is left out; a test sees that none is.
fn profiles(processor: &'static str, texts: &[&str]) -> Vec<Profile> {
    let profiles = texts.iter().map(|text| Profile::parse(processor, text));
    profiles.filter_map(Result::ok).collect()
}

/// How one file is laid out.
enum Layout {
    Sheet(&'static Profile, u8),
    TypedRows(u8),
    Positions,
    Objects,
}

impl Processor {
    /// How the file that begins with `head` is laid out, if it is of this processor.
    fn layout(&self, head: &[u8]) -> Option<Layout> {
        let head = without_mark(head).trim_ascii_start();
        if head.starts_with(b"{") || head.starts_with(b"[") {
            let text = String::from_utf8_lossy(head);
            return objects::is_of(self.name, &text).then_some(Layout::Objects);
        }
        // Decoded apart from what follows it, for the head may end within a character.
        let end = memchr2(b'\r', b'\n', head).unwrap_or(head.len());
        let line = decode(&head[..end]);
        if self.name == TRUSTLY.name {
            return line.starts_with("H,P11").then_some(Layout::Positions);
        }
        SEPARATORS
            .into_iter()
            .find_map(|separator| self.separated(&line, head, separator))
    }

    fn separated(&self, line: &str, head: &[u8], separator: u8) -> Option<Layout> {
        let mut fields = Vec::new();
        split(line, separator, &mut fields);
        if fields.len() < 2 {
            return None;
        }
        if self.name == PAYPAL.name && paypal::begins(&fields, head) {
            return Some(Layout::TypedRows(separator));
        }
        let names: Vec<String> = fields.iter().map(|name| column_name(name)).collect();
        let known = (self.profiles)()
            .iter()
            .find(|profile| profile.fits(&names));
        known.map(|profile| Layout::Sheet(profile, separator))
    }

    /// The layout, or for a file that is none of this processor's the one that says so row by
    /// row.
    fn layout_or_refusal(&self, head: &[u8]) -> Option<Layout> {
        self.layout(head).or_else(|| match self.name {
            "braintree" => Some(Layout::Objects),
            "trustly" => Some(Layout::Positions),
            _ => Some(Layout::Sheet((self.profiles)().first()?, b',')),
        })
    }
}

impl Format for Processor {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> String {
        self.about.to_owned()
    }

    fn role(&self) -> Role {
        Role::Remittances
    }

    fn recognizes(&self, head: &[u8]) -> bool {
        self.layout(head).is_some()
    }

    fn read(
        &self,
        file: &SourceFile,
        settings: &Settings,
        receiver: &mut dyn Receiver,
    ) -> Result<Counts, ReadError> {
        let head = file.head(HEAD_BYTES).map_err(|error| file.refused(error))?;
        let settlement = Settlement::new(Intake::new(file, receiver), settings.batch_rows);
        let (Some(layout), Some(first)) =
            (self.layout_or_refusal(&head), (self.profiles)().first())
        else {
            return settlement.finish(0, 0);
        };
        let open = || LineReader::open(file, settings).map(Records::new);
        match layout {
            Layout::Sheet(profile, separator) => {
                self.read_sheet(profile, separator, settlement, file, &open)
            }
            Layout::TypedRows(separator) => {
                TypedRows::new(first, separator, settlement).read(file, &mut open()?)
            }
            Layout::Positions => Trustly::new(first, settlement).read(file, &mut open()?),
            Layout::Objects => {
                let profile = (self.profiles)().last().unwrap_or(first);
                Objects::new(profile, settlement).read(file, settings)
            }
        }
    }
}

impl Processor {
    fn read_sheet<R: std::io::Read>(
        &self,
        profile: &'static Profile,
        separator: u8,
        mut settlement: Settlement<'_>,
        file: &SourceFile,
        open: &dyn Fn() -> Result<Records<R>, ReadError>,
    ) -> Result<Counts, ReadError> {
        let mut order = None;
        if profile.dates == DateStyle::Infer {
            let told = sheet::infer_order(file, profile, separator, &mut open()?)?;
            if let Some(notice) = order_notice(told) {
                settlement.report(notice)?;
            }
            if let Told::Order(known, _) = told {
                order = Some(known);
            }
        }
        Sheet::new((self.profiles)(), profile, separator, order, settlement)
            .read(file, &mut open()?)
    }
}

fn order_notice(told: Told) -> Option<Notice> {
    match told {
        Told::Order(order, line) => Some(Notice {
            severity: Severity::Info,
            code: FindingCode::LayoutInferred,
            line: Some(line),
            found: format!(
                "dates are written {}; the date here can be no other",
                order.shown()
            ),
            expected: String::new(),
            action: "Nothing to do if that is right.".into(),
        }),
        Told::Either => Some(Notice {
            severity: Severity::Warning,
            code: FindingCode::LayoutInferred,
            line: None,
            found: "no date tells the order of day and month".to_owned(),
            expected: "a day after the twelfth".to_owned(),
            action:
                "Dates were read as month, day, year; deliver a longer period if that is wrong."
                    .into(),
        }),
        Told::Nothing => None,
    }
}

fn without_mark(head: &[u8]) -> &[u8] {
    head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_parses() {
        for (processor, count) in PROCESSORS {
            assert_eq!((processor.profiles)().len(), *count, "{}", processor.name);
        }
    }

    #[test]
    fn knows_its_files_from_others() {
        let known = |head: &str| {
            let known = PROCESSORS
                .iter()
                .filter(|(p, _)| p.recognizes(head.as_bytes()));
            known.map(|(p, _)| p.name).collect::<Vec<_>>()
        };
        assert_eq!(
            known("\u{feff}\n\"Net\",\"currency\",reporting_category\n"),
            ["stripe"]
        );
        assert_eq!(
            known("\"RH\",1\n\"CH\",\"Transaction Event Code\"\n"),
            ["paypal"]
        );
        assert_eq!(
            known("Date,Amount,Currency,Type,Fee,Net,Balance\n"),
            [""; 0]
        );
        assert_eq!(known("gross;fee;net;currency;settlement_date\n"), [""; 0]);
        assert_eq!(
            known("{\"object\":\"list\",\"data\":[{\"object\":\"fruit\"}]}"),
            [""; 0]
        );
        assert_eq!(known(""), [""; 0]);
    }
}
