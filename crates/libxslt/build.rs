//! Finds Debian's libxslt, libexslt and libxml2 and compiles the shim against their headers.

use std::path::PathBuf;

const MISSING: &str = "libxslt, libexslt or libxml2 with headers not found.\n\
    Debian, Ubuntu: apt-get install libxslt1-dev build-essential pkg-config";

fn main() -> Result<(), Missing> {
    let mut includes = Vec::new();
    // libexslt first: a static linker resolves from left to right.
    for (package, oldest) in [("libexslt", "0.8.20"), ("libxslt", "1.1.34"), ("libxml-2.0", "2.9.10")] {
        match pkg_config::Config::new().atleast_version(oldest).probe(package) {
            Ok(found) => includes.extend(found.include_paths),
            Err(pkg_config::Error::Command { .. }) => includes = without_pkg_config()?,
            Err(cause) => return Err(Missing(format!("{MISSING}\n{cause}"))),
        }
    }
    cc::Build::new()
        .files(["src/shim.c", "src/plain.c", "src/pool.c"])
        .includes(includes)
        .flag_if_supported("-std=c11")
        .opt_level(2)
        .warnings_into_errors(false)
        .try_compile("dds_xslt_shim")
        .map_err(|cause| Missing(format!("{MISSING}\n{cause}")))?;
    println!("cargo::rustc-check-cfg=cfg(fuzzing)");
    println!("cargo::rerun-if-changed=src");
    Ok(())
}

/// The program pkg-config itself is missing: the places of Debian and Ubuntu.
fn without_pkg_config() -> Result<Vec<PathBuf>, Missing> {
    let headers = PathBuf::from("/usr/include");
    let libxml2 = headers.join("libxml2");
    if !headers.join("libxslt/xslt.h").exists() || !libxml2.join("libxml/tree.h").exists() {
        return Err(Missing(MISSING.to_owned()));
    }
    for library in ["exslt", "xslt", "xml2"] {
        println!("cargo::rustc-link-lib={library}");
    }
    Ok(vec![headers, libxml2])
}

/// Its debug form is what cargo shows, so it is the plain text.
struct Missing(String);

impl std::fmt::Debug for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
