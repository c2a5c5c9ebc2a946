//! A client of Arrow Flight SQL: arrow-flight's own, without futures.

use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow_flight::FlightInfo;
use arrow_flight::sql::client::{FlightSqlServiceClient, PreparedStatement};
use futures::TryStreamExt;
use tokio::runtime::{Builder, Runtime};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

use crate::house::House;

type Failure = String;

/// A connection.
pub struct Columns {
    runtime: Runtime,
    pub client: FlightSqlServiceClient<Channel>,
}

impl Columns {
    /// Connects; nobody has said who they are yet.
    pub fn of(house: &House) -> Self {
        let uri = house.flight.clone().unwrap().replace("grpc", "http");
        Self::over(&Endpoint::from_shared(uri).unwrap()).unwrap()
    }

    /// By TLS, trusting `certificate` only.
    pub fn by_tls(house: &House, certificate: &[u8]) -> Result<Self, Failure> {
        let address = house.flight.clone().unwrap();
        let uri = address.replace("grpc+tls://", "https://");
        let tls = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(certificate))
            .domain_name("localhost");
        Self::over(&Endpoint::from_shared(uri).unwrap().tls_config(tls).unwrap())
    }

    fn over(endpoint: &Endpoint) -> Result<Self, Failure> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let connected = runtime.block_on(endpoint.connect());
        let channel = connected.map_err(|error| format!("{error:?}"))?;
        Ok(Self {
            runtime,
            client: FlightSqlServiceClient::new(channel),
        })
    }

    /// Shows the password; the token is sent from then on.
    pub fn log_in(&mut self, user: &str, password: &str) -> Result<(), Failure> {
        let shown = self.runtime.block_on(self.client.handshake(user, password));
        shown.map(|_| ()).map_err(|error| error.to_string())
    }

    /// What `call` gives.
    pub fn wait<T, E: ToString>(
        &mut self,
        call: impl AsyncFnOnce(&mut FlightSqlServiceClient<Channel>) -> Result<T, E>,
    ) -> Result<T, Failure> {
        let called = self.runtime.block_on(call(&mut self.client));
        called.map_err(|error| error.to_string())
    }

    /// The rows that `info` leads to, as one batch.
    pub fn fetch(&mut self, info: &FlightInfo) -> Result<RecordBatch, Failure> {
        let schema = info.clone().try_decode_schema().unwrap();
        let ticket = info.endpoint[0].ticket.clone().unwrap();
        let batches: Vec<RecordBatch> = self.wait(async |client| {
            let stream = client.do_get(ticket).await?;
            stream.try_collect().await
        })?;
        // What was announced is what comes.
        concat_batches(&schema.into(), &batches).map_err(|error| error.to_string())
    }

    /// Asks, and gives all rows.
    pub fn ask(&mut self, sql: &str) -> Result<RecordBatch, Failure> {
        let info = self.wait(async |client| client.execute(sql.to_owned(), None).await)?;
        self.fetch(&info)
    }

    /// Prepares a statement.
    pub fn prepare(&mut self, sql: &str) -> Result<PreparedStatement<Channel>, Failure> {
        self.wait(async |client| client.prepare(sql.to_owned(), None).await)
    }

    /// Runs a prepared statement with a row of values.
    pub fn run(
        &mut self,
        statement: &mut PreparedStatement<Channel>,
        values: RecordBatch,
    ) -> Result<RecordBatch, Failure> {
        statement.set_parameters(values).unwrap();
        let info = self.wait(async |_| statement.execute().await)?;
        self.fetch(&info)
    }

    /// Begins a query and leaves it after so long.
    pub fn begin_and_go(&mut self, sql: &str, after: Duration) {
        let info = self.wait(async |client| client.execute(sql.to_owned(), None).await);
        let ticket = info.unwrap().endpoint[0].ticket.clone().unwrap();
        let rows = async {
            let stream = self.client.do_get(ticket).await.unwrap();
            stream.try_collect::<Vec<_>>().await
        };
        let left = self
            .runtime
            .block_on(async { tokio::time::timeout(after, rows).await });
        assert!(left.is_err(), "the query ended");
    }
}

/// The only value, as text.
pub fn one(batch: &RecordBatch) -> String {
    assert_eq!((batch.num_rows(), batch.num_columns()), (1, 1), "{batch:?}");
    let options = arrow::util::display::FormatOptions::default();
    let column = arrow::util::display::ArrayFormatter::try_new(batch.column(0), &options);
    column.unwrap().value(0).to_string()
}
