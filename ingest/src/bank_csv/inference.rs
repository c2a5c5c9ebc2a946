//! What was inferred, in plain words.

use tieout_core::{FindingCode, Severity};

use super::conventions::{Conventions, Uncertain};
use super::evidence::Evidence;
use super::money::Way;
use super::plan::Plan;
use super::words::Meaning;
use crate::intake::Notice;

/// What to do where a profile is the answer.
const WRITE_PROFILE: &str =
    "Put a profile beside the file: TOML with format = \"bank_csv\" and what it settles.";

/// Everything that was inferred, as one note.
pub(super) fn inferred(
    place: &str,
    plan: &Plan,
    conventions: &Conventions,
    evidence: &Evidence,
) -> Notice {
    let mut parts = vec![heading(place, plan, evidence), plan.columns.words()];
    let unread = plan.columns.unread();
    if !unread.is_empty() {
        parts.push(format!("not read: {}", unread.join(", ")));
    }
    let dating = &conventions.dating;
    parts.push(match dating.why {
        Some(why) => format!("dates {} ({why})", dating.words()),
        None => format!("dates {}", dating.words()),
    });
    let mark = conventions.money.mark.words();
    parts.push(format!("{mark} ({})", conventions.mark_why));
    parts.push(direction(plan, conventions));
    if conventions.has_running_balance {
        parts.push(balance(conventions, evidence));
    }
    parts.push(conventions.order.words().to_owned());
    if plan.columns.place(Meaning::Currency).is_none()
        && let Some((currency, place)) = conventions.currency
    {
        parts.push(format!("currency {currency} {place}"));
    }
    if !conventions.account.is_empty() {
        parts.push(format!("account {}", conventions.account));
    }
    Notice {
        severity: Severity::Info,
        code: FindingCode::LayoutInferred,
        line: plan.columns.heading_line,
        found: parts.join("; "),
        expected: String::new(),
        action: "Where this is wrong, put a profile (TOML with format = \"bank_csv\") beside the \
                 file."
            .into(),
    }
}

fn heading(place: &str, plan: &Plan, evidence: &Evidence) -> String {
    let profile = match &plan.profile {
        Some(profile) => format!("profile {}; ", profile.name),
        None => String::new(),
    };
    let heading = match plan.columns.heading_line {
        Some(line) if !plan.columns.names.is_empty() => format!("heading on line {line}"),
        _ => "no heading".to_owned(),
    };
    match evidence.preamble.lines {
        0 => format!("{profile}{place}{heading}"),
        lines => format!("{profile}{place}{heading} behind {lines} lines about the account"),
    }
}

/// How the text is cut.
pub(super) fn separation(plan: &Plan) -> String {
    let name = match plan.cut.separator {
        ';' => "semicolons",
        ',' => "commas",
        '\t' => "tabs",
        '|' => "bars",
        other => return format!("{other:?} between columns, "),
    };
    format!("{name} between columns, ")
}

fn direction(plan: &Plan, conventions: &Conventions) -> String {
    match conventions.money.way {
        Way::Pair => "money that comes and money that leaves in columns of their own".to_owned(),
        Way::Signed => "amounts below zero leave the account".to_owned(),
        Way::Turned => "amounts above zero leave the account, as the balances show".to_owned(),
        Way::Word { column, .. } => {
            format!(
                "{} tells whether money comes or leaves",
                plan.columns.name(column)
            )
        }
    }
}

fn balance(conventions: &Conventions, evidence: &Evidence) -> String {
    let mark = conventions.money.mark as usize;
    let balances = if conventions.money.has_fee_beside {
        &evidence.balances_after_fees[mark]
    } else {
        &evidence.balances[mark]
    };
    let ties = match conventions.money.way {
        Way::Turned => balances.turned_ties(),
        _ => balances.ties(),
    };
    format!(
        "{ties} of {} balances follow from their neighbours{}",
        balances.pairs,
        if conventions.money.has_fee_beside {
            ", fees taken off"
        } else {
            ""
        }
    )
}

/// What was assumed because it is usual.
pub(super) fn assumed(conventions: &Conventions) -> Option<Notice> {
    (!conventions.assumed.is_empty()).then(|| Notice {
        severity: Severity::Warning,
        code: FindingCode::LayoutAssumed,
        line: None,
        found: conventions.assumed.join("; "),
        expected: "content that has one reading".to_owned(),
        action: WRITE_PROFILE.into(),
    })
}

/// Several readings fit; nothing is read.
pub(super) fn uncertain(plan: &Plan, uncertain: &Uncertain) -> Notice {
    let key = &uncertain.key;
    let action = match (&plan.profile, plan.columns.longest_name()) {
        (Some(profile), _) => format!(
            "Nothing was read. Add to the profile {}: {key}.",
            profile.name
        ),
        // A word of the heading says which files the profile is for.
        (None, Some(name)) => format!(
            "Nothing was read. Put a TOML file beside it with the lines format = \"bank_csv\", \
             name = \"my bank\", contains = {name:?} and {key}."
        ),
        (None, None) => format!(
            "Nothing was read. Put a profile beside the file: TOML with format = \"bank_csv\" \
             and {key}."
        ),
    };
    Notice {
        severity: Severity::Error,
        code: FindingCode::LayoutUncertain,
        line: uncertain.line,
        found: uncertain.found.clone(),
        expected: "content that has one reading".to_owned(),
        action: action.into(),
    }
}

/// A sheet beside others that are statements.
pub(super) fn other_sheet() -> Notice {
    Notice {
        severity: Severity::Info,
        code: FindingCode::UnexpectedRecord,
        line: None,
        found: "it has no columns of dates and money, and was not read".to_owned(),
        expected: String::new(),
        action: "".into(),
    }
}

/// No column of dates or of money is known.
pub(super) fn no_columns() -> Notice {
    Notice {
        severity: Severity::Error,
        code: FindingCode::LayoutUncertain,
        line: None,
        found: "no heading is known for a column of dates and one of money".to_owned(),
        expected: "a heading such as Date, Description, Amount".to_owned(),
        action: "Nothing was read. Put a profile beside the file: TOML with format = \
                 \"bank_csv\" and the columns."
            .into(),
    }
}

/// Lines that are not UTF-8.
pub(super) fn converted(first: u64, count: u64) -> Notice {
    Notice {
        severity: Severity::Info,
        code: FindingCode::ConvertedCharacters,
        line: Some(first),
        found: format!("{count} lines that are not UTF-8, the first here"),
        expected: "UTF-8".to_owned(),
        action: "They were read as Windows-1252.".into(),
    }
}
