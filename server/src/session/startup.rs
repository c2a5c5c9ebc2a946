//! Letting a client in: encryption, who it is, its password.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::access::{Exchange, MECHANISM, Mistake, Verifier};
use crate::query::Lasting;
use crate::serve::Server;
use crate::session::variables::Variables;
use crate::wire::{Body, Channel, Gone, Refusal, malformed, state};

const PROTOCOL_MAJOR: u32 = 3;
const CANCEL: u32 = 80_877_102;
const TLS: u32 = 80_877_103;
const GSS: u32 = 80_877_104;
/// Questions about encryption before the client says who it is.
const QUESTIONS_MAX: usize = 4;

/// A client that is let in.
pub struct Client {
    /// Its connection.
    pub channel: Channel,
    /// The user's name.
    pub user: String,
    /// The settings that it asked for.
    pub variables: Variables,
}

/// Lets a client in. None if it only came to cancel something.
///
/// # Errors
/// [`Gone`]; the client is told why.
pub fn let_in(server: &Server, mut channel: Channel) -> Result<Option<Client>, Gone> {
    let patience = Duration::from_secs(server.settings.limits.login_seconds);
    channel.heard_until(Some(Instant::now() + patience))?;
    for _ in 0..QUESTIONS_MAX {
        let first = channel.first()?;
        let mut body = Body(&first);
        let code = u32::from_be_bytes(body.number()?);
        match code {
            CANCEL => {
                let process = u32::from_be_bytes(body.number()?);
                let secret = u32::from_be_bytes(body.number()?);
                server.cancellations.cancel(process, secret);
                return Ok(None);
            }
            TLS => match &server.settings.tls {
                Some(config) if !channel.is_tls() => {
                    channel.send_byte(b'S')?;
                    channel = channel.encrypt(config)?;
                }
                _ => channel.send_byte(b'N')?,
            },
            GSS => channel.send_byte(b'N')?,
            version if version >> 16 == PROTOCOL_MAJOR => {
                let entered = enter(server, &mut channel, version & 0xffff, body);
                return match entered {
                    Ok((user, variables)) => {
                        channel.heard_until(None)?;
                        Ok(Some(Client {
                            channel,
                            user,
                            variables,
                        }))
                    }
                    Err(Gone::Refused(refusal)) => {
                        channel.replies.refusal(&refusal);
                        channel.flush()?;
                        Err(Gone::Away)
                    }
                    Err(gone) => Err(gone),
                };
            }
            _ => {
                let refusal = malformed("this is no Postgres client of version 3").and_end();
                channel.replies.refusal(&refusal);
                channel.flush()?;
                return Err(Gone::Away);
            }
        }
    }
    Err(malformed("too many questions about encryption").into())
}

fn enter(
    server: &Server,
    channel: &mut Channel,
    minor: u32,
    mut body: Body<'_>,
) -> Result<(String, Variables), Gone> {
    let mut wishes = BTreeMap::new();
    loop {
        let name = body.text()?;
        if name.is_empty() {
            break;
        }
        wishes.insert(name, body.text()?);
    }
    let user = wishes.remove("user").filter(|user| !user.is_empty());
    let user =
        user.ok_or_else(|| Refusal::fatal(state::INVALID_AUTHORIZATION, "a user name is needed"))?;
    if !server.settings.listen.ip().is_loopback() && !channel.is_tls() {
        let found = "connections are encrypted here; connect with sslmode=require or more";
        return Err(Refusal::fatal(state::INVALID_AUTHORIZATION, found).into());
    }
    let options: Vec<String> = wishes
        .keys()
        .filter(|name| name.starts_with("_pq_."))
        .cloned()
        .collect();
    if minor > 0 || !options.is_empty() {
        channel.replies.negotiate_version(&options);
    }
    if server.settings.has_users() {
        check_password(server, channel, &user)?;
    }
    let mut variables = Variables::of(&user);
    for (name, value) in &wishes {
        match name.as_str() {
            "database" | "replication" => {}
            "options" => take_options(&mut variables, value)?,
            name if name.starts_with("_pq_.") => {}
            name => variables.set(name, Some(value), Lasting::Session)?,
        }
    }
    channel.replies.welcome();
    for (name, value) in variables.reported() {
        channel.replies.setting(name, &value);
    }
    Ok((user, variables))
}

/// `-c name=value --name=value`
fn take_options(variables: &mut Variables, options: &str) -> Result<(), Refusal> {
    for word in options.split_whitespace() {
        let word = word.trim_start_matches("-c").trim_start_matches("--");
        if let Some((name, value)) = word.split_once('=') {
            variables.set(name, Some(value), Lasting::Session)?;
        }
    }
    Ok(())
}

/// Has the client prove that it knows the password.
fn check_password(server: &Server, channel: &mut Channel, user: &str) -> Result<(), Gone> {
    const SASL: u32 = 10;
    const SASL_CONTINUE: u32 = 11;
    const SASL_FINAL: u32 = 12;
    let known = server.settings.verifier(user).cloned();
    let verifier = known.unwrap_or_else(|| Verifier::of_nobody(user, &server.secret));
    let offer = format!("{MECHANISM}\0\0");
    channel.replies.authentication(SASL, offer.as_bytes());
    channel.flush()?;
    let first = channel.password()?;
    let mut body = Body(&first);
    if body.text()? != MECHANISM {
        return Err(malformed("only SCRAM-SHA-256 is offered").into());
    }
    let _length: [u8; 4] = body.number()?;
    let begun = Exchange::begin(verifier, text(body.0)?);
    let (exchange, answer) = begun.map_err(|mistake| wrong(&mistake, user))?;
    channel
        .replies
        .authentication(SASL_CONTINUE, answer.as_bytes());
    channel.flush()?;
    let last = channel.password()?;
    let proof = exchange.finish(text(&last)?);
    let own = proof.map_err(|mistake| wrong(&mistake, user))?;
    channel.replies.authentication(SASL_FINAL, own.as_bytes());
    Ok(())
}

fn text(bytes: &[u8]) -> Result<&str, Refusal> {
    str::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8"))
}

fn wrong(mistake: &Mistake, user: &str) -> Refusal {
    match mistake {
        Mistake::Malformed => malformed("it is no message of SCRAM-SHA-256").and_end(),
        Mistake::WrongProof => Refusal::fatal(
            state::INVALID_PASSWORD,
            format!("password authentication failed for user \"{user}\""),
        ),
    }
}
