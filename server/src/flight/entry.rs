//! Who asks: a password once, a token from then on.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE_NO_PAD};
use parking_lot::Mutex;
use tonic::{Request, Status};

use super::connection::Welcome;
use crate::access::{Allowed, Verifier, secret_bytes};
use crate::serve::Server;

/// Tokens that are valid at a time; a new one takes the place of the one that was used longest ago.
const TOKENS_MAX: usize = 10_000;
/// How long a token lasts that is not used.
const TOKEN_TIME: Duration = Duration::from_hours(12);
/// Names and passwords; some clients leave the padding out.
const BASIC: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// Who asks where there are no users and no name is given.
const ANYONE: &str = "anyone";

/// Who asks.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The user's name.
    pub user: String,
    /// What the user may read.
    pub allowed: Allowed,
}

struct Known {
    user: String,
    used: Instant,
}

/// The tokens that stand for users who have shown their password.
#[derive(Default)]
pub struct Tokens(Mutex<HashMap<String, Known>>);

impl Tokens {
    /// A new token of `user`. None if the machine gives no random numbers.
    pub fn give(&self, user: &str) -> Option<String> {
        let token = URL_SAFE_NO_PAD.encode(secret_bytes()?);
        let mut known = self.0.lock();
        if known.len() >= TOKENS_MAX {
            known.retain(|_, token| token.used.elapsed() < TOKEN_TIME);
        }
        if known.len() >= TOKENS_MAX {
            let oldest = known.iter().min_by_key(|(_, token)| token.used);
            if let Some(oldest) = oldest.map(|(token, _)| token.clone()) {
                known.remove(&oldest);
            }
        }
        let fresh = Known {
            user: user.to_owned(),
            used: Instant::now(),
        };
        known.insert(token.clone(), fresh);
        Some(token)
    }

    fn user(&self, token: &str) -> Option<String> {
        let mut known = self.0.lock();
        let found = known.get_mut(token)?;
        if found.used.elapsed() >= TOKEN_TIME {
            known.remove(token);
            return None;
        }
        found.used = Instant::now();
        Some(found.user.clone())
    }
}

/// Who sent `request`, by its token or its password.
///
/// # Errors
/// `unauthenticated`, if there are users and it is none of them.
pub async fn caller<T>(
    server: &Arc<Server>,
    tokens: &Tokens,
    request: &Request<T>,
) -> Result<Caller, Status> {
    let given = request.metadata().get("authorization");
    let given = given.and_then(|value| value.to_str().ok()).unwrap_or("");
    let user = match given.split_once(' ') {
        Some((kind, token)) if kind.eq_ignore_ascii_case("bearer") => {
            let user = tokens.user(token.trim());
            user.ok_or_else(|| Status::unauthenticated("the token is not valid; log in again"))?
        }
        Some((kind, basic)) if kind.eq_ignore_ascii_case("basic") => {
            let (user, password) = name_and_password(basic.trim())
                .ok_or_else(|| Status::unauthenticated("the authorization is not readable"))?;
            check_password(server, &user, password).await?;
            user
        }
        _ if server.settings.has_users() => {
            let found = "a user name and a password are needed";
            return Err(Status::unauthenticated(found));
        }
        _ => ANYONE.to_owned(),
    };
    Welcome::note(request);
    Ok(Caller {
        allowed: server.settings.allowed(&user),
        user,
    })
}

fn name_and_password(basic: &str) -> Option<(String, String)> {
    let text = String::from_utf8(BASIC.decode(basic).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    (!user.is_empty()).then(|| (user.to_owned(), password.to_owned()))
}

async fn check_password(server: &Arc<Server>, user: &str, password: String) -> Result<(), Status> {
    if !server.settings.has_users() {
        return Ok(());
    }
    let known = server.settings.verifier(user).cloned();
    let verifier = known.unwrap_or_else(|| Verifier::of_nobody(user, &server.secret));
    // It is slow on purpose.
    let checked = tokio::task::spawn_blocking(move || verifier.is_of(&password)).await;
    if checked.unwrap_or(false) {
        return Ok(());
    }
    let found = format!("password authentication failed for user \"{user}\" (28P01)");
    Err(Status::unauthenticated(found))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_token_stands_for_its_user_only() {
        let tokens = Tokens::default();
        let (ann, bob) = (tokens.give("ann").unwrap(), tokens.give("bob").unwrap());
        assert_ne!(ann, bob);
        assert_eq!(tokens.user(&ann).unwrap(), "ann");
        assert_eq!(tokens.user(&bob).unwrap(), "bob");
        assert!(tokens.user("").is_none());
        assert!(tokens.user(&ann[1..]).is_none());
    }

    #[test]
    fn tokens_are_so_many() {
        let tokens = Tokens::default();
        let first = tokens.give("ann").unwrap();
        for _ in 1..TOKENS_MAX {
            tokens.give("bob").unwrap();
        }
        assert!(tokens.user(&first).is_some());
        for _ in 0..TOKENS_MAX {
            tokens.give("bob").unwrap();
        }
        assert!(tokens.user(&first).is_none());
        assert_eq!(tokens.0.lock().len(), TOKENS_MAX);
    }

    #[test]
    fn names_end_at_the_first_colon() {
        let basic = BASIC.encode("ann:a:bc");
        for basic in [&basic, basic.trim_end_matches('=')] {
            let (user, password) = name_and_password(basic).unwrap();
            assert_eq!((user.as_str(), password.as_str()), ("ann", "a:bc"));
        }
        for wrong in ["", "?", &BASIC.encode("ann"), &BASIC.encode(":x")] {
            assert!(name_and_password(wrong).is_none(), "{wrong}");
        }
    }
}
