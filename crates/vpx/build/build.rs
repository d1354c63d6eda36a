//! Finds the system's libvpx, and compiles the C that is between it and us.
//!
//! Header files and archive are copied: what else lies in their folders, such as another C library's, must not get
//! into a build for an older system.

mod slim;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const ADVICE: &str = "libvpx, by which raw video is encoded and decoded, was not found as a static library with its header files.
  Debian, Ubuntu:  apt-get install libvpx-dev
  Fedora:          dnf install libvpx-devel, and build libvpx.a, which it does not have
  Alpine:          apk add libvpx-dev libvpx-static
  macOS:           brew install libvpx
  Windows:         vcpkg install libvpx:x64-windows-static-md
Elsewhere name the folders: VPX_INCLUDE_DIR has vpx/vp8cx.h, VPX_LIB_DIR has libvpx.a (on Windows vpx.lib).
Without raw video, for which libvpx is there: cargo build --no-default-features";

fn main() {
    for watched in ["VPX_INCLUDE_DIR", "VPX_LIB_DIR", "PKG_CONFIG_PATH"] {
        println!("cargo:rerun-if-env-changed={watched}");
    }
    println!("cargo:rerun-if-changed=src");
    println!("cargo:rerun-if-changed=build");
    let Some((headers, archive)) = find() else {
        for line in ADVICE.lines() {
            println!("cargo::error={line}");
        }
        return;
    };
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let include = out.join("include");
    copy_headers(&headers, &include.join("vpx"));
    println!("cargo:rerun-if-changed={}", archive.display());
    let mut c = cc::Build::new();
    c.include(&include)
        .std("c11")
        .warnings(true)
        .extra_warnings(true);
    let ours = c.clone().file("src/shim.c").compile_intermediates();
    let instead = c.clone().file("src/instead.c").compile_intermediates();
    let absent = out.join("absent.c");
    fs::write(&absent, copy_archive(&archive, &out, [&ours, &instead]))
        .expect("the folder of this build can be written");
    c.objects(ours)
        .objects(instead)
        .file(absent)
        .compile("vpx_shim");
    println!("cargo:rustc-link-search=native={}", out.display());
    println!("cargo:rustc-link-lib=static=vpx");
    if env::var("CARGO_CFG_TARGET_FAMILY").as_deref() == Ok("unix") {
        println!("cargo:rustc-link-lib=m");
        println!("cargo:rustc-link-lib=pthread");
    }
}

/// The folder `vpx/` of its header files, and the archive.
fn find() -> Option<(PathBuf, PathBuf)> {
    let named = |variable| env::var_os(variable).map(|folder| vec![PathBuf::from(folder)]);
    let headers = named("VPX_INCLUDE_DIR").or_else(|| Some(vec![told("includedir")?]))?;
    // Debian's file says a folder that the archive is not in, but lies below the right one.
    let libraries = named("VPX_LIB_DIR").or_else(|| {
        let beside = told("pcfiledir")?.parent()?.to_owned();
        Some(vec![told("libdir")?, beside])
    })?;
    let headers = headers.into_iter().map(|folder| folder.join("vpx"));
    let archives = libraries
        .iter()
        .flat_map(|folder| ["libvpx.a", "vpx.lib"].map(|name| folder.join(name)));
    Some((
        headers
            .into_iter()
            .find(|folder| folder.join("vp8cx.h").is_file())?,
        archives.into_iter().find(|archive| archive.is_file())?,
    ))
}

/// What pkg-config says is true of this machine: another kind of processor's library is named by hand.
fn told(variable: &str) -> Option<PathBuf> {
    let arch = |triple: String| triple.split('-').next().map(str::to_owned);
    let (host, target) = (env::var("HOST").ok()?, env::var("TARGET").ok()?);
    if arch(host) != arch(target) {
        return None;
    }
    let output = Command::new("pkg-config")
        .args([&format!("--variable={variable}"), "vpx"])
        .output()
        .ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    let folder = folder.trim();
    (!folder.is_empty()).then(|| PathBuf::from(folder))
}

/// Copies the archive without what can't be called, and gives C for functions that are not in it for that.
fn copy_archive(archive: &Path, into: &Path, objects: [&[PathBuf]; 2]) -> String {
    let name = archive.file_name().expect("it is a file");
    let whole = read(archive);
    let objects: Vec<Vec<u8>> = objects
        .into_iter()
        .flatten()
        .map(|object| read(object))
        .collect();
    let slim = slim::slim(&whole, &objects);
    let (octets, absent) = match &slim {
        Some(slim) => (&slim.archive, slim.absent.iter()),
        None => (&whole, Default::default()),
    };
    fs::write(into.join(name), octets).expect("the folder of this build can be written");
    let absent: String = absent
        .map(|name| format!("void {name}(void) __attribute__((alias(\"oh_vpx_absent\")));\n"))
        .collect();
    format!(
        "#include <stdlib.h>\nvoid oh_vpx_absent(void);\nvoid oh_vpx_absent(void) {{ abort(); }}\n{absent}"
    )
}

fn read(file: &Path) -> Vec<u8> {
    fs::read(file).expect("the file was found")
}

fn copy_headers(from: &Path, into: &Path) {
    fs::create_dir_all(into).expect("the folder of this build can be written");
    let headers = fs::read_dir(from).expect("the folder was there");
    for header in headers.filter_map(Result::ok) {
        fs::copy(header.path(), into.join(header.file_name())).expect("a header can be copied");
    }
}
