//! The configuration file: where to listen, who may connect, what they may use.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use serde::Deserialize;
use tieout_treasury::{OwnFormat, OwnTable};
use tonic::transport::Identity;

use super::scram::Verifier;
use super::tls;
use crate::ServerError;

/// What a user may use, and all of them together.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Megabytes of memory of one query; what is grouped goes to temporary files
    /// beyond that.
    pub query_memory_mb: usize,
    /// Megabytes of memory of all queries.
    pub memory_mb: usize,
    /// Megabytes of temporary files of all queries.
    pub temporary_files_mb: u64,
    /// Seconds that a query may take, its rows included.
    pub query_seconds: u64,
    /// Queries of one user at a time.
    pub queries_per_user: usize,
    /// Connections of all users.
    pub connections: usize,
    /// Seconds that a connection may be silent inside a transaction.
    pub idle_in_transaction_seconds: u64,
    /// Seconds for letting a client in, from its first byte to the password's proof.
    pub login_seconds: u64,
    /// Threads that work on queries.
    pub threads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            query_memory_mb: 512,
            memory_mb: 2048,
            temporary_files_mb: 10 << 10,
            query_seconds: 300,
            queries_per_user: 64,
            connections: 1000,
            idle_in_transaction_seconds: 3600,
            login_seconds: 30,
            threads: std::thread::available_parallelism().map_or(2, usize::from),
        }
    }
}

