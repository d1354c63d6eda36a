fn main() {
    println!("cargo:rerun-if-changed=src/asound.c");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        cc::Build::new()
            .file("src/asound.c")
            .std("gnu11")
            .warnings(true)
            .extra_warnings(true)
            .compile("asound_forward");
        if std::env::var("CARGO_CFG_TARGET_ENV").as_deref() == Ok("gnu") {
            // Before glibc 2.34 dlopen and threads live in libraries of their own.
            println!("cargo:rustc-link-lib=dl");
            println!("cargo:rustc-link-lib=pthread");
        }
    }
}
