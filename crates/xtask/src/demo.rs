//! placeholder
#[derive(clap::Args)]
pub struct Arguments {}
pub fn demo(_: &Arguments) -> anyhow::Result<()> {
    Ok(())
}
