//! What is odd about a file, once per kind with how often, and not once per row.

use tieout_core::{FindingCode, Severity};

use crate::format::Stopped;
use crate::intake::{Intake, Notice};

/// Names that one finding lists.
const NAMES_MAX: usize = 8;
/// Characters of a name that are shown.
const NAME_CHARACTERS_MAX: usize = 60;

/// One kind of oddity, in words.
#[derive(Debug)]
pub(crate) struct Oddity {
    pub severity: Severity,
    pub code: FindingCode,
    /// What there is so many of, in the plural.
    pub what: &'static str,
    pub expected: &'static str,
    pub action: &'static str,
}

struct Seen {
    oddity: &'static Oddity,
    first_line: u64,
    count: u64,
    names: Vec<String>,
}

/// The oddities of one file, in the order in which they first came.
#[derive(Default)]
pub(crate) struct Oddities(Vec<Seen>);

impl Oddities {
    /// Counts `oddity`, which `name` has on `line`; an empty name is not listed.
    pub fn note(&mut self, oddity: &'static Oddity, line: u64, name: &str) {
        let name: String = name.chars().take(NAME_CHARACTERS_MAX).collect();
        let known = self
            .0
            .iter_mut()
            .find(|seen| std::ptr::eq(seen.oddity, oddity));
        let Some(seen) = known else {
            self.0.push(Seen {
                oddity,
                first_line: line,
                count: 1,
                names: vec![name],
            });
            return;
        };
        seen.count += 1;
        if seen.names.len() <= NAMES_MAX && !seen.names.contains(&name) {
            seen.names.push(name);
        }
    }

    /// Hands over a finding for each kind.
    pub fn report(&self, intake: &mut Intake<'_>) -> Result<(), Stopped> {
        for seen in &self.0 {
            intake.report(seen.notice())?;
        }
        Ok(())
    }
}

impl Seen {
    fn notice(&self) -> Notice {
        let named = self.names.iter().filter(|name| !name.is_empty());
        let mut names: Vec<&str> = named.map(String::as_str).collect();
        if names.len() > NAMES_MAX {
            names.truncate(NAMES_MAX);
            names.push("and others");
        }
        let list = if names.is_empty() {
            String::new()
        } else {
            format!(" ({})", names.join(", "))
        };
        let Oddity { what, expected, .. } = self.oddity;
        Notice {
            severity: self.oddity.severity,
            code: self.oddity.code,
            line: Some(self.first_line),
            found: format!("{} {what}{list}, the first here", self.count),
            expected: (*expected).to_owned(),
            action: self.oddity.action.into(),
        }
    }
}
