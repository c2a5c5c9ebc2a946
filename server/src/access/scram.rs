//! SCRAM-SHA-256 (RFC 5802, RFC 7677): a proof of the password without the password.

use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac, pbkdf2};

/// The name of the mechanism.
pub const MECHANISM: &str = "SCRAM-SHA-256";
/// Rounds of a new verifier.
const ROUNDS: u32 = 4096;
/// Rounds of a verifier from elsewhere.
const ROUNDS_MAX: u32 = 1_000_000;
const SALT_BYTES: usize = 16;
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 18;

/// What a server keeps of a password: with it a proof can be checked, but not made. Written as
/// PostgreSQL does: `SCRAM-SHA-256$4096:salt$stored key:server key`.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    rounds: NonZeroU32,
    salt: Vec<u8>,
    stored_key: Vec<u8>,
    server_key: Vec<u8>,
}

impl Verifier {
    /// Of a password, with a salt of its own. None if the machine gives no random numbers.
    pub fn of(password: &str) -> Option<Self> {
        let salt = random::<SALT_BYTES>()?.to_vec();
        let rounds = NonZeroU32::new(ROUNDS)?;
        Some(Self::with_salt(password, salt, rounds))
    }

    /// A verifier that no password meets, so that an unknown user cannot be told from a wrong
    /// password. The salt is the same each time for one name, as it is for a user that exists.
    pub fn of_nobody(name: &str, secret: &[u8]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let salt = hmac::sign(&key, name.as_bytes()).as_ref()[..SALT_BYTES].to_vec();
        Self {
            rounds: NonZeroU32::new(ROUNDS).unwrap_or(NonZeroU32::MIN),
            salt,
            stored_key: hmac::sign(&key, b"nobody").as_ref().to_vec(),
            server_key: vec![0; KEY_BYTES],
        }
    }

    fn with_salt(password: &str, salt: Vec<u8>, rounds: NonZeroU32) -> Self {
        // A password that cannot be prepared is taken as it is, as PostgreSQL does.
        let prepared = stringprep::saslprep(password);
        let password = prepared.as_deref().unwrap_or(password);
        let mut salted = [0; KEY_BYTES];
        let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
        pbkdf2::derive(algorithm, rounds, &salt, password.as_bytes(), &mut salted);
        let key = hmac::Key::new(hmac::HMAC_SHA256, &salted);
        let client_key = hmac::sign(&key, b"Client Key");
        Self {
            rounds,
            salt,
            stored_key: digest::digest(&digest::SHA256, client_key.as_ref())
                .as_ref()
                .to_vec(),
            server_key: hmac::sign(&key, b"Server Key").as_ref().to_vec(),
        }
    }

    /// Whether it is that of `password`.
    pub fn is_of(&self, password: &str) -> bool {
        let other = Self::with_salt(password, self.salt.clone(), self.rounds);
        self.stored_key == other.stored_key
    }

    /// Reads one as it is written in a file.
    pub fn read(text: &str) -> Option<Self> {
        let (head, keys) = text.strip_prefix("SCRAM-SHA-256$")?.split_once('$')?;
        let (rounds, salt) = head.split_once(':')?;
        let (stored_key, server_key) = keys.split_once(':')?;
        let rounds: NonZeroU32 = rounds.parse().ok()?;
        let verifier = Self {
            rounds,
            salt: BASE64.decode(salt).ok()?,
            stored_key: BASE64.decode(stored_key).ok()?,
            server_key: BASE64.decode(server_key).ok()?,
        };
        let is_whole = verifier.stored_key.len() == KEY_BYTES
            && verifier.server_key.len() == KEY_BYTES
            && !verifier.salt.is_empty()
            && rounds.get() <= ROUNDS_MAX;
        is_whole.then_some(verifier)
    }

    /// As it is written in a file.
    pub fn written(&self) -> String {
        format!(
            "{MECHANISM}${}:{}${}:{}",
            self.rounds,
            BASE64.encode(&self.salt),
            BASE64.encode(&self.stored_key),
            BASE64.encode(&self.server_key)
        )
    }
}

fn random<const BYTES: usize>() -> Option<[u8; BYTES]> {
    let mut bytes = [0; BYTES];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(bytes)
}

/// A number that nobody can guess.
pub fn secret() -> Option<u32> {
    random().map(u32::from_be_bytes)
}

/// Bytes that nobody can guess.
pub fn secret_bytes() -> Option<[u8; KEY_BYTES]> {
    random()
}

/// A conversation with a client, at its first step.
pub struct Exchange {
    verifier: Verifier,
    /// What the client's first message begins with: which bindings to TLS it can.
    header: String,
    nonce: String,
    first_messages: String,
}

/// A message of the client that is none, or a proof that does not hold.
#[derive(Debug, PartialEq, Eq)]
pub enum Mistake {
    /// The message breaks the protocol.
    Malformed,
    /// The password is another.
    WrongProof,
}

