//! From a statement to its rows.

mod books;
mod cancel;
mod gate;
mod plan;
mod room;
mod rows;
mod statement;

pub use books::{Books, Snapshot};
pub use cancel::{Cancellable, Cancellations};
pub use gate::{Door, Gate, Visit};
pub use plan::{Planned, placeholder, sql_type};
pub use rows::{Memory, Rows, Watch};
pub use statement::{Command, Fetch, read};
