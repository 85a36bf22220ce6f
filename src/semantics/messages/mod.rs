//! Every refusal in AWS's words, each text in one place, in files by subject. The numbers E1 to E39
//! are those of the table of refusals in `docs/SEMANTICS.md`; clients match on some of these texts,
//! so they are byte-exact (rule SEM-CHECK-2).

mod cross_account;
mod external;
mod list;
mod password;
mod policy;
mod replica;
mod rotation;
mod secret;
mod version;

pub use cross_account::*;
pub use external::*;
pub use list::*;
pub use password::*;
pub use policy::*;
pub use replica::*;
pub use rotation::*;
pub use secret::*;
pub use version::*;
