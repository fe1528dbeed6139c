//! What a run leaves on the disk: checkpoints as folders, the training state apart, and the lock. Whatever moment a process is killed at, what has its
//! name is whole.

mod checksum;
mod folder;
mod lock;
mod mean;
mod state;
mod states;
mod whole_folder;

pub use folder::{Beside, Named, write_folder};
pub use lock::Lock;
pub use mean::mean_of;
pub use state::{Kept, State};
pub use states::States;