impl Exchange {
    /// Takes the client's first message; the exchange and the answer to it.
    ///
    /// # Errors
    /// [`Mistake::Malformed`].
    pub fn begin(verifier: Verifier, client_first: &str) -> Result<(Self, String), Mistake> {
        let nonce = random::<NONCE_BYTES>().ok_or(Mistake::Malformed)?;
        Self::begin_with(verifier, client_first, &BASE64.encode(nonce))
    }

    fn begin_with(
        verifier: Verifier,
        client_first: &str,
        server_nonce: &str,
    ) -> Result<(Self, String), Mistake> {
        // Without channel binding (`n`), or with a client that could but was not offered it (`y`).
        let bare = ["n,,", "y,,"]
            .iter()
            .find_map(|header| Some((header, client_first.strip_prefix(header)?)));
        let (header, bare) = bare.ok_or(Mistake::Malformed)?;
        let client_nonce = attribute(bare, "r=").ok_or(Mistake::Malformed)?;
        let nonce = format!("{client_nonce}{server_nonce}");
        let salt = BASE64.encode(&verifier.salt);
        let answer = format!("r={nonce},s={salt},i={}", verifier.rounds);
        let exchange = Self {
            verifier,
            header: (*header).to_owned(),
            nonce,
            first_messages: format!("{bare},{answer}"),
        };
        Ok((exchange, answer))
    }

    /// Takes the client's proof; the server's own proof if it holds.
    ///
    /// # Errors
    /// [`Mistake`].
    pub fn finish(self, client_final: &str) -> Result<String, Mistake> {
        let malformed = Mistake::Malformed;
        let Some((without_proof, proof)) = client_final.rsplit_once(",p=") else {
            return Err(malformed);
        };
        let binding = attribute(without_proof, "c=").ok_or(Mistake::Malformed)?;
        let nonce = attribute(without_proof, "r=").ok_or(Mistake::Malformed)?;
        if binding != BASE64.encode(&self.header) || nonce != self.nonce {
            return Err(malformed);
        }
        let proof = BASE64.decode(proof).map_err(|_| Mistake::Malformed)?;
        if proof.len() != KEY_BYTES {
            return Err(malformed);
        }
        let message = format!("{},{without_proof}", self.first_messages);
        let stored = hmac::Key::new(hmac::HMAC_SHA256, &self.verifier.stored_key);
        let signature = hmac::sign(&stored, message.as_bytes());
        let pairs = proof.iter().zip(signature.as_ref());
        let client_key: Vec<u8> = pairs.map(|(proof, sign)| proof ^ sign).collect();
        let shown = digest::digest(&digest::SHA256, &client_key);
        // Compared by their signatures, so that the time says nothing of how far they agree.
        let kept = hmac::sign(&stored, &self.verifier.stored_key);
        hmac::verify(&stored, shown.as_ref(), kept.as_ref()).map_err(|_| Mistake::WrongProof)?;
        let server = hmac::Key::new(hmac::HMAC_SHA256, &self.verifier.server_key);
        let own = hmac::sign(&server, message.as_bytes());
        Ok(format!("v={}", BASE64.encode(own)))
    }
}

fn attribute<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    let mut attributes = message.split(',');
    attributes
        .find_map(|attribute| attribute.strip_prefix(name))
        .filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// RFC 7677, section 3.
    #[test]
    fn the_example_of_the_standard_holds() {
        let salt = BASE64.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let verifier = Verifier::with_salt("pencil", salt, NonZeroU32::new(4096).unwrap());
        let first = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
        let nonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let (exchange, answer) = Exchange::begin_with(verifier, first, nonce).unwrap();
        assert_eq!(
            answer,
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
        );
        let proof = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                     p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
        let own = exchange.finish(proof).unwrap();
        assert_eq!(own, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }

    #[test]
    fn a_verifier_knows_its_password_only() {
        let verifier = Verifier::of("s3cret é").unwrap();
        let read = Verifier::read(&verifier.written()).unwrap();
        assert!(read == verifier);
        assert!(read.is_of("s3cret é"));
        assert!(!read.is_of("s3cret e"));
        for wrong in [
            "",
            "s3cret",
            "SCRAM-SHA-256$0:eA==$eA==:eA==",
            "SCRAM-SHA-256$1:x$y:z",
        ] {
            assert!(Verifier::read(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn messages_that_are_none_are_refused() {
        let verifier = Verifier::of("x").unwrap();
        for first in ["", "n,,", "n,,n=u", "p=tls-unique,,n=u,r=abc", "n,,n=u,r="] {
            let begun = Exchange::begin(verifier.clone(), first).map(|_| ());
            assert_eq!(begun, Err(Mistake::Malformed), "{first}");
        }
        for last in ["", "c=biws,r=abc", "c=biws,r=abc,p=", "c=biws,r=abc,p=eA=="] {
            let (exchange, _) = Exchange::begin(verifier.clone(), "n,,n=u,r=abc").unwrap();
            assert_eq!(exchange.finish(last), Err(Mistake::Malformed), "{last}");
        }
    }
}
