//! `tieout formats`: what is read.

use std::io::{self, Write};

use tieout::{FORMATS, Role};

use crate::Outcome;
use crate::failure::Failure;
use crate::terminal::{Paint, WIDTH, wrap};

const NAME_WIDTH: usize = 20;

/// Lists every format with what it is.
pub fn formats() -> Result<Outcome, Failure> {
    let paint = Paint::of_stdout();
    let mut out = io::stdout().lock();
    for format in FORMATS {
        let name = format!("{:<NAME_WIDTH$}", format.name());
        let about = format!("{} [{}]", format.about(), brings(format.role()));
        let lines = wrap(&about, WIDTH - NAME_WIDTH);
        let indented = lines.join(&format!("\n{:NAME_WIDTH$}", ""));
        writeln!(out, "{}{indented}", paint.heading(&name))?;
    }
    out.flush()?;
    Ok(Outcome::Clean)
}

/// What a file of the role is to the run.
fn brings(role: Role) -> &'static str {
    match role {
        Role::Profile => "layout",
        Role::Parties => "parties",
        Role::OpenItems => "open items",
        Role::Remittances => "remittance advice",
        Role::BankLines => "payments",
        Role::Nothing => "recognised, not read",
    }
}
