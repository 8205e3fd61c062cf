//! stub
use super::Placed;
use super::trouble::Slip;
pub(super) fn read(_: &str, (): ()) -> Result<Vec<Placed>, Slip> {
    Ok(Vec::new())
}
