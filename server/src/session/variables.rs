//! The settings that a session has, as `SHOW` and `SET` know them.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::query::Lasting;
use crate::wire::{Refusal, state};

/// What clients are told when they come in, and whenever it changes.
const REPORTED: [&str; 11] = [
    "server_version",
    "server_encoding",
    "client_encoding",
    "application_name",
    "is_superuser",
    "session_authorization",
    "DateStyle",
    "IntervalStyle",
    "TimeZone",
    "integer_datetimes",
    "standard_conforming_strings",
];

const DEFAULTS: [(&str, &str); 29] = [
    ("application_name", ""),
    ("bytea_output", "hex"),
    ("client_encoding", "UTF8"),
    ("client_min_messages", "notice"),
    ("DateStyle", "ISO, MDY"),
    ("default_table_access_method", "heap"),
    ("default_transaction_isolation", "repeatable read"),
    ("default_transaction_read_only", "on"),
    ("extra_float_digits", "1"),
    ("in_hot_standby", "off"),
    ("integer_datetimes", "on"),
    ("IntervalStyle", "postgres"),
    ("is_superuser", "off"),
    ("lc_collate", "C"),
    ("lc_ctype", "C"),
    ("lock_timeout", "0"),
    ("max_identifier_length", "63"),
    ("max_index_keys", "32"),
    ("search_path", "\"$user\", public"),
    ("server_encoding", "UTF8"),
    (
        "server_version",
        concat!("15.0 (tieout ", env!("CARGO_PKG_VERSION"), ")"),
    ),
    ("server_version_num", "150000"),
    ("session_authorization", ""),
    ("standard_conforming_strings", "on"),
    ("statement_timeout", "0"),
    ("synchronous_commit", "on"),
    ("TimeZone", "UTC"),
    ("transaction_isolation", "repeatable read"),
    ("transaction_read_only", "on"),
];

/// Settings that say what is so, and cannot be changed.
const FIXED: [&str; 13] = [
    "max_index_keys",
    "default_transaction_read_only",
    "transaction_read_only",
    "in_hot_standby",
    "integer_datetimes",
    "is_superuser",
    "max_identifier_length",
    "server_encoding",
    "server_version",
    "server_version_num",
    "session_authorization",
    "standard_conforming_strings",
    "bytea_output",
];

/// How many settings are kept: a session has few, whatever else a client says.
const SETTINGS_MAX: usize = 200;

/// The settings of a session.
#[derive(Debug)]
pub struct Variables {
    user: String,
    set: BTreeMap<String, String>,
    /// Those of the open transaction, in front of the others.
    local: BTreeMap<String, String>,
    /// What was set when the open transaction began.
    before: Option<BTreeMap<String, String>>,
}

impl Variables {
    /// Those of `user` at the start.
    pub fn of(user: &str) -> Self {
        Self {
            user: user.to_owned(),
            set: BTreeMap::new(),
            local: BTreeMap::new(),
            before: None,
        }
    }

    /// A setting by its name in any case.
    pub fn get(&self, name: &str) -> Option<String> {
        let name = name.to_lowercase();
        if name == "session_authorization" {
            return Some(self.user.clone());
        }
        if let Some(value) = self.local.get(&name).or_else(|| self.set.get(&name)) {
            return Some(value.clone());
        }
        default(&name).map(str::to_owned)
    }

    /// All settings.
    pub fn all(&self) -> Vec<(String, String)> {
        let names = DEFAULTS.iter();
        names
            .filter_map(|(name, _)| Some(((*name).to_owned(), self.get(name)?)))
            .collect()
    }