impl Limits {
    /// How long a query may take.
    pub fn query_time(&self) -> Duration {
        Duration::from_secs(self.query_seconds)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: Option<String>,
    flight: Option<String>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    #[serde(default)]
    limits: Limits,
    #[serde(default)]
    roles: BTreeMap<String, RoleText>,
    #[serde(default)]
    users: BTreeMap<String, UserText>,
    #[serde(default)]
    tables: BTreeMap<String, TableText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableText {
    /// A file or a folder of files, beside the configuration file, or a URL.
    location: String,
    format: FormatText,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FormatText {
    Csv,
    Json,
    Parquet,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleText {
    /// Tables and views, `schema.name` where the schema is not `public`.
    tables: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserText {
    password: String,
    role: Option<String>,
}

/// What a role may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// All there is.
    All,
    /// These, as `schema.name`.
    Only(Arc<Vec<String>>),
}

impl Allowed {
    /// Whether a table or view may be read.
    pub fn is(&self, schema: &str, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names
                .iter()
                .any(|full| full.split_once('.') == Some((schema, name))),
        }
    }
}

struct User {
    verifier: Verifier,
    allowed: Allowed,
}

/// Who may connect from where, and what they may use.
pub struct Settings {
    /// Where to listen for Postgres clients.
    pub listen: SocketAddr,
    /// Where to listen for Arrow Flight SQL clients, if for any.
    pub flight: Option<SocketAddr>,
    /// What clients may use.
    pub limits: Limits,
    /// How to encrypt; none if there is no certificate.
    pub tls: Option<Arc<ServerConfig>>,
    /// The same certificate and key, for gRPC.
    pub identity: Option<Identity>,
    /// Tables beside those of the ledger.
    pub tables: Vec<OwnTable>,
    users: BTreeMap<String, User>,
}

impl Settings {
    /// Those without a file: this machine only, any user name, no password.
    ///
    /// # Errors
    /// [`ServerError::Open`] for any other address.
    pub fn without_users(listen: SocketAddr) -> Result<Self, ServerError> {
        Self {
            listen,
            flight: None,
            limits: Limits::default(),
            tls: None,
            identity: None,
            tables: Vec::new(),
            users: BTreeMap::new(),
        }
        .checked()
    }

    /// Reads `path`; `listen` is that of the command line, which counts before the file's.
    ///
    /// # Errors
    /// A [`ServerError`] that says what is wrong with the file.
    pub fn read(path: &Path, listen: Option<SocketAddr>) -> Result<Self, ServerError> {
        let wrong = |found: String| ServerError::Settings {
            path: path.to_owned(),
            found,
        };
        let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        let file: File = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        let address = |key: &str, text: &Option<String>| match text {
            None => Ok(None),
            Some(text) => text
                .parse()
                .map(Some)
                .map_err(|_| wrong(format!("{key} = {text:?} is no address and port"))),
        };
        let listen = match listen {
            None => address("listen", &file.listen)?,
            listen => listen,
        };
        let listen = listen.ok_or_else(|| wrong("listen is missing, and --pg too".to_owned()))?;
        let beside = |name: &PathBuf| path.parent().unwrap_or(Path::new("")).join(name);
        let (tls, identity) = match (&file.certificate, &file.key) {
            (None, None) => (None, None),
            (Some(certificate), Some(key)) => {
                let (certificate, key) = (beside(certificate), beside(key));
                let tls = tls::server_config(&certificate, &key)?;
                (Some(tls), Some(tls::identity(&certificate, &key)?))
            }
            _ => return Err(wrong("certificate and key belong together".to_owned())),
        };
        let roles = &file.roles;
        let users = file
            .users
            .iter()
            .map(|(name, user)| Ok((name.clone(), user_of(name, user, roles).map_err(wrong)?)));
        let tables = file.tables.iter().map(|(name, table)| OwnTable {
            name: name.clone(),
            location: if table.location.contains("://") {
                table.location.clone()
            } else {
                let path = beside(&PathBuf::from(&table.location));
                path.to_string_lossy().into_owned()
            },
            format: match table.format {
                FormatText::Csv => OwnFormat::Csv,
                FormatText::Json => OwnFormat::Json,
                FormatText::Parquet => OwnFormat::Parquet,
            },
        });
        Self {
            listen,
            tables: tables.collect(),
            flight: address("flight", &file.flight)?,
            users: users.collect::<Result<_, ServerError>>()?,
            limits: file.limits,
            tls,
            identity,
        }
        .checked()
    }

    /// With this address for Arrow Flight SQL clients, which counts before the file's.
    ///
    /// # Errors
    /// [`ServerError::Open`] if others reach it and there are no users or no certificate.
    pub fn with_flight(self, flight: Option<SocketAddr>) -> Result<Self, ServerError> {
        Self {
            flight: flight.or(self.flight),
            ..self
        }
        .checked()
    }

    fn checked(self) -> Result<Self, ServerError> {
        let is_closed = !self.users.is_empty() && self.tls.is_some();
        let mut addresses = [Some(self.listen), self.flight].into_iter().flatten();
        match addresses.find(|address| !is_closed && !address.ip().is_loopback()) {
            Some(open) => Err(ServerError::Open(open)),
            None => Ok(self),
        }
    }

    /// Whether a password is needed.
    pub fn has_users(&self) -> bool {
        !self.users.is_empty()
    }

    /// What the server keeps of a user's password.
    pub fn verifier(&self, name: &str) -> Option<&Verifier> {
        self.users.get(name).map(|user| &user.verifier)
    }

    /// What a user may read.
    pub fn allowed(&self, name: &str) -> Allowed {
        self.users
            .get(name)
            .map_or(Allowed::All, |user| user.allowed.clone())
    }

    /// Who may connect, in a sentence.
    pub fn who(&self) -> String {
        let on = match (self.listen.ip().is_loopback(), &self.tls) {
            (true, None) => "from this machine",
            (true, Some(_)) => "from this machine, by TLS or without",
            (false, _) => "from anywhere that reaches this address, by TLS only",
        };
        if self.users.is_empty() {
            return format!(
                "anyone {on} may connect, under any user name and without a password, and read \
                 everything; --config FILE names users"
            );
        }
        let names: Vec<_> = self.users.keys().map(String::as_str).collect();
        format!("{} may connect {on}, with a password", names.join(", "))
    }
}

fn user_of(
    name: &str,
    user: &UserText,
    roles: &BTreeMap<String, RoleText>,
) -> Result<User, String> {
    let verifier = Verifier::read(&user.password).ok_or_else(|| {
        format!(
            "the password of user {name} is no verifier (SCRAM-SHA-256$...); make one with \
             tieout serve password"
        )
    })?;
    let allowed = match &user.role {
        None => Allowed::All,
        Some(role) => {
            let role = roles.get(role).ok_or_else(|| {
                format!("user {name} has role {role}, which [roles] does not have")
            })?;
            let full = role.tables.iter().map(|table| {
                if table.contains('.') {
                    table.clone()
                } else {
                    format!("public.{table}")
                }
            });
            Allowed::Only(Arc::new(full.collect()))
        }
    };
    Ok(User { verifier, allowed })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn read(text: &str, listen: &str) -> Result<Settings, ServerError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("server.toml");
        fs::write(&path, text).unwrap();
        Settings::read(&path, Some(listen.parse().unwrap()))
    }

    #[test]
    fn another_address_needs_users_and_tls() {
        assert!(Settings::without_users("127.0.0.1:0".parse().unwrap()).is_ok());
        assert!(Settings::without_users("[::1]:0".parse().unwrap()).is_ok());
        let open = Settings::without_users("0.0.0.0:5433".parse().unwrap());
        assert!(matches!(open, Err(ServerError::Open(_))));
        let verifier = Verifier::of("x").unwrap().written();
        let users = format!("[users.ann]\npassword = {verifier:?}\n");
        let open = read(&users, "192.168.0.1:5433");
        assert!(matches!(open, Err(ServerError::Open(_))));
        let flight = format!("flight = \"0.0.0.0:5434\"\n{users}");
        let open = read(&flight, "127.0.0.1:5433");
        assert!(matches!(open, Err(ServerError::Open(_))));
        assert!(read(&users, "127.0.0.1:5433").unwrap().has_users());
    }

    #[test]
    fn a_role_reads_its_tables_only() {
        let verifier = Verifier::of("x").unwrap().written();
        let text = format!(
            "[roles.clerk]\ntables = [\"payments\", \"history.payments\"]\n\
             [users.ann]\npassword = {verifier:?}\nrole = \"clerk\"\n"
        );
        let allowed = read(&text, "127.0.0.1:0").unwrap().allowed("ann");
        assert!(allowed.is("public", "payments"));
        assert!(allowed.is("history", "payments"));
        assert!(!allowed.is("public", "parties"));
        assert!(!allowed.is("history", "parties"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, word) in [
            ("[users.ann]\npassword = \"secret\"\n", "ann"),
            ("flight = \"here\"\n", "here"),
            ("lisden = \"x\"\n", "lisden"),
            ("certificate = \"x.pem\"\n", "belong together"),
            ("certificate = \"x.pem\"\nkey = \"y.pem\"\n", "x.pem"),
        ] {
            let error = read(text, "127.0.0.1:0").err().unwrap().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
