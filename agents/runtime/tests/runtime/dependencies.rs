//! An engine that embeds this crate embeds `libm` and nothing else.

#[test]
fn the_only_dependency_is_libm() {
    let manifest = include_str!("../../Cargo.toml");
    let mut section = "";
    let mut dependencies = Vec::new();
    for line in manifest.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if line.starts_with('[') {
            section = line;
            // `[dependencies.name]`, `[build-dependencies]` and `[target.….dependencies]` would all slip by below.
            assert!(
                ["[package]", "[lints]", "[dependencies]", "[dev-dependencies]"].contains(&section),
                "unexpected section {section}"
            );
        } else if section == "[dependencies]" {
            dependencies.push(line);
        }
    }
    assert_eq!(dependencies, ["libm.workspace = true"]);
    assert!(include_str!("../../src/lib.rs").lines().any(|line| line == "#![no_std]"));
}
