//! The program `tieout-server`: serves a ledger.

use std::io::{self, BufRead, IsTerminal, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use mimalloc::MiMalloc;
use tieout_server::{Listening, ServerError, Settings, Verifier};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Serves a ledger to anything that speaks the Postgres protocol or Arrow Flight SQL; it is only
/// read.
#[derive(Parser)]
#[command(name = "tieout serve", version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

#[derive(Args)]
struct Serve {
    /// Where to listen for Postgres clients, such as 127.0.0.1:5433
    #[arg(long, value_name = "ADDRESS:PORT")]
    pg: Option<SocketAddr>,
    /// Where to listen for Arrow Flight SQL clients as well, such as 127.0.0.1:5434
    #[arg(long, value_name = "ADDRESS:PORT")]
    flight: Option<SocketAddr>,
    /// The ledger; TIEOUT_LEDGER otherwise
    #[arg(long, value_name = "DIR")]
    ledger: Option<PathBuf>,
    /// Users, roles, certificate and limits (TOML)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Reads a password and prints the line for a user of the configuration file
    Password {
        /// The user's name
        user: String,
        /// Checks the password against that of the user in this configuration file instead
        #[arg(long, value_name = "FILE")]
        verify: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.command {
        Some(Command::Password { user, verify }) => password(&user, verify.as_deref()),
        None => serve(&arguments.serve),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("tieout: error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(arguments: &Serve) -> Result<ExitCode, ServerError> {
    let settings = match (&arguments.config, arguments.pg) {
        (Some(path), listen) => Settings::read(path, listen)?,
        (None, listen) => {
            Settings::without_users(listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 5433))))?
        }
    }
    .with_flight(arguments.flight)?;
    let named = std::env::var_os("TIEOUT_LEDGER").filter(|value| !value.is_empty());
    let ledger = arguments.ledger.clone().or(named.map(PathBuf::from));
    let ledger = ledger.ok_or(ServerError::NoLedger)?;
    let server = Listening::start(settings, &ledger)?;
    let mut out = io::stdout();
    let address = server.address()?;
    let flight = server.flight();
    let flight = flight.map_or(String::new(), |uri| {
        format!("and to Arrow Flight SQL clients at {uri}\n")
    });
    let told = writeln!(
        out,
        "serving {} to Postgres clients on {address}\n{flight}{}",
        ledger.display(),
        server.who()
    );
    // Whoever started it may not listen; clients do.
    let _ = told.and_then(|()| out.flush());
    server.run();
    Ok(ExitCode::SUCCESS)
}

fn password(user: &str, verify: Option<&Path>) -> Result<ExitCode, ServerError> {
    let mut line = String::new();
    if io::stdin().is_terminal() {
        // It shows what is typed; in a script the password comes by the pipe.
        eprint!("password of {user}: ");
    }
    io::stdin().lock().read_line(&mut line)?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(io::Error::other("the password is empty; give one on standard input").into());
    }
    let Some(path) = verify else {
        let verifier = Verifier::of(password).ok_or(ServerError::NoRandom)?;
        println!("[users.{user:?}]\npassword = {:?}", verifier.written());
        return Ok(ExitCode::SUCCESS);
    };
    let settings = Settings::read(path, Some(SocketAddr::from(([127, 0, 0, 1], 0))))?;
    let is_right = settings
        .verifier(user)
        .is_some_and(|verifier| verifier.is_of(password));
    if is_right {
        println!("this is the password of {user}");
        Ok(ExitCode::SUCCESS)
    } else {
        println!("this is not the password of {user}, or there is no such user");
        Ok(ExitCode::FAILURE)
    }
}
