//! `tieout-bench`: generate a morning with known answers, score whoever answers it.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};
use tieout_bench::generate::Wanted;
use tieout_bench::generate::mix::Mix;
use tieout_bench::{generate, grow, score};

#[derive(Parser)]
#[command(
    version,
    about = "Generates a distributor's morning with known answers, and scores the answers"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write parties, open items, lockbox files, a statement, remittances and the truth.
    Generate {
        /// Customers' payments.
        #[arg(long)]
        payments: u32,
        /// Open items; twice as many as payments if nothing is said.
        #[arg(long)]
        items: Option<u32>,
        /// The same seed gives the same bytes.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// What happens how often; README.md has both tables.
        #[arg(long, value_enum, default_value_t)]
        mix: Mix,
        /// Folder of the morning.
        #[arg(long)]
        out: PathBuf,
        /// Folder of the same payments as plain CSV, for a SQL peer.
        #[arg(long)]
        peer: Option<PathBuf>,
    },
    /// Write a file of one format of any size, for measuring how fast it is read.
    Grow {
        /// The format, as `tieout formats` names it.
        format: String,
        /// Megabytes that the file has at least.
        #[arg(long, default_value_t = 100)]
        megabytes: u64,
        /// The file.
        #[arg(long)]
        out: PathBuf,
    },
    /// Compare an engine's payments.csv and applications.csv with the truth.
    Score {
        /// Folder with payments.csv and applications.csv.
        #[arg(long)]
        out: PathBuf,
        /// The truth of the morning.
        #[arg(long)]
        truth: PathBuf,
        /// The open items, to check that none is applied beyond what was open.
        #[arg(long)]
        items: Option<PathBuf>,
        /// List up to this many payments that went wrong.
        #[arg(long, default_value_t = 0)]
        wrong: usize,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Generate {
            payments,
            items,
            seed,
            mix,
            out,
            peer,
        } => {
            let wanted = Wanted {
                payments,
                items,
                seed,
                mix,
            };
            let summary = generate::run_wanted(wanted, &out, peer.as_deref())?;
            print!("{}", summary.table());
        }
        Command::Grow {
            format,
            megabytes,
            out,
        } => grow::run(&format, megabytes * 1_000_000, &out)?,
        Command::Score {
            out,
            truth,
            items,
            wrong,
            json,
        } => {
            let score = score::run(&out, &truth, items.as_deref(), wrong)?;
            print!("{}", if json { score.json()? } else { score.text() });
        }
    }
    Ok(())
}
