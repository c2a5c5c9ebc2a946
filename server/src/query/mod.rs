//! From a statement to its rows.

mod books;
mod cancel;
mod form;
mod gate;
mod pauses;
mod plan;
mod prepared;
mod room;
mod rows;
mod statement;
mod turns;

pub use books::{Books, Snapshot};
pub use cancel::{Cancellable, Cancellations};
pub use form::{Form, Format};
pub use gate::{Door, Gate, Visit};
pub use plan::{Planned, placeholder, sql_type};
pub use rows::{Means, Memory, Rows, Watch};
pub use statement::{Command, Fetch, Lasting, read};
pub use turns::Turns;
