//! The certificate that clients see.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ConfigBuilder, ServerConfig, WantsVerifier};
use tonic::transport::Identity;

use crate::ServerError;

/// TLS 1.2 and 1.3 with the certificates and the key in two PEM files.
///
/// # Errors
/// [`ServerError::Tls`] that names the file.
pub fn server_config(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, ServerError> {
    let wrong = |path: &Path, found: String| ServerError::Tls {
        path: path.to_owned(),
        found,
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| wrong(certificate, error.to_string()))?;
    if chain.is_empty() {
        return Err(wrong(
            certificate,
            "there is no certificate in it".to_owned(),
        ));
    }
    let secret =
        PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key, error.to_string()))?;
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map(ConfigBuilder::<ServerConfig, WantsVerifier>::with_no_client_auth);
    let config = config.and_then(|builder| builder.with_single_cert(chain, secret));
    config
        .map(Arc::new)
        .map_err(|error| wrong(certificate, error.to_string()))
}

/// The same certificates and key, as gRPC wants them.
///
/// # Errors
/// [`ServerError::Tls`] that names the file.
pub fn identity(certificate: &Path, key: &Path) -> Result<Identity, ServerError> {
    let bytes = |path: &Path| {
        fs::read(path).map_err(|error| ServerError::Tls {
            path: path.to_owned(),
            found: error.to_string(),
        })
    };
    Ok(Identity::from_pem(bytes(certificate)?, bytes(key)?))
}
