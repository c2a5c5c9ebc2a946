//! The clients of cloud stores.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::client::SpawnedReqwestConnector;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::http::HttpBuilder;
use object_store::{ClientOptions, ObjectStore, ObjectStoreScheme, Result, RetryConfig};
use tokio::runtime::Handle;
use url::Url;

/// How often and how long a request is tried: a run that joins files must not wait for minutes.
const TRIES: usize = 6;
const TRIED_FOR: Duration = Duration::from_secs(30);

/// A client for the store of `url`, with what the environment says of it.
///
/// All connections live in `runtime`, whichever runtime asks.
pub(super) fn client(
    url: &Url,
    scheme: &ObjectStoreScheme,
    runtime: &Handle,
) -> Result<Arc<dyn ObjectStore>> {
    let retry = RetryConfig {
        max_retries: TRIES,
        retry_timeout: TRIED_FOR,
        ..RetryConfig::default()
    };
    let connector = SpawnedReqwestConnector::new(runtime.clone());
    let text = url.as_str();
    Ok(match scheme {
        ObjectStoreScheme::AmazonS3 => Arc::new(
            AmazonS3Builder::from_env()
                .with_url(text)
                .with_retry(retry)
                .with_http_connector(connector)
                .build()?,
        ),
        ObjectStoreScheme::GoogleCloudStorage => Arc::new(
            GoogleCloudStorageBuilder::from_env()
                .with_url(text)
                .with_retry(retry)
                .with_http_connector(connector)
                .build()?,
        ),
        ObjectStoreScheme::MicrosoftAzure => Arc::new(
            MicrosoftAzureBuilder::from_env()
                .with_url(text)
                .with_retry(retry)
                .with_http_connector(connector)
                .build()?,
        ),
        // The path is that of each object.
        _ => Arc::new(
            HttpBuilder::new()
                .with_url(&url[..url::Position::BeforePath])
                .with_client_options(ClientOptions::default().with_allow_http(true))
                .with_retry(retry)
                .with_http_connector(connector)
                .build()?,
        ),
    })
}