    /// Those that clients are told of, as they are now.
    pub fn reported(&self) -> impl Iterator<Item = (&'static str, String)> + use<'_> {
        let reported = REPORTED.into_iter();
        reported.filter_map(|name| Some((name, self.get(name)?)))
    }

    /// Sets one, or sets it back.
    ///
    /// # Errors
    /// [`state::INVALID_PARAMETER_VALUE`] if it cannot be so.
    pub fn set(
        &mut self,
        name: &str,
        value: Option<&str>,
        lasting: Lasting,
    ) -> Result<(), Refusal> {
        let name = name.to_lowercase();
        let wrong = |found: String| Refusal::new(state::INVALID_PARAMETER_VALUE, found);
        let is_fixed = FIXED.contains(&name.as_str());
        if let (true, Some(value)) = (is_fixed, value) {
            let is_so = self.get(&name).is_some_and(|now| same(&now, value));
            if !is_so {
                return Err(wrong(format!("{name} is fixed here")));
            }
        }
        match (name.as_str(), value) {
            ("statement_timeout", Some(value)) if read_time(value).is_none() => {
                let found = "statement_timeout takes milliseconds, or '5s', '2min'";
                return Err(wrong(found.to_owned()));
            }
            ("client_encoding", Some(value))
                if !["utf8", "unicode"].contains(&plain(value).as_str()) =>
            {
                return Err(wrong("client_encoding can only be UTF8".to_owned()));
            }
            ("datestyle", Some(value)) if !plain(value).starts_with("iso") => {
                return Err(wrong("DateStyle can only be ISO".to_owned()));
            }
            _ => {}
        }
        let value = match value {
            Some(_) if name == "client_encoding" => Some("UTF8"),
            value => value.filter(|_| !is_fixed),
        };
        self.local.remove(&name);
        let (own, value) = match lasting {
            Lasting::Session => (&mut self.set, value),
            Lasting::Transaction => (&mut self.local, value.or_else(|| default(&name))),
        };
        let Some(value) = value else {
            own.remove(&name);
            return Ok(());
        };
        if own.len() >= SETTINGS_MAX && !own.contains_key(&name) {
            return Err(wrong("there are too many settings".to_owned()));
        }
        own.insert(name, value.to_owned());
        Ok(())
    }

    /// A transaction begins.
    pub fn begin(&mut self) {
        self.before.get_or_insert_with(|| self.set.clone());
    }

    /// It ends: what was set in it lasts only if it `is_kept`.
    pub fn end(&mut self, is_kept: bool) {
        self.local.clear();
        if let Some(before) = self.before.take()
            && !is_kept
        {
            self.set = before;
        }
    }

    /// All as at the start.
    pub fn reset(&mut self) {
        self.set.clear();
        self.local.clear();
    }

    /// How long a query may take: `time_max`, or less if the client wants so.
    pub fn statement_time(&self, time_max: Duration) -> Duration {
        let wanted = self.get("statement_timeout");
        let wanted = wanted.and_then(|text| read_time(&text));
        wanted
            .filter(|time| !time.is_zero())
            .map_or(time_max, |time| time.min(time_max))
    }
}

/// All settings, as they are where nobody has set them.
pub fn defaults() -> impl Iterator<Item = (&'static str, &'static str)> {
    DEFAULTS.into_iter()
}

/// What a setting is where nobody has set it.
pub fn default(name: &str) -> Option<&'static str> {
    let mut defaults = DEFAULTS.iter();
    let found = defaults.find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| *value)
}

fn plain(value: &str) -> String {
    value.to_lowercase().replace('-', "")
}

fn same(now: &str, value: &str) -> bool {
    let truth = |text: &str| match text.to_lowercase().as_str() {
        "true" | "on" | "1" | "yes" => "on".to_owned(),
        "false" | "off" | "0" | "no" => "off".to_owned(),
        other => other.replace('-', ""),
    };
    truth(now) == truth(value)
}

fn read_time(text: &str) -> Option<Duration> {
    let text = text.trim();
    let end = text.find(|letter: char| !letter.is_ascii_digit());
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let number: u64 = number.parse().ok()?;
    let milliseconds = match unit.trim() {
        "" | "ms" => Some(number),
        "s" => number.checked_mul(1000),
        "min" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        _ => None,
    };
    milliseconds.map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    use Lasting::{Session, Transaction};

    #[test]
    fn a_client_can_only_shorten_its_time() {
        let mut variables = Variables::of("ann");
        let max = Duration::from_secs(10);
        assert_eq!(variables.statement_time(max), max);
        for (value, wanted) in [
            (Some("1500"), Duration::from_millis(1500)),
            (Some("0"), max),
            (Some("2s"), Duration::from_secs(2)),
            (Some("1h"), max),
            (None, max),
        ] {
            variables.set("statement_timeout", value, Session).unwrap();
            assert_eq!(variables.statement_time(max), wanted, "{value:?}");
        }
        let soon = variables.set("statement_timeout", Some("soon"), Session);
        assert_eq!(soon.unwrap_err().state, state::INVALID_PARAMETER_VALUE);
    }

    #[test]
    fn what_is_so_stays() {
        let mut variables = Variables::of("ann");
        let mut set = |name, value| variables.set(name, Some(value), Session);
        assert!(set("transaction_read_only", "off").is_err());
        assert!(set("transaction_read_only", "true").is_ok());
        assert!(set("client_encoding", "latin1").is_err());
        set("client_encoding", "utf-8").unwrap();
        set("application_name", "psql").unwrap();
        assert_eq!(variables.get("client_encoding").unwrap(), "UTF8");
        assert_eq!(variables.get("APPLICATION_NAME").unwrap(), "psql");
        assert_eq!(variables.get("session_authorization").unwrap(), "ann");
    }

    #[test]
    fn what_a_transaction_sets_ends_with_it() {
        /// Sets the zone to a place, or back; what it is then.
        fn zone(variables: &mut Variables, place: Option<&str>, lasting: Lasting) -> String {
            variables.set("TimeZone", place, lasting).unwrap();
            now(variables)
        }
        fn now(variables: &Variables) -> String {
            variables.get("timezone").unwrap()
        }
        let mut variables = Variables::of("ann");
        zone(&mut variables, Some("Paris"), Session);
        variables.begin();
        assert_eq!(zone(&mut variables, Some("Tokyo"), Transaction), "Tokyo");
        assert_eq!(zone(&mut variables, None, Transaction), "UTC");
        variables.end(true);
        assert_eq!(now(&variables), "Paris");

        variables.begin();
        zone(&mut variables, Some("Tokyo"), Transaction);
        assert_eq!(zone(&mut variables, Some("Lima"), Session), "Lima");
        variables.end(false);
        assert_eq!(now(&variables), "Paris");

        variables.begin();
        zone(&mut variables, Some("Lima"), Session);
        variables.end(true);
        assert_eq!(now(&variables), "Lima");
        variables.end(false);
        assert_eq!(now(&variables), "Lima");
    }
}
